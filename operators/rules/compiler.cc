#include "operators/rules/compiler.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "operators/distinct_values.h"
#include "operators/rules/kinds.h"

namespace portrait::rules {
namespace {

using Form = Expression::Form;

std::optional<Relation> RelationOf(std::string_view sign) {
  if (sign == "<") return Relation::kLess;
  if (sign == "<=") return Relation::kAtMost;
  if (sign == ">") return Relation::kMore;
  if (sign == ">=") return Relation::kAtLeast;
  if (sign == "==") return Relation::kEqual;
  if (sign == "!=") return Relation::kOther;
  return std::nullopt;
}

Op ArithmeticOf(char sign) {
  switch (sign) {
    case '+': return Op::kAdd;
    case '-': return Op::kSubtract;
    case '*': return Op::kMultiply;
    case '/': return Op::kDivide;
    default: return Op::kRemainder;
  }
}

// What two kinds make together, or nothing when they make nothing.
std::optional<Kind> Together(Op op, Kind a, Kind b) {
  if (a == b && IsNumber(a)) {
    return op == Op::kRemainder && a == Kind::kFraction ? std::nullopt : std::optional<Kind>(a);
  }
  if (a == Kind::kDuration && b == Kind::kDuration && (op == Op::kAdd || op == Op::kSubtract)) return Kind::kDuration;
  if (a == Kind::kTime && b == Kind::kDuration && (op == Op::kAdd || op == Op::kSubtract)) return Kind::kTime;
  if (a == Kind::kDuration && b == Kind::kTime && op == Op::kAdd) return Kind::kTime;
  if (a == Kind::kTime && b == Kind::kTime && op == Op::kSubtract) return Kind::kDuration;
  return std::nullopt;
}

std::string ContentOf(const Node& n) {
  std::string key;
  const auto add = [&](const auto& value) { key.append(reinterpret_cast<const char*>(&value), sizeof value); };
  add(n.op), add(n.kind), add(n.relation), add(n.a), add(n.b), add(n.c), add(n.constant.kind);
  if (n.constant.kind == Kind::kText) {
    key.append(n.constant.text, n.constant.size);
  } else {
    add(n.constant.whole);
  }
  return key;
}

}  // namespace

absl::StatusOr<int32_t> Compiler::Condition(std::string_view source, const Scope& scope) {
  const auto compiled = Compile(source, scope);
  if (!compiled.ok()) return compiled.status();
  if (compiled->kind != Kind::kTruth || compiled->items >= 0) {
    return MistakeAt(source, 0, absl::StrCat("a condition must be true or false, this is ", Words(*compiled)));
  }
  return compiled->node;
}

absl::StatusOr<int32_t> Compiler::Anything(std::string_view source, const Scope& scope) {
  const auto compiled = Compile(source, scope);
  if (!compiled.ok()) return compiled.status();
  if (compiled->items >= 0) {
    const absl::Status mistake = MistakeAt(source, 0, "a list alone is no value; see size(), exists() and all()");
    return absl::UnimplementedError(mistake.message());
  }
  return compiled->node;
}

absl::StatusOr<Compiler::Typed> Compiler::Compile(std::string_view source, const Scope& scope) {
  const auto tree = ParseExpression(source);
  if (!tree.ok()) return tree.status();
  source_ = source;
  scope_ = scope;
  error_ = absl::OkStatus();
  loops_.clear();
  loops_.push_back({scope.each ? "item" : "", scope.each ? program_.FeatureIndex(*scope.each) : -1});
  const Checked checked = Check(**tree);
  if (!checked) return error_;
  return *checked;
}

Compiler::Checked Compiler::Fail(const Expression& e, std::string_view what) {
  if (error_.ok()) error_ = MistakeAt(source_, e.begin, what);
  return std::nullopt;
}

// CEL, but not for conditions of rules.
Compiler::Checked Compiler::LeftOut(const Expression& e, std::string_view what) {
  if (error_.ok()) error_ = absl::UnimplementedError(MistakeAt(source_, e.begin, what).message());
  return std::nullopt;
}

Compiler::Checked Compiler::Constant(Scalar value) {
  Node node;
  node.op = Op::kConstant;
  node.kind = value.kind;
  node.constant = value;
  return Make(node);
}

// Equal nodes are one. What has constants only is computed now, unless that is an error: it stays one at run time.
Compiler::Checked Compiler::Make(Node node, Measure measure) {
  if (node.op != Op::kConstant) {
    bool constant = node.op != Op::kFeature && node.op != Op::kNow && node.op != Op::kSince && node.op != Op::kColumn &&
                    node.op != Op::kItemName && node.op != Op::kHasFeature && node.op != Op::kHasColumn &&
                    node.op != Op::kHasSince;
    const bool list = node.op == Op::kExists || node.op == Op::kAll || node.op == Op::kExistsOne ||
                      node.op == Op::kCount || node.op == Op::kInItems;
    const auto look_at = [&](int32_t part) {
      if (part < 0) return;
      const Node& operand = program_.nodes[static_cast<size_t>(part)];
      node.local = node.local || operand.local;
      constant = constant && operand.op == Op::kConstant;
    };
    if (constant && !list) {
      look_at(node.a);
      if (node.op == Op::kIn) {
        for (int32_t i = node.b; i < node.c; ++i) look_at(program_.elements[static_cast<size_t>(i)]);
      } else {
        look_at(node.b);
        look_at(node.c);
      }
    } else if (list) {
      constant = false;
      look_at(node.b);  // what the body says of its own item is local, too: to be on the safe side
    }
    if (constant) {
      static const RowState* const kNoRow = new RowState();
      const FeatureReader nothing(*kNoRow, {});
      program_.nodes.push_back(node);
      const Scalar value = Evaluation(program_, nothing, {}, Scratch::OfThisThread())
                               .Run(static_cast<int32_t>(program_.nodes.size()) - 1);
      program_.nodes.pop_back();
      if (!value.failed() && !value.lower) return Constant(value);
    }
  }
  const std::string content = ContentOf(node);
  const auto [known, fresh] = program_.known.emplace(content, static_cast<int32_t>(program_.nodes.size()));
  if (fresh) {
    program_.nodes.push_back(node);
  } else {
    Node& shared = program_.nodes[static_cast<size_t>(known->second)];
    if (shared.memo < 0 && !shared.local && shared.op != Op::kConstant && shared.op != Op::kNow) {
      shared.memo = program_.memos++;
    }
  }
  return Typed{.node = known->second, .kind = node.kind, .measure = measure, .unit = "", .items = -1};
}

Compiler::Checked Compiler::Check(const Expression& e) {
  switch (e.form) {
    case Form::kWhole: return Constant(Scalar::Whole(e.whole));
    case Form::kFraction: return Constant(Scalar::Fraction(e.fraction));
    case Form::kTruth: return Constant(Scalar::Truth(e.truth));
    case Form::kText: return Constant(Scalar::Text(program_.texts.emplace_back(e.text)));
    case Form::kName: return Name(e);
    case Form::kField: return Field(e);
    case Form::kCall: return Call(e);
    case Form::kMethod: return Method(e);
    case Form::kList: return LeftOut(e, "in a rule a list stands only behind `in`");
    case Form::kMap: return LeftOut(e, "there are no maps in rules");
    case Form::kIndex: return LeftOut(e, "no element is taken out of a list in rules; see exists() and all()");
    case Form::kUnsigned: return LeftOut(e, "there are no unsigned numbers in rules; leave the u away");
    case Form::kBytes: return LeftOut(e, "there are no bytes in rules; leave the b away");
    case Form::kNull: return LeftOut(e, "there is no null in rules; write has(…) to ask whether there is a value");
    case Form::kUnary: return Unary(e);
    case Form::kBinary: return Binary(e);
    case Form::kConditional: return Conditional(e);
  }
  return std::nullopt;
}

std::string Compiler::Words(const Typed& value) const {
  if (value.items >= 0) return "a list";
  std::string words(WordFor(value.kind));
  switch (value.measure) {
    case Measure::kNone: break;
    case Measure::kMoney: words = "an amount of money"; break;
    case Measure::kIncome: words = "an income"; break;
    case Measure::kDays: words = "a number of days"; break;
    case Measure::kCount: words = value.unit.empty() ? "a count" : absl::StrCat("a number of ", value.unit); break;
  }
  const Node& node = program_.nodes[static_cast<size_t>(value.node)];
  if (node.op != Op::kFeature) return words;
  return absl::StrCat(program_.features[static_cast<size_t>(node.a)].description().name, ", ", words);
}

// As it stands in the text, without the blanks that may follow it.
std::string Compiler::Written(const Expression& e) const {
  std::string text(source_.substr(e.begin, e.end - e.begin));
  while (!text.empty() && absl::ascii_isspace(static_cast<unsigned char>(text.back()))) text.pop_back();
  return text;
}

bool Compiler::IsConstant(const Typed& value) const {
  return value.node >= 0 && program_.nodes[static_cast<size_t>(value.node)].op == Op::kConstant;
}

// Takes a whole number that stands in the text as a fraction.
bool Compiler::AsFraction(Typed& value) {
  if (!IsConstant(value) || value.kind != Kind::kWhole) return false;
  constexpr int64_t kExact = int64_t{1} << 53;  // beyond this a fraction cannot hold every whole number
  const int64_t whole = program_.nodes[static_cast<size_t>(value.node)].constant.whole;
  if (whole > kExact || whole < -kExact) return false;
  value = *Constant(Scalar::Fraction(static_cast<double>(whole)));
  return true;
}

// Beside a fraction, a whole number that stands in the text is one, too.
void Compiler::AlignFractions(Typed& a, Typed& b) {
  if (a.kind == Kind::kFraction) AsFraction(b);
  if (b.kind == Kind::kFraction) AsFraction(a);
}

bool Compiler::UnitsAgree(const Expression& e, const Typed& a, const Typed& b) {
  if (a.measure == Measure::kNone || b.measure == Measure::kNone || a.measure == b.measure) return true;
  Fail(e, absl::StrCat("units do not go together: ", Words(a), "; ", Words(b)));
  return false;
}

Compiler::Checked Compiler::Truth(const Expression& e, std::string_view where) {
  Checked value = Check(e);
  if (!value) return value;
  if (value->items >= 0 || value->kind != Kind::kTruth) {
    return Fail(e, absl::StrCat(std::string(where), " needs true or false, this is ", Words(*value)));
  }
  return value;
}

Compiler::Checked Compiler::Unary(const Expression& e) {
  Node node;
  if (e.text == "!") {
    const Checked operand = Truth(*e.parts[0], "!");
    if (!operand) return operand;
    node.op = Op::kNot;
    node.kind = Kind::kTruth;
    node.a = operand->node;
    return Make(node);
  }
  const Checked operand = Check(*e.parts[0]);
  if (!operand) return operand;
  if (!IsNumber(operand->kind)) return Fail(e, absl::StrCat("- needs a number, this is ", Words(*operand)));
  node.op = Op::kNegate;
  node.kind = operand->kind;
  node.a = operand->node;
  return Make(node, operand->measure);
}

Compiler::Checked Compiler::Binary(const Expression& e) {
  if (e.text == "&&" || e.text == "||") return Logic(e);
  if (e.text == "in") return In(e);
  return RelationOf(e.text) ? Compare(e) : Arithmetic(e);
}

Compiler::Checked Compiler::Logic(const Expression& e) {
  const Checked a = Truth(*e.parts[0], e.text);
  if (!a) return a;
  const Checked b = Truth(*e.parts[1], e.text);
  if (!b) return b;
  Node node;
  node.op = e.text == "&&" ? Op::kAnd : Op::kOr;
  node.kind = Kind::kTruth;
  node.a = a->node;
  node.b = b->node;
  return Make(node);
}

// Whether `limit` is a number that the first, a distinct(…), never reaches.
bool Compiler::BeyondDistinct(const Typed& value, const Typed& limit) const {
  if (value.unit != kDistinctUnit || !IsConstant(limit)) return false;
  const Scalar& constant = program_.nodes[static_cast<size_t>(limit.node)].constant;
  return constant.kind == Kind::kWhole ? constant.whole > kDistinctMost : constant.fraction > kDistinctMost;
}

Compiler::Checked Compiler::Compare(const Expression& e) {
  const auto relation = RelationOf(e.text);
  for (const auto& part : e.parts) {
    if (part->form == Form::kBinary && RelationOf(part->text) && *relation < Relation::kEqual) {
      return Fail(*part, "comparisons do not follow one another; join them by &&: 1 < x && x < 9");
    }
  }
  Checked a = Check(*e.parts[0]);
  if (!a) return a;
  Checked b = Check(*e.parts[1]);
  if (!b) return b;
  if (a->items >= 0 || b->items >= 0) return LeftOut(e, "a list cannot be compared; see size(), exists() and all()");
  if (a->kind != b->kind && !(IsNumber(a->kind) && IsNumber(b->kind))) {
    const bool first = a->kind == Kind::kDuration;
    const Typed& other = first ? *b : *a;
    if ((first || b->kind == Kind::kDuration) && IsNumber(other.kind)) {
      const Expression& at = *e.parts[first ? 1 : 0];
      const std::string written = Written(at);
      if (other.measure == Measure::kDays) {
        return Fail(at, absl::StrCat("this is already a number of days; compare it with a number: ", written));
      }
      return Fail(at,
                  absl::StrCat("a length of time needs a unit; use days(", IsConstant(other) ? written : "60", ")"));
    }
    const bool time_first = a->kind == Kind::kTime;
    if ((time_first || b->kind == Kind::kTime) && (time_first ? b : a)->kind == Kind::kDuration) {
      const Expression& at = *e.parts[time_first ? 0 : 1];
      return Fail(at, absl::StrCat("a point in time has no length; use now - ", Written(at)));
    }
    return Fail(e, absl::StrCat("cannot be compared: ", Words(*a), "; ", Words(*b)));
  }
  if (a->kind == Kind::kTruth && *relation < Relation::kEqual) return LeftOut(e, "true and false have no order");
  if (!UnitsAgree(e, *a, *b)) return std::nullopt;
  if (BeyondDistinct(*a, *b) || BeyondDistinct(*b, *a)) {
    return Fail(e, absl::StrCat("distinct counts up to ", kDistinctMost, ", which then means so many or more"));
  }
  AlignFractions(*a, *b);
  Node node;
  node.op = Op::kCompare;
  node.kind = Kind::kTruth;
  node.relation = *relation;
  node.a = a->node;
  node.b = b->node;
  return Make(node);
}

Compiler::Checked Compiler::Arithmetic(const Expression& e) {
  Checked a = Check(*e.parts[0]);
  if (!a) return a;
  Checked b = Check(*e.parts[1]);
  if (!b) return b;
  if (a->items >= 0 || b->items >= 0) return LeftOut(e, "lists cannot be reckoned with; see size()");
  AlignFractions(*a, *b);
  const Op op = ArithmeticOf(e.text[0]);
  const auto kind = Together(op, a->kind, b->kind);
  if (!kind) {
    if (IsNumber(a->kind) && IsNumber(b->kind)) {
      if (op == Op::kRemainder) return Fail(e, "% is for whole numbers");
      const size_t whole = a->kind == Kind::kWhole ? 0 : 1;
      const Expression& at = *e.parts[whole];
      return Fail(at, absl::StrCat("whole numbers and fractions do not mix; use double(", Written(at), ")"));
    }
    if (a->kind == Kind::kText && b->kind == Kind::kText && op == Op::kAdd) {
      return LeftOut(e, "texts are not joined in rules");
    }
    const bool time_and_number =
        (IsNumber(a->kind) && b->kind >= Kind::kTime) || (IsNumber(b->kind) && a->kind >= Kind::kTime);
    return Fail(e, absl::StrCat(e.text, " does not go with ", Words(*a), "; ", Words(*b),
                                time_and_number ? "; a length of time needs a unit, such as days(60)" : ""));
  }
  Measure measure = Measure::kNone;
  if (op == Op::kAdd || op == Op::kSubtract) {
    if (!UnitsAgree(e, *a, *b)) return std::nullopt;
    measure = a->measure == Measure::kNone ? b->measure : a->measure;
  } else if (IsConstant(*a)) {
    measure = op == Op::kMultiply ? b->measure : Measure::kNone;
  } else if (IsConstant(*b)) {
    measure = a->measure;
  }
  Node node;
  node.op = op;
  node.kind = *kind;
  node.a = a->node;
  node.b = b->node;
  Checked out = Make(node, measure);
  if (measure == Measure::kCount && (a->unit.empty() || b->unit.empty() || a->unit == b->unit)) {
    out->unit = a->unit.empty() ? b->unit : a->unit;
  }
  return out;
}

Compiler::Checked Compiler::In(const Expression& e) {
  Checked a = Check(*e.parts[0]);
  if (!a) return a;
  if (a->items >= 0) return Fail(*e.parts[0], "a list is in no list");
  Node node;
  node.kind = Kind::kTruth;
  if (e.parts[1]->form != Form::kList) {
    const Checked list = Check(*e.parts[1]);
    if (!list) return list;
    if (list->items < 0) return Fail(*e.parts[1], absl::StrCat("`in` needs a list, this is ", Words(*list)));
    if (a->kind != Kind::kText) return Fail(*e.parts[0], "elements of a list are found by their names: a text");
    node.op = Op::kInItems;
    node.a = list->items;
    node.b = a->node;
    return Make(node);
  }
  std::vector<int32_t> elements;
  for (const auto& part : e.parts[1]->parts) {
    Checked element = Check(*part);
    if (!element) return element;
    if (a->kind == Kind::kFraction) AsFraction(*element);
    const bool numbers = IsNumber(a->kind) && IsNumber(element->kind);
    if (element->items >= 0 || (element->kind != a->kind && !numbers)) {
      return Fail(*part, absl::StrCat("cannot be compared: ", Words(*a), "; ", Words(*element)));
    }
    elements.push_back(element->node);
  }
  node.op = Op::kIn;
  node.a = a->node;
  // The same list elsewhere is the same elements, so that equal conditions are one.
  auto& all = program_.elements;
  auto at = std::search(all.begin(), all.end(), elements.begin(), elements.end());
  if (at == all.end()) at = all.insert(all.end(), elements.begin(), elements.end());
  node.b = static_cast<int32_t>(at - all.begin());
  node.c = node.b + static_cast<int32_t>(elements.size());
  return Make(node);
}

Compiler::Checked Compiler::Conditional(const Expression& e) {
  const Checked condition = Truth(*e.parts[0], "?");
  if (!condition) return condition;
  Checked a = Check(*e.parts[1]);
  if (!a) return a;
  Checked b = Check(*e.parts[2]);
  if (!b) return b;
  if (a->items >= 0 || b->items >= 0) return LeftOut(e, "? : does not choose between lists");
  AlignFractions(*a, *b);
  if (a->kind != b->kind) {
    return Fail(e, absl::StrCat("both sides of : must be alike: ", Words(*a), "; ", Words(*b)));
  }
  if (!UnitsAgree(e, *a, *b)) return std::nullopt;
  Node node;
  node.op = Op::kIf;
  node.kind = a->kind;
  node.a = condition->node;
  node.b = a->node;
  node.c = b->node;
  return Make(node, a->measure);
}

}  // namespace portrait::rules
