#include "pipeline/tools/row_mapper.h"

#include <algorithm>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "pipeline/absl_view.h"
#include "pipeline/tools/decimal.h"

namespace portrait {

namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

constexpr int64_t kMicros = 1'000'000;

std::string Quoted(std::string_view text) {
  return absl::StrCat("\"", AbslView(text.substr(0, 60)), text.size() > 60 ? "..." : "", "\"");
}

const google::protobuf::Descriptor* BodyOf(EventKind kind) {
  return Event::descriptor()->FindFieldByNumber(static_cast<int>(kind))->message_type();
}

// The message inside `body` that the last field of the path belongs to. Of repeated messages the one that is being
// made.
Message& Inner(const std::vector<const FieldDescriptor*>& path, Message& body) {
  Message* at = &body;
  for (size_t i = 0; i + 1 < path.size(); ++i) {
    const auto* reflection = at->GetReflection();
    if (!path[i]->is_repeated()) {
      at = reflection->MutableMessage(at, path[i]);
    } else if (reflection->FieldSize(*at, path[i]) == 0) {
      at = reflection->AddMessage(at, path[i]);
    } else {
      at = reflection->MutableRepeatedMessage(at, path[i], 0);
    }
  }
  return *at;
}

v1::Order* OrderOf(Event& event) {
  switch (event.body_case()) {
    case Event::kOrderCompleted: return event.mutable_order_completed();
    case Event::kOrderRefunded: return event.mutable_order_refunded();
    case Event::kOrderCancelled: return event.mutable_order_cancelled();
    default: return nullptr;
  }
}

}  // namespace

absl::StatusOr<std::unique_ptr<RowMapper>> RowMapper::Create(Mapping mapping, std::string file) {
  if (absl::Status status = CheckMapping(mapping); !status.ok()) return status;
  std::unique_ptr<RowMapper> mapper(new RowMapper(std::move(mapping), std::move(file)));
  const Mapping& of = mapper->mapping_;
  mapper->customer_ = mapper->Column(of.customer);
  mapper->time_ = mapper->Column(of.time.column);
  if (!of.event_column.empty()) mapper->event_ = mapper->Column(of.event_column);
  if (!of.event_id.empty()) mapper->event_id_ = mapper->Column(of.event_id);
  if (!of.group.empty()) mapper->group_ = mapper->Column(of.group);
  for (const RowCondition& condition : of.where) mapper->conditions_.push_back(mapper->Column(condition.column));
  // %Y alone would read all the digits of 19970101.
  mapper->time_format_ = absl::StrReplaceAll(of.time.format, {{"%Y", "%E4Y"}});

  std::vector<bool> known(of.fields.size());
  absl::Status status;
  if (of.event_column.empty()) {
    status = mapper->AddTargets(of.event, known);
  } else {  // any kind may come, and sets those of the fields that it has
    for (int number = 0; number < kEventKinds && status.ok(); ++number) {
      const auto* field = Event::descriptor()->FindFieldByNumber(number);
      if (field != nullptr && field->containing_oneof() != nullptr)
        status = mapper->AddTargets(static_cast<EventKind>(number), known);
    }
  }
  if (!status.ok()) return status;
  const auto unknown = std::find(known.begin(), known.end(), false);
  if (unknown != known.end()) {
    const FieldMapping& field = of.fields[static_cast<size_t>(unknown - known.begin())];
    const std::string kind(of.event_column.empty() ? EventKindName(of.event) : std::string_view("event"));
    return absl::InvalidArgumentError(absl::StrCat("no ", kind, " has this field (see event.proto): ", field.field));
  }
  return mapper;
}

absl::Status RowMapper::AddTargets(EventKind kind, std::vector<bool>& known) {
  std::vector<Target>& targets = targets_[static_cast<int>(kind)];
  for (size_t i = 0; i < mapping_.fields.size(); ++i) {
    auto target = FindTarget(kind, mapping_.fields[i]);
    if (absl::IsNotFound(target.status())) continue;
    if (!target.ok()) return target.status();
    known[i] = true;
    targets.push_back(*std::move(target));
  }
  return absl::OkStatus();
}

absl::StatusOr<RowMapper::Target> RowMapper::FindTarget(EventKind kind, const FieldMapping& field) {
  Target target;
  target.source = field.source;
  const auto* message = BodyOf(kind);
  const std::vector<std::string> names = absl::StrSplit(field.field, '.');
  for (const std::string& name : names) {
    const FieldDescriptor* found = nullptr;
    if (message != nullptr) {
      found = message->FindFieldByName(name);
      if (found == nullptr) {
        found = message->FindFieldByName(name + "_micros");
        if (found != nullptr) target.unit = Target::Unit::kMoney;
      }
      if (found == nullptr) {
        found = message->FindFieldByName(name + "_us");
        if (found != nullptr) target.unit = Target::Unit::kSeconds;
      }
    }
    if (found == nullptr) return absl::NotFoundError(field.field);
    target.path.push_back(found);
    message = found->message_type();
  }
  const FieldDescriptor* last = target.path.back();
  if (last->message_type() != nullptr || last->is_repeated()) {
    return absl::InvalidArgumentError(
        absl::StrCat("this field has fields of its own, name one of them: ", field.field));
  }
  if (last->name().ends_with("_micros")) target.unit = Target::Unit::kMoney;
  if (target.source.kind == ValueSource::Kind::kColumn) target.columns.push_back(Column(target.source.text));
  for (const std::string& factor : target.source.factors) {
    if (!ParseMicros(factor)) target.columns.push_back(Column(factor));
  }
  return target;
}

size_t RowMapper::Column(const std::string& name) {
  const auto found = std::find(columns_.begin(), columns_.end(), name);
  if (found != columns_.end()) return static_cast<size_t>(found - columns_.begin());
  columns_.push_back(name);
  return columns_.size() - 1;
}

std::string_view RowMapper::Value(const TableRow& row, size_t column) {
  const auto& value = row.values[column];
  return value ? std::string_view(*value) : std::string_view();
}

RowMapper::Outcome RowMapper::Reject(std::string code, std::string detail) {
  reason_ = std::move(code);
  detail_ = std::move(detail);
  return Outcome::kRejected;
}

RowMapper::Outcome RowMapper::Map(const TableRow& row, Event& event, std::string& group) {
  if (!row.problem.empty()) return Reject(row.problem, row.detail);
  for (size_t i = 0; i < conditions_.size(); ++i) {
    const RowCondition& condition = mapping_.where[i];
    bool good = true;
    if (Holds(condition, conditions_[i], row, good)) continue;
    if (!good)
      return Reject("bad_number",
                    absl::StrCat(condition.column, " is no number: ", Quoted(Value(row, conditions_[i]))));
    reason_ = condition.text;
    detail_.clear();
    return Outcome::kLeftOut;
  }
  if (Value(row, customer_).empty()) return Reject("missing_customer", mapping_.customer + " is empty");
  const auto time_us = TimeOf(Value(row, time_));
  if (!time_us)
    return Reject("bad_time", absl::StrCat(mapping_.time.column, " is no time as ", mapping_.time.format, ": ",
                                           Quoted(Value(row, time_))));
  const auto kind = KindOf(row);
  if (!kind)
    return Reject("unknown_event",
                  absl::StrCat(mapping_.event_column, " is no kind of event: ", Quoted(Value(row, event_))));

  const std::string place = absl::StrCat(file_, ":", row.line);
  event.Clear();
  event.set_customer_id(std::string(Value(row, customer_)));
  event.set_event_time_us(*time_us);
  event.set_event_id(mapping_.event_id.empty() ? place : std::string(Value(row, event_id_)));
  if (event.event_id().empty()) return Reject("missing_event_id", mapping_.event_id + " is empty");
  const auto* reflection = Event::GetReflection();
  Message& body = *reflection->MutableMessage(&event, Event::descriptor()->FindFieldByNumber(static_cast<int>(*kind)));
  for (const Target& target : targets_[static_cast<int>(*kind)]) {
    if (!SetField(target, row, body)) return Outcome::kRejected;
  }
  if (v1::Order* order = OrderOf(event); order != nullptr && order->order_id().empty()) order->set_order_id(place);
  group.assign(mapping_.group.empty() ? std::string_view() : Value(row, group_));
  return Outcome::kEvent;
}

bool RowMapper::Holds(const RowCondition& condition, size_t column, const TableRow& row, bool& good) {
  using Test = RowCondition::Test;
  const std::string_view value = Value(row, column);
  const auto left = ParseMicros(value, mapping_.decimal_mark), right = ParseMicros(condition.operand);
  const bool numbers = left && right;
  switch (condition.test) {
    case Test::kEqual: return numbers ? *left == *right : value == condition.operand;
    case Test::kNotEqual: return numbers ? *left != *right : value != condition.operand;
    case Test::kStarts: return value.starts_with(condition.operand);
    case Test::kStartsNot: return !value.starts_with(condition.operand);
    case Test::kEmpty: return value.empty();
    case Test::kNotEmpty: return !value.empty();
    default: break;
  }
  if (!numbers) {
    // A date of the form 2026-01-31 compares as text; against a number only numbers do.
    if (right) return good = false;
    switch (condition.test) {
      case Test::kLess: return value < condition.operand;
      case Test::kLessOrEqual: return value <= condition.operand;
      case Test::kGreater: return value > condition.operand;
      default: return value >= condition.operand;
    }
  }
  switch (condition.test) {
    case Test::kLess: return *left < *right;
    case Test::kLessOrEqual: return *left <= *right;
    case Test::kGreater: return *left > *right;
    default: return *left >= *right;
  }
}

std::optional<EventKind> RowMapper::KindOf(const TableRow& row) {
  if (mapping_.event_column.empty()) return mapping_.event;
  const std::string name(Value(row, event_));
  const auto found = mapping_.event_names.find(name);
  return found != mapping_.event_names.end() ? found->second : EventKindNamed(name);
}

std::optional<int64_t> RowMapper::TimeOf(std::string_view text) {
  const std::string& format = mapping_.time.format;
  if (format == "unix") return ParseMicros(text);
  if (format == "unix_ms" || format == "unix_us") {
    int64_t number = 0;
    if (!absl::SimpleAtoi(AbslView(text), &number) || number > INT64_MAX / 1000 || number < INT64_MIN / 1000)
      return std::nullopt;
    return format == "unix_ms" ? number * 1000 : number;
  }
  absl::Time time;
  std::string error;
  if (format != "iso8601") {
    if (!absl::ParseTime(time_format_, AbslView(text), mapping_.time.zone, &time, &error)) return std::nullopt;
    return absl::ToUnixMicros(time);
  }
  for (const char* shape : {"%E4Y-%m-%d%ET%H:%M:%E*S%Ez", "%E4Y-%m-%d%ET%H:%M:%E*S", "%E4Y-%m-%d %H:%M:%E*S%Ez",
                            "%E4Y-%m-%d %H:%M:%E*S", "%E4Y-%m-%d %H:%M", "%E4Y-%m-%d"}) {
    if (absl::ParseTime(shape, AbslView(text), mapping_.time.zone, &time, &error)) return absl::ToUnixMicros(time);
  }
  return std::nullopt;
}

std::optional<std::string> RowMapper::TextOf(const Target& target, const TableRow& row) {
  if (target.source.kind == ValueSource::Kind::kConstant) return target.source.text;
  if (target.source.kind == ValueSource::Kind::kColumn) return std::string(Value(row, target.columns[0]));
  return std::nullopt;
}

std::optional<int64_t> RowMapper::MicrosOf(const Target& target, const TableRow& row) {
  if (target.source.kind != ValueSource::Kind::kProduct) {
    return ParseMicros(*TextOf(target, row),
                       target.source.kind == ValueSource::Kind::kConstant ? '.' : mapping_.decimal_mark);
  }
  int64_t product = kMicros;
  size_t column = 0;
  for (const std::string& factor : target.source.factors) {
    auto number = ParseMicros(factor);
    if (!number) number = ParseMicros(Value(row, target.columns[column++]), mapping_.decimal_mark);
    if (!number) return std::nullopt;
    const auto next = MultiplyMicros(product, *number);
    if (!next) return std::nullopt;
    product = *next;
  }
  return product;
}

bool RowMapper::SetField(const Target& target, const TableRow& row, Message& body) {
  const FieldDescriptor* field = target.path.back();
  const auto text = TextOf(target, row);
  if (text && text->empty()) return true;  // nothing is said
  Message& message = Inner(target.path, body);
  const auto* reflection = message.GetReflection();
  if (field->cpp_type() == FieldDescriptor::CPPTYPE_STRING) {
    if (text) {
      reflection->SetString(&message, field, *text);
      return true;
    }
    Reject("bad_field", absl::StrCat(field->name(), " is a text and cannot be a product"));
    return false;
  }
  if (field->cpp_type() == FieldDescriptor::CPPTYPE_ENUM) {
    const auto* value = text ? field->enum_type()->FindValueByName(*text) : nullptr;
    if (value != nullptr) {
      reflection->SetEnum(&message, field, value);
      return true;
    }
    Reject("bad_field", absl::StrCat(field->name(), " is none of its values: ", Quoted(text.value_or(""))));
    return false;
  }
  const auto micros = MicrosOf(target, row);
  const bool whole = target.unit == Target::Unit::kAsIs;
  const bool fits =
      micros && (!whole || field->cpp_type() == FieldDescriptor::CPPTYPE_DOUBLE || *micros % kMicros == 0);
  if (!fits) {
    Reject(target.unit == Target::Unit::kMoney ? "bad_amount" : "bad_number",
           absl::StrCat(field->name(),
                        whole ? " is no such number: " : " is no number: ", Quoted(text.value_or("a product"))));
    return false;
  }
  switch (field->cpp_type()) {
    case FieldDescriptor::CPPTYPE_INT64:
      reflection->SetInt64(&message, field, whole ? *micros / kMicros : *micros);
      break;
    case FieldDescriptor::CPPTYPE_INT32:
      reflection->SetInt32(&message, field, static_cast<int32_t>(*micros / kMicros));
      break;
    default: reflection->SetDouble(&message, field, static_cast<double>(*micros) / static_cast<double>(kMicros));
  }
  return true;
}

bool RowMapper::Join(const Event& more, Event& event) {
  v1::Order* order = OrderOf(event);
  Event copy = more;
  const v1::Order* added = OrderOf(copy);
  if (order == nullptr || added == nullptr) return true;  // the first row says it all
  int64_t total = 0;
  if (__builtin_add_overflow(order->total_micros(), added->total_micros(), &total)) return false;
  order->set_total_micros(total);
  order->mutable_products()->MergeFrom(added->products());
  return true;
}

}  // namespace portrait
