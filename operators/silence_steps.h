// The moments at which trees of a learned model of churn turn another way while a customer is silent.
//
//   SilenceSteps steps(learned);
//   steps.Bind(reader);                          // ChurnFeatures of the same names
//   for (Timestamp stop : steps.Between(now, end_of_day, features, population)) …
//
// Within a local day only two kinds of values move: days since an instant (purchases.last), and what the population
// model says, which only rises. A tree turns where such a value reaches a threshold. Those of instants are turned into
// lengths of time beforehand; those of the population are found by halving.
#pragma once

#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "operators/churn_features.h"
#include "operators/models/learned_churn.h"
#include "operators/time.h"

namespace portrait {

// Constant after Bind; safe from any thread; pure.
class SilenceSteps {
 public:
  using PopulationLogOdds = absl::FunctionRef<double(Timestamp)>;

  explicit SilenceSteps(const LearnedChurn& learned);

  void Bind(const ChurnFeatures& reader);

  // The last moments before a turn that are later than `after` and before `until`, then `until`; rising. Those of the
  // population's turns lie up to a second before it. `features`: as they stand, for they hold the instants.
  std::vector<Timestamp> Between(Timestamp after, Timestamp until, ChurnFeatures::Features features,
                                 PopulationLogOdds population) const;

 private:
  struct Instant {
    FeatureRef feature;
    std::vector<Duration> ages;  // the least that is not below a threshold; rising
  };

  std::vector<std::vector<float>> thresholds_;  // of each feature
  std::vector<Instant> instants_;
  std::vector<float> population_;
};

// The first moment after `before` at which it holds, to a second, where it holds at `after` and not at `before`.
Timestamp FirstMoment(Timestamp before, Timestamp after, absl::FunctionRef<bool(Timestamp)> holds);

}  // namespace portrait
