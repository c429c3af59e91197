// The functions over windows of events: count, sum, distinct, first, last, after. See operators/rules/compiler.h.
#include "absl/strings/str_cat.h"
#include "operators/rules/compiler.h"
#include "operators/rules/event_fields.h"
#include "operators/rules/kinds.h"
#include "operators/rules/normal_text.h"

namespace portrait::rules {
namespace {

using Form = Expression::Form;

struct Signature {
  EventFunction function;
  bool field;
  bool length;
  std::string_view form;
};

Signature SignatureOf(std::string_view name) {
  if (name == "count") return {EventFunction::kCount, false, true, "count(page_viewed, \"7d\")"};
  if (name == "sum") return {EventFunction::kSum, true, true, "sum(order_completed.total, \"90d\")"};
  if (name == "distinct") return {EventFunction::kDistinct, true, true, "distinct(page_viewed.path, \"30d\")"};
  if (name == "first") return {EventFunction::kFirst, false, false, "first(order_completed)"};
  return {EventFunction::kLast, false, false, "last(email_opened)"};
}

constexpr std::string_view kAfterForm = "after(product_added, \"2h\", absent(order_completed))";

}  // namespace

// FUNCTION(kind or kind.field[, "length"][, filter])
Compiler::Checked Compiler::Window(const Expression& e) {
  if (scope_.fields_of) return Fail(e, "a filter looks at one event, so there are no windows in it");
  if (e.text == "absent") return Fail(e, absl::StrCat("stands only in after(): ", std::string(kAfterForm)));
  const Signature signature = SignatureOf(e.text);
  const size_t needed = signature.length ? 2 : 1;
  if (e.parts.size() < needed || e.parts.size() > needed + 1) {
    return Fail(e, absl::StrCat("write it as ", std::string(signature.form),
                                ", with a filter behind it if need be; given ", e.parts.size()));
  }
  EventWindows::Wanted wanted;
  wanted.function = signature.function;
  if (!Subject(*e.parts[0], signature.field, wanted)) return std::nullopt;
  if (signature.length && !Length(*e.parts[1], wanted)) return std::nullopt;
  if (e.parts.size() > needed) {
    if (!signature.length && e.parts[needed]->form == Form::kText) {
      return Fail(*e.parts[needed], absl::StrCat(e.text, " looks back as far as there is; compare it with now: now - ",
                                                 e.text, "(…) < days(7)"));
    }
    if (!Filter(*e.parts[needed], wanted)) return std::nullopt;
  }
  return Found(e, wanted);
}

// The feature, entered among the windows.
Compiler::Checked Compiler::Found(const Expression& e, const EventWindows::Wanted& wanted) {
  if (scope_.windows == nullptr || !scope_.windows->available())
    return Fail(e, "windows of events are known only to rules");
  const auto feature = scope_.windows->Find(wanted);
  if (!feature.ok()) return Fail(e, std::string(feature.status().message()));
  return OfFeature(*feature);
}

// The kind of event, and where it is wanted the field.
bool Compiler::Subject(const Expression& e, bool with_field, EventWindows::Wanted& wanted) {
  const std::string path = PathOf(e);
  const auto fail = [&](std::string_view what) { return Fail(e, what), false; };
  if (path.empty()) return fail("a kind of event is wanted here, such as page_viewed");
  const auto begin = KindAtBeginOf(path);
  if (!begin) {
    const std::string kind = with_field ? path.substr(0, path.find('.')) : path;
    return fail(absl::StrCat("no such kind of event: ", path, DidYouMeanKind(kind)));
  }
  const std::string name(EventKindName(begin->kind));
  if (begin->kind == Event::kCustomerErased) return fail("after customer_erased nothing is left that could be counted");
  if (!EventFields::HaveWindows(begin->kind)) {
    return fail(absl::StrCat(name, " is no event of the customer's: it is not counted"));
  }
  wanted.kind = begin->kind;
  if (!with_field) {
    if (begin->rest.empty()) return true;
    return fail(absl::StrCat("the kind of event alone is wanted here, without a field: ", name));
  }
  if (begin->rest.empty()) {
    return fail(absl::StrCat("a field is wanted behind the kind of event, ", path,
                             ".…: ", EventFields::Of(begin->kind).Names()));
  }
  return Field(e, begin->rest, wanted);
}

bool Compiler::Field(const Expression& e, std::string_view name, EventWindows::Wanted& wanted) {
  const auto fail = [&](std::string_view what) { return Fail(e, what), false; };
  const auto field = FindField(EventFields::Of(wanted.kind).registry(), name);
  if (!field.ok()) return fail(NoField(wanted.kind, name));
  const Kind kind = KindOf(field->description().type);
  const std::string is(WordFor(kind));
  if (wanted.function == EventFunction::kSum && !IsNumber(kind) && kind != Kind::kDuration) {
    return fail(absl::StrCat("sum needs a number or a length of time, ", std::string(name), " is ", is));
  }
  if (wanted.function == EventFunction::kDistinct && kind != Kind::kText && kind != Kind::kWhole) {
    return fail(absl::StrCat("distinct needs a text or a whole number, ", std::string(name), " is ", is));
  }
  wanted.field = *field;
  return true;
}

bool Compiler::Length(const Expression& e, EventWindows::Wanted& wanted) {
  if (e.form != Form::kText) {
    return Fail(e, "the length of a window is a text in quotes, such as \"7d\", and the same for everybody"), false;
  }
  const auto length = ParseWindowLength(e.text);
  if (!length.ok()) return Fail(e, std::string(length.status().message())), false;
  wanted.length = *length;
  return true;
}

// In the same text, so that a mistake is told with its place; but with the fields of the event for features.
bool Compiler::Filter(const Expression& e, EventWindows::Wanted& wanted) {
  if (scope_.windows == nullptr) return Fail(e, "windows of events are known only to rules"), false;
  Compiler filters(EventFields::Of(wanted.kind).registry(), scope_.windows->filters());
  filters.source_ = source_;
  filters.scope_.fields_of = wanted.kind;
  const Checked filter = filters.Truth(e, "a filter");
  if (!filter) {
    if (error_.ok()) error_ = filters.error_;
    return false;
  }
  wanted.filter = filter->node;
  wanted.filter_text = NormalText(e);
  return true;
}

Compiler::Checked Compiler::LastOf(const Expression& e, const Expression& kind, const Expression* filter) {
  EventWindows::Wanted wanted;
  wanted.function = EventFunction::kLast;
  if (!Subject(kind, false, wanted)) return std::nullopt;
  if (filter != nullptr && !Filter(*filter, wanted)) return std::nullopt;
  return Found(e, wanted);
}

// after(A, "2h", absent(B)) is: 2 hours have passed since the last A, and there has been no B since. Made of the nodes
//   now - last(A) >= 2h && !(has(last(B)) && last(B) >= last(A))
Compiler::Checked Compiler::After(const Expression& e) {
  if (scope_.fields_of) return Fail(e, "a filter looks at one event, so there are no windows in it");
  const bool formed = (e.parts.size() == 3 || e.parts.size() == 4) && e.parts[2]->form == Form::kCall &&
                      e.parts[2]->text == "absent" && !e.parts[2]->parts.empty() && e.parts[2]->parts.size() <= 2;
  if (!formed) {
    return Fail(e, absl::StrCat("write it as ", std::string(kAfterForm),
                                ", with filters if need be: after(…, …, absent(…, "
                                "filter), filter)"));
  }
  const Expression& absent = *e.parts[2];
  EventWindows::Wanted length;
  if (!Length(*e.parts[1], length)) return std::nullopt;
  const Checked begin = LastOf(e, *e.parts[0], e.parts.size() == 4 ? e.parts[3].get() : nullptr);
  if (!begin) return begin;
  const Checked end = LastOf(absent, *absent.parts[0], absent.parts.size() == 2 ? absent.parts[1].get() : nullptr);
  if (!end) return end;

  const auto make = [&](Op op, Kind kind, int32_t a, int32_t b = -1, Relation relation = Relation::kEqual) {
    Node node;
    node.op = op;
    node.kind = kind;
    node.relation = relation;
    node.a = a;
    node.b = b;
    return Make(node)->node;
  };
  Node has = program_.nodes[static_cast<size_t>(end->node)];
  has.op = Op::kHasFeature;
  has.kind = Kind::kTruth;
  has.memo = -1;
  const int32_t now = make(Op::kNow, Kind::kTime, -1);
  const int32_t passed = make(Op::kSubtract, Kind::kDuration, now, begin->node);
  const int32_t limit = Constant(Scalar::Whole(length.length->exact.count(), Kind::kDuration))->node;
  const int32_t over = make(Op::kCompare, Kind::kTruth, passed, limit, Relation::kAtLeast);
  const int32_t since = make(Op::kCompare, Kind::kTruth, end->node, begin->node, Relation::kAtLeast);
  const int32_t came = make(Op::kAnd, Kind::kTruth, Make(has)->node, since);
  return Typed{
      .node = make(Op::kAnd, Kind::kTruth, over, make(Op::kNot, Kind::kTruth, came)), .kind = Kind::kTruth, .unit = ""};
}

}  // namespace portrait::rules
