// Models that were in the shadow, judged on closed examples beside those that were in force at the same moments.
//
//   ShadowOnClosed shadow;
//   for (const v1::ChurnExample& example : …) shadow.Add(example);
//   std::cout << shadow.Text();
#pragma once

#include <map>
#include <string>
#include <utility>

#include "portrait/v1/result.pb.h"

namespace portrait {

// One thread. The order in which examples are added is of no account.
class ShadowOnClosed {
 public:
  // One without a model in the shadow is passed over; one that stands there already, by customer and origin, too.
  void Add(const v1::ChurnExample& example);

  // For each pair of models, AUC, Brier score and calibration error of both on the same examples; empty: no example had
  // a model in the shadow.
  std::string Text() const;

 private:
  struct Closed {
    double in_force = 0, shadow = 0;  // probabilities of no order
    bool no_order = false;
  };
  using Models = std::pair<std::string, std::string>;  // in force, in the shadow
  using Place = std::pair<int64_t, std::string>;       // origin, customer

  std::map<Models, std::map<Place, Closed>> closed_;
};

}  // namespace portrait
