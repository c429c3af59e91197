// Generalised linear models with a ridge penalty: what is learned from closed windows.
//
//   Examples examples{.features = 2};
//   examples.Add({recency, frequency}, ordered ? 0 : 1, /*offset=*/population_score);
//   absl::StatusOr<LinearModel> churn = FitLinear(examples, {.link = Link::kLogit});
//   double probability = FromLogOdds(population_score + churn->Score({12, 3}));
//
// A feature counts as its distance from the population's mean in standard deviations, drawn in to ±kReach: one
// customer with an amount of 10¹² decides nothing. So a score is the intercept and one contribution a feature, weight
// × distance, and they add up exactly: these are the reasons. An offset is a score that is there before, such as that
// of a population model: the ridge then draws to that model, and little data changes little.
//
// Logit: logistic regression. Log: a mean of counts or amounts, by the quasi-likelihood of Poisson, which is right
// for any amounts whose mean is exp(score) (P. McCullagh, J. A. Nelder, Generalized Linear Models, 1989, chapter 9)
// and keeps totals. Median: least absolute deviations of the score from the label. Fitted by Newton steps that are
// halved until they improve (Eigen's LDLᵀ); deterministic.
#pragma once

#include <cstddef>
#include <initializer_list>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"

namespace portrait {

// A table of numbers, a row a customer at one moment.
struct Examples {
  size_t features = 0;
  std::vector<double> values;  // row after row
  std::vector<double> labels;
  std::vector<double> offsets;

  size_t size() const { return labels.size(); }
  absl::Span<const double> Row(size_t i) const { return absl::MakeConstSpan(values).subspan(i * features, features); }
  void Add(absl::Span<const double> row, double label, double offset = 0);
};

enum class Link { kLogit, kLog, kMedian };

// Constant once made; pure.
struct LinearModel {
  static constexpr double kReach = 4;

  Link link = Link::kLogit;
  double intercept = 0;
  std::vector<double> mean, spread;  // of the features
  std::vector<double> weight;        // for one spread

  // Of feature i, to the score.
  double Contribution(size_t i, double value) const;
  double Score(absl::Span<const double> row) const;  // without an offset
};

struct LinearOptions {
  Link link = Link::kLogit;
  double ridge = 1;  // as many pseudo-examples of unit information; the intercept is free
  int max_steps = 100;
};

// InvalidArgument: no examples, a number that is not finite, labels outside 0…1 (logit) or below 0, all labels of a
// logit the same, or of the others 0. FailedPrecondition: no convergence.
absl::StatusOr<LinearModel> FitLinear(const Examples& examples, const LinearOptions& options);

}  // namespace portrait
