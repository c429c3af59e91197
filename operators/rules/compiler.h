// Checks a condition against the features that there are, and adds it to a program.
//
//   Compiler compiler(features, program);
//   absl::StatusOr<int32_t> when = compiler.Condition("purchases.spend_365d > 2000 && has(person.city)");
//
// Says what is wrong where (MistakeAt): a name that does not exist with the one that was meant, types and units that do
// not go together with what to write instead. A whole number beside a fraction is taken as one: spend > 2000.
//
// Units. Money, lengths in days and everything that is counted are never compared with or added to one another. What is
// multiplied or divided, and literals, have no unit.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "operators/features.h"
#include "operators/rules/event_windows.h"
#include "operators/rules/expression.h"
#include "operators/rules/program.h"

namespace portrait::rules {

// What a condition may name besides the features and `now`.
struct Scope {
  std::optional<FeatureRef> each;   // `item` is an element of this list
  bool since = false;               // `since`: when the tag came
  std::string_view decided;         // a feature that conditions decide, so that none may name it
  EventWindows* windows = nullptr;  // where count(…) and the like are entered; null: conditions name no windows
  // It is the filter of a window: the features are the fields of this kind of event, and there is no `now`.
  std::optional<EventKind> fields_of;
};

// Whether it is one of the functions over windows of events: count, sum, distinct, first, last, after, absent.
bool IsWindowFunction(std::string_view name);

// Both arguments must outlive it.
class Compiler {
 public:
  Compiler(const FeatureRegistry& features, Program& program) : features_(features), program_(program) {}

  // The node of a condition. InvalidArgument: what is wrong with it; Unimplemented: it is CEL that conditions of rules
  // leave out. The program may then hold parts that nobody uses.
  absl::StatusOr<int32_t> Condition(std::string_view source, const Scope& scope = {});

  // The same for a value of any kind, for tools that show one.
  absl::StatusOr<int32_t> Anything(std::string_view source, const Scope& scope = {});

 private:
  enum class Measure { kNone, kMoney, kIncome, kDays, kCount };
  struct Typed {
    int32_t node = -1;
    Kind kind = Kind::kError;
    Measure measure = Measure::kNone;
    std::string unit;    // of a feature: for messages
    int32_t items = -1;  // a list: which feature
  };
  struct Loop {
    std::string name;
    int32_t list = -1;  // the feature
  };
  using Checked = std::optional<Typed>;  // nothing: error_ says why

  absl::StatusOr<Typed> Compile(std::string_view source, const Scope& scope);

  Checked Check(const Expression& e);
  Checked Name(const Expression& e);
  Checked Field(const Expression& e);
  Checked Feature(const Expression& e, const std::string& name);
  Checked OfFeature(const FeatureRef& feature);
  Checked Column(const Expression& e, size_t loop, const std::string& name);
  Checked Unary(const Expression& e);
  Checked Binary(const Expression& e);
  Checked Logic(const Expression& e);
  Checked Compare(const Expression& e);
  Checked Arithmetic(const Expression& e);
  Checked In(const Expression& e);
  Checked Conditional(const Expression& e);
  Checked Call(const Expression& e);
  Checked Has(const Expression& e);
  Checked Length(const Expression& e, int64_t micros);
  Checked FromText(const Expression& e);
  Checked Number(const Expression& e);
  Checked Size(const Expression& e, const Expression& of);
  Checked Method(const Expression& e);
  Checked Through(const Expression& e, const Expression& list, Op op);
  Checked TextMethod(const Expression& e, Op op);
  Checked Matches(const Expression& e);

  // compiler_windows.cc
  Checked Window(const Expression& e);
  Checked After(const Expression& e);
  bool Subject(const Expression& e, bool with_field, EventWindows::Wanted& wanted);
  bool Field(const Expression& e, std::string_view name, EventWindows::Wanted& wanted);
  bool Length(const Expression& e, EventWindows::Wanted& wanted);
  bool Filter(const Expression& e, EventWindows::Wanted& wanted);
  Checked Found(const Expression& e, const EventWindows::Wanted& wanted);
  Checked LastOf(const Expression& e, const Expression& kind, const Expression* filter);

  Checked Fail(const Expression& e, std::string_view what);
  Checked LeftOut(const Expression& e, std::string_view what);
  Checked Truth(const Expression& e, std::string_view where);
  Checked Make(Node node, Measure measure = Measure::kNone);
  Checked Constant(Scalar value);
  bool AsFraction(Typed& value);
  void AlignFractions(Typed& a, Typed& b);
  bool BeyondDistinct(const Typed& value, const Typed& limit) const;
  bool UnitsAgree(const Expression& e, const Typed& a, const Typed& b);
  bool IsConstant(const Typed& value) const;
  std::string Words(const Typed& value) const;
  std::string Written(const Expression& e) const;
  static std::string PathOf(const Expression& e);
  std::optional<size_t> LoopNamed(std::string_view name) const;

  const FeatureRegistry& features_;
  Program& program_;
  std::string_view source_;
  Scope scope_;
  std::vector<Loop> loops_;
  absl::Status error_;
};

}  // namespace portrait::rules
