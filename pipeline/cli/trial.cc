#include "pipeline/cli/trial.h"

#include <algorithm>
#include <set>
#include <string>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "operators/nearest_name.h"
#include "operators/rules/compiler.h"
#include "operators/rules/expression.h"
#include "operators/rules/interpreter.h"
#include "pipeline/cli/trial_values.h"

namespace portrait {
namespace {

using nlohmann::json;

absl::StatusOr<json> Interpreted(std::string_view expression, const rules::Expression& tree,
                                 const TrialValues& values) {
  const rules::Any value = rules::Interpret(tree, values);
  if (const auto* failure = value.As<rules::Failed>()) return rules::MistakeAt(expression, failure->at, failure->what);
  return JsonOfAny(value);
}

// The value of a whole expression as a compiled condition has it.
rules::Any AnyOfScalar(const rules::Scalar& scalar) {
  switch (scalar.kind) {
    case rules::Kind::kError: return rules::Failed{"no value"};
    case rules::Kind::kTruth: return scalar.whole != 0;
    case rules::Kind::kWhole: return scalar.whole;
    case rules::Kind::kFraction: return scalar.fraction;
    case rules::Kind::kTime: return absl::FromUnixMicros(scalar.whole);
    case rules::Kind::kDuration: return absl::Microseconds(scalar.whole);
    case rules::Kind::kText: break;
  }
  std::string text(scalar.text, scalar.size);
  return scalar.lower ? absl::AsciiStrToLower(text) : text;
}

// Whether it calls a function over windows of events.
bool NamesWindows(const rules::Expression& e) {
  if (e.form == rules::Expression::Form::kCall && rules::IsWindowFunction(e.text)) return true;
  return std::any_of(e.parts.begin(), e.parts.end(), [](const auto& part) { return NamesWindows(*part); });
}

}  // namespace

// There are no events in a trial: each window has the value that is given for it.
absl::StatusOr<json> Trial::WithWindows(std::string_view expression, const rules::Expression& tree,
                                        TrialValues& values) const {
  rules::EventWindows windows(features_);
  rules::Scope scope;
  scope.windows = &windows;
  rules::Program program;
  const auto node = rules::Compiler(features_, program).Anything(expression, scope);
  if (!node.ok()) return node.status();
  std::set<std::string> names = rules::NamesIn(tree);
  if (absl::Status s = values.Prepare(names); !s.ok()) return s;
  std::string missing;
  for (const FeatureRef& feature : program.features) {
    const std::string& name = feature.description().name;
    if (features_.Find(name).ok()) continue;
    const auto given = values.PrepareWindow(feature.description());
    if (!given.ok()) return given.status();
    if (!*given && missing.empty()) missing = name;
  }
  rules::Evaluation evaluation(program, values, values.moment(), rules::Scratch::OfThisThread());
  const rules::Scalar value = evaluation.Run(*node);
  if (!value.failed()) return JsonOfAny(AnyOfScalar(value));
  return absl::InvalidArgumentError(missing.empty()
                                        ? std::string("no value")
                                        : absl::StrCat("a trial has no events; give --with a value for ", missing));
}

absl::StatusOr<json> Trial::Run(std::string_view expression, const json& with) const {
  if (!with.is_object()) return absl::InvalidArgumentError("with: an object of names and values is wanted");
  const auto tree = rules::ParseExpression(expression);
  if (!tree.ok()) return tree.status();
  TrialValues values(features_, with, now_);
  if (NamesWindows(**tree)) return WithWindows(expression, **tree, values);
  if (absl::Status s = values.Prepare(rules::NamesIn(**tree)); !s.ok()) return s;
  if (!values.only_features()) return Interpreted(expression, **tree, values);
  rules::Program program;
  const auto node = rules::Compiler(features_, program).Anything(expression);
  if (absl::IsUnimplemented(node.status())) return Interpreted(expression, **tree, values);
  if (!node.ok()) return node.status();
  rules::Evaluation evaluation(program, values, values.moment(), rules::Scratch::OfThisThread());
  const rules::Scalar value = evaluation.Run(*node);
  // A compiled condition does not know where it failed.
  if (value.failed()) return Interpreted(expression, **tree, values);
  return JsonOfAny(AnyOfScalar(value));
}

std::string Trial::Answer(std::string_view line) const {
  const json request = json::parse(line.begin(), line.end(), nullptr, false);
  if (request.is_discarded()) return AnswerLine(absl::InvalidArgumentError("not JSON"));
  if (!request.is_object()) return AnswerLine(absl::InvalidArgumentError("an object is wanted: {\"expr\": …}"));
  for (const auto& [key, value] : request.items()) {
    if (key == "expr" || key == "with") continue;
    return AnswerLine(
        absl::InvalidArgumentError(absl::StrCat("no such key: ", key, DidYouMean(key, {"expr", "with"}))));
  }
  const auto expression = request.find("expr");
  if (expression == request.end() || !expression->is_string()) {
    return AnswerLine(absl::InvalidArgumentError("expr: a text is wanted"));
  }
  // By reference: a copy of values nested a million deep would overflow the stack.
  static const json* const kNone = new json(json::object());
  const auto with = request.find("with");
  const bool none = with == request.end() || with->is_null();
  return AnswerLine(Run(*expression->get_ptr<const std::string*>(), none ? *kNone : *with));
}

std::string AnswerLine(const absl::StatusOr<json>& value) {
  json answer;
  if (value.ok()) {
    answer["value"] = *value;
  } else {
    const std::string message(value.status().message());
    answer["error"] = message.substr(0, message.find('\n'));
  }
  return answer.dump(-1, ' ', false, json::error_handler_t::replace);
}

}  // namespace portrait
