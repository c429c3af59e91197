// Products of features beside the features, so that a linear model (linear_model.h) can say "silence tells more of
// those who came often".
//
//   const CrossedFeatures crossed(rows, features, {0, 2, 7});    // squares and products of these three
//   examples.Add(crossed.Of(row), label);
//
// What is multiplied are distances from the mean in standard deviations, drawn in to ±kReach: products of raw numbers
// would repeat the numbers themselves, and one far out would outweigh all.
#pragma once

#include <cstddef>
#include <vector>

#include "absl/types/span.h"

namespace portrait {

// Constant once made; pure.
class CrossedFeatures {
 public:
  static constexpr double kReach = 3;

  // Nothing is multiplied: rows stay as they are.
  CrossedFeatures() = default;

  // `values`: row after row, `features` numbers each. `multiplied`: which of them, by index.
  CrossedFeatures(absl::Span<const double> values, size_t features, std::vector<size_t> multiplied);

  // The row itself, then the products of each of `multiplied` with itself and with those behind it.
  std::vector<double> Of(absl::Span<const double> row) const;
  size_t products() const { return multiplied_.size() * (multiplied_.size() + 1) / 2; }

 private:
  std::vector<size_t> multiplied_;
  std::vector<double> mean_, spread_;  // of the multiplied
};

}  // namespace portrait
