// The two ways in which a model of churn is learned from closed examples; both calibrated.
//
//   absl::StatusOr<LearnedModelFit> regression = LearnRegression(table);
//   absl::StatusOr<LearnedModelFit> trees = LearnTrees(table);
//
// Both correct the log-odds of the population model, so that little data changes little; both are calibrated on the
// scores of customers that a model has not seen, in ChurnTable::kParts parts.
//
// Regression: ridge logistic regression (operators/models/linear_model.h) on all features.
//
// Trees: the population's log-odds alone are set right in level and slope, by a regression of the same ridge, and trees
// of depth 3 add to that (tree_fitter.h). How many is found on the same parts: as many as have the lowest log loss on
// the customers that are left out.
#pragma once

#include <vector>

#include "absl/status/statusor.h"
#include "operators/models/learned_churn.h"
#include "pipeline/training/calibration.h"
#include "pipeline/training/churn_table.h"

namespace portrait {

struct LearnedModelFit {
  LearnedChurn churn;
  Calibration calibration;   // as it was taken in
  std::vector<double> gain;  // of trees: of each feature, of all gain; they add up to 1
};

// InvalidArgument, FailedPrecondition: of FitLinear.
absl::StatusOr<LearnedModelFit> LearnRegression(const ChurnTable& table);

// FailedPrecondition: too few examples, or of one label, or trees tell nothing of customers that they have not seen.
absl::StatusOr<LearnedModelFit> LearnTrees(const ChurnTable& table);

}  // namespace portrait
