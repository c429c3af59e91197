// When a condition can change by time alone: the moment for which to set a timer, so that silence acts and nobody is
// polled.
//
//   NextChange next(program);
//   if (Timestamp at = next.Of(evaluation, condition, start_of_day); at != kNever) context.SetTimer(kLook, at);
//
// Until the moment given the condition keeps its value, unless something else changes a feature. At that moment it is
// worth a look: it has changed, or is to be asked again. Never: time alone changes nothing.
//
// How features change over time they say themselves (OverTime). Worked out to the microsecond: comparisons whose sides
// run with `now`, evenly: now - f > d, f + d < now, features that run. To the day: windows that know on which day
// something leaves them, or at which instant. Everything else is looked at when the next local day begins. What only
// falls is not watched while it lies below what it is compared with. && waits for the last of its sides that are false,
// and || for the last that are true. So a customer who is far from a rule has no timer for it.
#pragma once

#include <optional>
#include <vector>

#include "absl/functional/function_ref.h"
#include "operators/rules/program.h"

namespace portrait::rules {

// The local day, or the microsecond of the instant, that FeatureRef::Next has given; nothing: never.
std::optional<int64_t> NextOf(const Value& value);

// Constant once made; then safe from any thread. The program must outlive it.
class NextChange {
 public:
  explicit NextChange(const Program& program);

  // False: no moment ever comes, whatever the customer. To be asked once, when a rule is loaded.
  bool Depends(int32_t node) const { return depends_[static_cast<size_t>(node)]; }

  using StartOfDay = absl::FunctionRef<Timestamp(int32_t day)>;
  // `within_day`: only what may come before the next local day begins; for whoever looks again then in any case.
  Timestamp Of(Evaluation& evaluation, int32_t node, StartOfDay start_of, bool within_day = false) const;

 private:
  // A value as time passes: it moves by `speed` a microsecond, until it may do something else; then it may go where its
  // trend goes.
  struct Motion {
    double speed = 0;
    Timestamp until = kNever;
    OverTime::Trend trend = OverTime::Trend::kEither;
  };
  class Finder;

  const Program& program_;
  std::vector<bool> depends_;  // by node
  std::vector<bool> runs_;     // by node: on something that changes at any moment, rather than with the day
};

}  // namespace portrait::rules
