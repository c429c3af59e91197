// A model of churn that was learned from closed examples, on named features: a linear part, trees that correct it where
// they were found to be better, and a calibration.
//
//   const std::vector<double> row = {CountedAs("purchases.orders_90d", 3), …};
//   double log_odds = learned.Score(row);                  // of no order within learned.horizon_days
//   LearnedChurn::Explanation because = learned.Explain(row);  // adds up to that
//
// Without trees the linear part is a logistic regression on all features; with them it is what the population model
// says, set right in level and slope, and the other weights are 0. The slope and shift that Platt scaling found are in
// the weights, the leaves and the intercept. A curve is there where isotonic regression was found to be better still.
#pragma once

#include <cmath>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/types/span.h"
#include "operators/models/boosted_trees.h"
#include "operators/models/calibration_curve.h"
#include "operators/models/linear_model.h"

namespace portrait {

// Not a feature of the chain: what the population model in force says, as log-odds of no order.
inline constexpr std::string_view kPopulationLogOdds = "population.log_odds";

struct LearnedChurn {
  static constexpr int kVersion = 1;  // of how a feature's value is counted: CountedAs

  // Log-odds: base + the sum of the contributions, one for each feature, is the score.
  struct Explanation {
    double base = 0;  // of one who is usual in everything; with trees: on average
    std::vector<double> contributions;
  };

  int horizon_days = 90;
  std::vector<std::string> features;  // one for each weight of the model
  LinearModel model;
  std::optional<BoostedTrees> trees;
  std::optional<CalibrationCurve> curve;

  // `row`: a counted value for each feature.
  double Score(absl::Span<const double> row) const;

  // Exact: weight x (value - usual value) of the linear part, and Shapley values of the trees. Where there is a curve,
  // the base is that of the curve, and all contributions are stretched by one factor, the mean slope of the curve from
  // base to score: signs and shares stay what they are.
  Explanation Explain(absl::Span<const double> row) const;

  // Takes Platt scaling in: scores become slope x score + shift.
  void Rescale(double slope, double shift);

 private:
  double Uncalibrated(absl::Span<const double> row) const;
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
