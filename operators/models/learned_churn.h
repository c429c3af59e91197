// A model of churn that was learned from closed examples: a logistic regression on named features.
//
//   const std::vector<double> row = {CountedAs("purchases.orders_90d", 3), …};
//   double log_odds = learned.model.Score(row);           // of no order within learned.horizon_days
//   double because = learned.model.Contribution(0, row[0]);
//
// Calibrated: the slope and shift that Platt scaling found are in the weights and the intercept, so the contributions
// and the intercept add up to the log-odds as they are said.
#pragma once

#include <cmath>
#include <string>
#include <string_view>
#include <vector>

#include "operators/models/linear_model.h"

namespace portrait {

// Not a feature of the chain: what the population model in force says, as log-odds of no order.
inline constexpr std::string_view kPopulationLogOdds = "population.log_odds";

struct LearnedChurn {
  static constexpr int kVersion = 1;  // of how a feature's value is counted: CountedAs

  int horizon_days = 90;
  std::vector<std::string> features;  // one for each weight of the model
  LinearModel model;
};

// What a regression makes of a feature's value: log-odds as they are, everything else, which is a count, an amount, a
// share or a number of days, as ln(1 + value), so that no scale matters.
inline double CountedAs(std::string_view feature, double value) {
  return feature == kPopulationLogOdds ? value : std::log1p(value > 0 ? value : 0);
}
// The value that counts so.
inline double ValueThatCounts(std::string_view feature, double counted) {
  return feature == kPopulationLogOdds ? counted : std::expm1(counted);
}

}  // namespace portrait
