#include "operators/rules/event_fields.h"

#include <array>
#include <map>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "operators/nearest_name.h"

namespace portrait::rules {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::EnumDescriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

// Where in an event a field is: that of the body, and on from there; or the field of the event itself.
struct FieldPlace {
  const FieldDescriptor* body = nullptr;    // null: the event's own field
  const FieldDescriptor* within = nullptr;  // a message in the body that holds it; null: none
  const FieldDescriptor* field = nullptr;

  const Message& Holder(const Message& event) const {
    const Message* at = &event;
    if (body != nullptr) at = &at->GetReflection()->GetMessage(*at, body);
    if (within != nullptr) at = &at->GetReflection()->GetMessage(*at, within);
    return *at;
  }
};

// The names of a choice in small letters, which texts point to for as long as the program runs.
std::string_view ChoiceName(const EnumDescriptor& type, int number) {
  static const auto* const names = [] {
    auto* all = new std::map<std::pair<const EnumDescriptor*, int>, std::string>();
    for (const EnumDescriptor* known : {v1::Consent::Choice_descriptor(), v1::PhoneCall::Direction_descriptor()}) {
      for (int i = 0; i < known->value_count(); ++i) {
        (*all)[{known, known->value(i)->number()}] = absl::AsciiStrToLower(known->value(i)->name());
      }
    }
    return all;
  }();
  const auto it = names->find({&type, number});
  return it == names->end() ? std::string_view() : it->second;
}

enum class Meaning { kText, kChoice, kMoney, kLength, kWhole, kFraction };

// Nothing: of no use in a condition.
std::optional<Meaning> MeaningOf(const FieldDescriptor& field) {
  if (field.is_repeated()) return std::nullopt;
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_STRING: return Meaning::kText;
    case FieldDescriptor::CPPTYPE_ENUM: return Meaning::kChoice;
    case FieldDescriptor::CPPTYPE_DOUBLE: return Meaning::kFraction;
    case FieldDescriptor::CPPTYPE_INT32: return Meaning::kWhole;
    case FieldDescriptor::CPPTYPE_INT64:
      if (absl::EndsWith(field.name(), "_micros")) return Meaning::kMoney;
      return absl::EndsWith(field.name(), "_us") ? Meaning::kLength : Meaning::kWhole;
    default: return std::nullopt;
  }
}

FeatureType TypeOf(Meaning meaning) {
  switch (meaning) {
    case Meaning::kText:
    case Meaning::kChoice: return FeatureType::kText;
    case Meaning::kMoney:
    case Meaning::kFraction: return FeatureType::kNumber;
    case Meaning::kLength: return FeatureType::kDuration;
    case Meaning::kWhole: return FeatureType::kInteger;
  }
  return FeatureType::kText;
}

// An empty one says nothing (event.proto).
bool IsFactOfPerson(const FieldDescriptor& field) { return field.containing_type() == v1::Person::descriptor(); }

Value WholeOf(const Message& holder, const FieldDescriptor& field) {
  const auto& reflection = *holder.GetReflection();
  const int64_t value = field.cpp_type() == FieldDescriptor::CPPTYPE_INT32
                            ? int64_t{reflection.GetInt32(holder, &field)}
                            : reflection.GetInt64(holder, &field);
  if (value == 0 && IsFactOfPerson(field)) return {};
  if (value == 0 && field.name() == "quantity") return int64_t{1};
  return value;
}

Value ValueAt(const Message& holder, const FieldDescriptor& field, Meaning meaning) {
  const auto& reflection = *holder.GetReflection();
  switch (meaning) {
    case Meaning::kText: {
      std::string none;  // not used: texts lie in the message
      const std::string& text = reflection.GetStringReference(holder, &field, &none);
      return text.empty() ? Value() : Value(std::string_view(text));
    }
    case Meaning::kChoice: {
      const int number = reflection.GetEnumValue(holder, &field);
      const std::string_view name = number == 0 ? std::string_view() : ChoiceName(*field.enum_type(), number);
      return name.empty() ? Value() : Value(name);
    }
    case Meaning::kMoney: {
      const int64_t micros = reflection.GetInt64(holder, &field);
      if (micros == 0 && IsFactOfPerson(field)) return {};
      return static_cast<double>(micros) / 1e6;
    }
    case Meaning::kLength: {
      const int64_t micros = reflection.GetInt64(holder, &field);
      return micros == 0 ? Value() : Value(Duration(micros));
    }
    case Meaning::kFraction: {
      const double value = reflection.GetDouble(holder, &field);
      return value < 0 ? Value() : Value(value);
    }
    case Meaning::kWhole: return WholeOf(holder, field);
  }
  return {};
}

std::string NameOf(const FieldDescriptor& field, Meaning meaning) {
  const size_t unit = meaning == Meaning::kMoney ? 7 : meaning == Meaning::kLength ? 3 : 0;  // _micros, _us
  return field.name().substr(0, field.name().size() - unit);
}

class Maker {
 public:
  explicit Maker(FeatureRegistry& registry) : registry_(registry) {}

  void Add(const FieldPlace& place) {
    const auto meaning = MeaningOf(*place.field);
    if (!meaning) return;
    auto* about = new FeatureDescription();  // for as long as the program runs
    about->name = NameOf(*place.field, *meaning);
    about->type = TypeOf(*meaning);
    about->unit = *meaning != Meaning::kMoney ? "1" : IsFactOfPerson(*place.field) ? "income_currency" : "currency";
    about->over_time = OverTime::Still();
    about->value = [place, meaning = *meaning](const Message& event, const Moment&) {
      return ValueAt(place.Holder(event), *place.field, meaning);
    };
    static const EventKindSet* const kNone = new EventKindSet();
    static_cast<void>(registry_.Add(0, about, &Event::default_instance(), kNone));  // the first of a name counts
  }

  void AddBody(const FieldDescriptor& body) {
    const Descriptor& type = *body.message_type();
    for (int i = 0; i < type.field_count(); ++i) {
      const FieldDescriptor* const field = type.field(i);
      if (field->cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE) {
        Add({&body, nullptr, field});
      } else if (!field->is_repeated()) {
        for (int j = 0; j < field->message_type()->field_count(); ++j) {
          Add({&body, field, field->message_type()->field(j)});
        }
      }
    }
  }

 private:
  FeatureRegistry& registry_;
};

}  // namespace

const EventFields& EventFields::Of(EventKind kind) {
  static const auto* const all = [] {
    auto* made = new std::array<EventFields, kEventKinds>();
    const auto* const bodies = Event::descriptor()->FindOneofByName("body");
    for (int i = 0; i < bodies->field_count(); ++i) {
      Maker maker((*made)[static_cast<size_t>(bodies->field(i)->number())].registry_);
      maker.AddBody(*bodies->field(i));
      maker.Add({nullptr, nullptr, Event::descriptor()->FindFieldByNumber(Event::kSourceFieldNumber)});
    }
    return made;
  }();
  return (*all)[static_cast<size_t>(kind)];
}

bool EventFields::HaveWindows(EventKind kind) {
  return kind != Event::kCustomerErased && kind != Event::kTagPinned && kind != Event::kTagUnpinned;
}

std::vector<EventKind> EventFields::Kinds() {
  std::vector<EventKind> kinds;
  const auto* const bodies = Event::descriptor()->FindOneofByName("body");
  for (int i = 0; i < bodies->field_count(); ++i) {
    const auto kind = static_cast<EventKind>(bodies->field(i)->number());
    if (HaveWindows(kind)) kinds.push_back(kind);
  }
  return kinds;
}

std::string EventFields::Names() const {
  std::string out;
  for (const FeatureRef& field : registry_.all()) {
    absl::StrAppend(&out, out.empty() ? "" : ", ", field.description().name);
  }
  return out;
}

namespace {

std::optional<EventKind> KindWritten(std::string_view name) {
  constexpr std::pair<std::string_view, std::string_view> kShort[] = {{"page", "page_viewed"},
                                                                      {"search", "products_searched"},
                                                                      {"cart_added", "product_added"},
                                                                      {"cart_removed", "product_removed"},
                                                                      {"order", "order_completed"}};
  for (const auto& [written, meant] : kShort) {
    if (written == name) return EventKindNamed(meant);
  }
  return EventKindNamed(name);
}

}  // namespace

std::optional<KindInPath> KindAtBeginOf(std::string_view path) {
  const size_t dot = path.find('.');
  const std::string_view first = path.substr(0, dot);
  std::string_view rest = dot == std::string_view::npos ? std::string_view() : path.substr(dot + 1);
  if (!rest.empty()) {
    const size_t second = rest.find('.');
    const std::string joined = absl::StrCat(std::string(first), "_", std::string(rest.substr(0, second)));
    if (const auto kind = KindWritten(joined)) {
      return KindInPath{*kind, second == std::string_view::npos ? std::string_view() : rest.substr(second + 1)};
    }
  }
  const auto kind = KindWritten(first);
  return kind ? std::optional(KindInPath{*kind, rest}) : std::nullopt;
}

absl::StatusOr<FeatureRef> FindField(const FeatureRegistry& fields, std::string_view name) {
  auto field = fields.Find(name);
  if (field.ok()) return field;
  auto id = fields.Find(absl::StrCat(std::string(name), "_id"));
  return id.ok() ? id : field;
}

std::string NoField(EventKind kind, std::string_view name) {
  const EventFields& fields = EventFields::Of(kind);
  std::vector<std::string_view> names;
  for (const FeatureRef& field : fields.registry().all()) names.push_back(field.description().name);
  std::string meant = DidYouMean(name, names);
  if (meant.empty()) meant = absl::StrCat("; it has ", fields.Names());
  return absl::StrCat(std::string(EventKindName(kind)), " has no field ", std::string(name), meant);
}

std::string DidYouMeanKind(std::string_view name) {
  std::string wanted(name);
  for (char& c : wanted) c = c == '.' ? '_' : c;
  std::vector<std::string_view> names;
  for (const EventKind of : EventFields::Kinds()) {
    const std::string kind(EventKindName(of));
    if (kind == wanted || absl::StartsWith(kind, absl::StrCat(wanted, "_"))) return "; did you mean " + kind;
    names.push_back(EventKindName(of));
  }
  return DidYouMean(wanted, names);
}

}  // namespace portrait::rules
