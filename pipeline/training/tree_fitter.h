// Gradient-boosted trees by XGBoost, taken out of it: what is learned is scored by operators/models/boosted_trees.h.
//
//   absl::StatusOr<FittedTrees> fitted = FitTrees(examples, {.rounds = 40});
//   double log_odds = offset + fitted->trees.Score(row);
//
// T. Chen, C. Guestrin, XGBoost: A Scalable Tree Boosting System, 2016. Logistic loss; the offsets of the examples are
// scores that are there before, which the trees correct. Deterministic: one thread, a fixed seed, no sampling.
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "operators/models/boosted_trees.h"
#include "operators/models/linear_model.h"

namespace portrait {

struct BoostingOptions {
  int rounds = 100;  // trees
  int depth = 3;
  double rate = 0.1;        // what of each tree counts
  double ridge = 10;        // on the values of leaves, in units of information: an example has up to 1/4
  double least_cover = 10;  // of a leaf, in the same units
};

struct FittedTrees {
  BoostedTrees trees;
  std::vector<double> gain;  // of each feature: how much of the loss its splits took away, in all
};

// InvalidArgument: no examples, or XGBoost refuses them or the options. Internal: it tells what cannot be read.
absl::StatusOr<FittedTrees> FitTrees(const Examples& examples, const BoostingOptions& options);

// The trees of a model that XGBoost has saved as JSON. Internal: they cannot be read.
absl::StatusOr<FittedTrees> TreesOfXgboost(std::string_view json, size_t features);

}  // namespace portrait
