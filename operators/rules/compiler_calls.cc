// The functions of conditions: has, size, days, startsWith, exists and so on. See operators/rules/compiler.h.
#include <algorithm>
#include <array>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "operators/nearest_name.h"
#include "operators/rules/compiler.h"
#include "operators/rules/interpreter.h"
#include "operators/rules/kinds.h"
#include "operators/rules/regular_expression.h"
#include "operators/rules/time_parts.h"

namespace portrait::rules {
namespace {

using Form = Expression::Form;

constexpr int64_t kSecond = 1'000'000;
constexpr int64_t kMinute = 60 * kSecond;
constexpr int64_t kHour = 60 * kMinute;
constexpr int64_t kDay = 24 * kHour;

constexpr std::array<std::string_view, 10> kFunctions = {"has",     "size",     "days",      "hours",  "minutes",
                                                         "seconds", "duration", "timestamp", "double", "int"};
constexpr std::array<std::string_view, 10> kMethods = {"startsWith", "endsWith", "contains", "matches",    "lowerAscii",
                                                       "size",       "exists",   "all",      "exists_one", "filter"};

constexpr std::array<std::string_view, 7> kWindowFunctions = {"count", "sum",   "distinct", "first",
                                                              "last",  "after", "absent"};

// CEL's own, which rules leave out and trials know.
bool IsLeftOut(std::string_view function) {
  const auto all = FunctionNames();
  return std::find(all.begin(), all.end(), function) != all.end() || TimePartNamed(function);
}

}  // namespace

bool IsWindowFunction(std::string_view name) {
  return std::find(kWindowFunctions.begin(), kWindowFunctions.end(), name) != kWindowFunctions.end();
}

Compiler::Checked Compiler::Call(const Expression& e) {
  const std::string& f = e.text;
  if (IsWindowFunction(f)) return f == "after" ? After(e) : Window(e);
  if (std::find(kFunctions.begin(), kFunctions.end(), f) == kFunctions.end()) {
    if (std::find(kMethods.begin(), kMethods.end(), f) != kMethods.end()) {
      return Fail(e, absl::StrCat("stands behind what it looks at: x.", f, "(…)"));
    }
    if (IsLeftOut(f)) return LeftOut(e, absl::StrCat("not in rules: ", f, "()"));
    std::vector<std::string_view> functions(kFunctions.begin(), kFunctions.end());
    functions.insert(functions.end(), kWindowFunctions.begin(), kWindowFunctions.end());
    return Fail(e, absl::StrCat("no such function: ", f, DidYouMean(f, functions)));
  }
  if (e.parts.size() != 1) return Fail(e, absl::StrCat(f, " takes one value; given ", e.parts.size()));
  if (f == "has") return Has(*e.parts[0]);
  if (f == "size") return Size(e, *e.parts[0]);
  if (f == "days") return Length(e, kDay);
  if (f == "hours") return Length(e, kHour);
  if (f == "minutes") return Length(e, kMinute);
  if (f == "seconds") return Length(e, kSecond);
  if (f == "double" || f == "int") return Number(e);
  return FromText(e);
}

Compiler::Checked Compiler::Has(const Expression& e) {
  const Checked value = Check(e);
  if (!value) return value;
  if (value->items >= 0) return LeftOut(e, "a list is always there; see size()");
  Node node = program_.nodes[static_cast<size_t>(value->node)];
  switch (node.op) {
    case Op::kFeature: node.op = Op::kHasFeature; break;
    case Op::kColumn: node.op = Op::kHasColumn; break;
    case Op::kSince: node.op = Op::kHasSince; break;
    default: return Fail(e, "has() asks whether a feature or a part of an item has a value");
  }
  node.kind = Kind::kTruth;
  node.memo = -1;
  return Make(node);
}

Compiler::Checked Compiler::Length(const Expression& e, int64_t micros) {
  const Checked value = Check(*e.parts[0]);
  if (!value) return value;
  if (!IsNumber(value->kind)) {
    return Fail(*e.parts[0], absl::StrCat(e.text, "() needs a number, this is ", Words(*value)));
  }
  Node node;
  node.op = Op::kLength;
  node.kind = Kind::kDuration;
  node.a = value->node;
  node.constant = Scalar::Whole(micros);
  return Make(node);
}

Compiler::Checked Compiler::FromText(const Expression& e) {
  const Expression& text = *e.parts[0];
  const bool is_duration = e.text == "duration";
  if (text.form != Form::kText) return LeftOut(text, absl::StrCat(e.text, "() needs a text in quotes"));
  if (is_duration) {
    absl::Duration parsed;
    if (!absl::ParseDuration(text.text, &parsed) || absl::AbsDuration(parsed) > absl::Hours(24 * 366 * 300)) {
      return Fail(text, "not a length of time; write it as in \"36h\" or \"1h30m\", at most 300 years");
    }
    return Constant(Scalar::Whole(absl::ToInt64Microseconds(parsed), Kind::kDuration));
  }
  absl::Time parsed;
  std::string why;
  if (!absl::ParseTime(absl::RFC3339_full, text.text, &parsed, &why) || parsed == absl::InfiniteFuture() ||
      parsed == absl::InfinitePast()) {
    return Fail(text, "not a point in time; write it as in \"2026-01-31T00:00:00Z\"");
  }
  return Constant(Scalar::Whole(absl::ToUnixMicros(parsed), Kind::kTime));
}

Compiler::Checked Compiler::Number(const Expression& e) {
  Checked value = Check(*e.parts[0]);
  if (!value) return value;
  if (value->items >= 0 || !IsNumber(value->kind)) {
    return LeftOut(*e.parts[0], absl::StrCat(e.text, "() needs a number, this is ", Words(*value)));
  }
  Node node;
  node.op = e.text == "int" ? Op::kToWhole : Op::kToFraction;
  node.kind = e.text == "int" ? Kind::kWhole : Kind::kFraction;
  if (node.kind == value->kind) return value;
  node.a = value->node;
  return Make(node, value->measure);
}

Compiler::Checked Compiler::Size(const Expression& e, const Expression& of) {
  if (of.form == Form::kMethod && of.text == "filter") return Through(of, *of.parts[0], Op::kCount);
  const Checked value = Check(of);
  if (!value) return value;
  Node node;
  node.kind = Kind::kWhole;
  if (value->items >= 0) {
    node.op = Op::kCount;
    node.a = value->items;
    node.c = 0;
    return Make(node);
  }
  if (value->kind != Kind::kText) return Fail(e, absl::StrCat("size needs a list or a text, this is ", Words(*value)));
  node.op = Op::kTextSize;
  node.a = value->node;
  return Make(node);
}

Compiler::Checked Compiler::Method(const Expression& e) {
  const std::string& f = e.text;
  const Expression& target = *e.parts[0];
  if (f == "size" && e.parts.size() == 1) return Size(e, target);
  if (f == "exists") return Through(e, target, Op::kExists);
  if (f == "all") return Through(e, target, Op::kAll);
  if (f == "exists_one") return Through(e, target, Op::kExistsOne);
  if (f == "filter") return LeftOut(e, "of a filtered list only the size can be used: size(list.filter(x, …))");
  if (f == "startsWith") return TextMethod(e, Op::kStartsWith);
  if (f == "endsWith") return TextMethod(e, Op::kEndsWith);
  if (f == "contains") return TextMethod(e, Op::kContains);
  if (f == "lowerAscii") return TextMethod(e, Op::kLower);
  if (f == "matches") return Matches(e);
  if (IsLeftOut(f)) return LeftOut(e, absl::StrCat("not in rules: ", f, "()"));
  return Fail(e, absl::StrCat("no such function: ", f, DidYouMean(f, {kMethods.begin(), kMethods.end()})));
}

Compiler::Checked Compiler::TextMethod(const Expression& e, Op op) {
  const size_t wanted = op == Op::kLower ? 0 : 1;
  if (e.parts.size() != wanted + 1) {
    return Fail(e,
                absl::StrCat(e.text, " takes ", wanted == 0 ? "nothing" : "one text", "; given ", e.parts.size() - 1));
  }
  Node node;
  node.op = op;
  node.kind = op == Op::kLower ? Kind::kText : Kind::kTruth;
  for (size_t i = 0; i < e.parts.size(); ++i) {
    const Checked value = Check(*e.parts[i]);
    if (!value) return value;
    if (value->items >= 0 || value->kind != Kind::kText) {
      return Fail(*e.parts[i], absl::StrCat(e.text, " needs a text, this is ", Words(*value)));
    }
    (i == 0 ? node.a : node.b) = value->node;
  }
  return Make(node);
}

Compiler::Checked Compiler::Matches(const Expression& e) {
  if (e.parts.size() != 2) return Fail(e, absl::StrCat("matches takes one text; given ", e.parts.size() - 1));
  const Checked text = Check(*e.parts[0]);
  if (!text) return text;
  if (text->items >= 0 || text->kind != Kind::kText) {
    return Fail(*e.parts[0], absl::StrCat("matches needs a text, this is ", Words(*text)));
  }
  const Expression& pattern = *e.parts[1];
  if (pattern.form != Form::kText) return LeftOut(pattern, "matches() needs a text in quotes");
  auto made = MakeRegularExpression(pattern.text);
  if (!made.ok()) return Fail(pattern, std::string(made.status().message()));
  Node node;
  node.op = Op::kMatches;
  node.kind = Kind::kTruth;
  node.a = text->node;
  node.constant = Scalar::Whole(program_.PatternIndex(pattern.text, *std::move(made)));
  return Make(node);
}

Compiler::Checked Compiler::Through(const Expression& e, const Expression& list, Op op) {
  const Checked target = Check(list);
  if (!target) return target;
  if (target->items < 0) return Fail(list, absl::StrCat(e.text, " needs a list, this is ", Words(*target)));
  if (e.parts.size() != 3 || e.parts[1]->form != Form::kName) {
    return Fail(e, absl::StrCat("write it as ", e.text, "(x, condition on x)"));
  }
  const std::string& name = e.parts[1]->text;
  if (name == "now" || name == "since" || LoopNamed(name)) return LeftOut(*e.parts[1], "this name is taken");
  if (loops_.size() == kLoops) return Fail(e, "too many lists within one another");
  loops_.push_back({name, target->items});
  const Checked body = Truth(*e.parts[2], e.text);
  loops_.pop_back();
  if (!body) return body;
  Node node;
  node.op = op;
  node.kind = op == Op::kCount ? Kind::kWhole : Kind::kTruth;
  node.a = target->items;
  node.b = body->node;
  node.c = static_cast<int32_t>(loops_.size());
  return Make(node);
}

}  // namespace portrait::rules
