#include "operators/models/learned_churn.h"

#include <catch2/catch_approx.hpp>
#include <catch2/catch_test_macros.hpp>
#include <numeric>

#include "tests/operators/random_trees.h"

namespace portrait {
namespace {

using Catch::Approx;

constexpr size_t kFeatures = 6;

LearnedChurn Learned(std::mt19937& random, bool trees, bool curve) {
  LearnedChurn out;
  out.model.intercept = 0.2;
  for (size_t i = 0; i < kFeatures; ++i) {
    out.features.push_back("f" + std::to_string(i));
    out.model.mean.push_back(Drawn(random, -1, 1));
    out.model.spread.push_back(Drawn(random, 0.5, 1));
    out.model.weight.push_back(trees && i > 0 ? 0 : Drawn(random, -0.5, 0.5));
  }
  std::vector<Tree> list;
  for (int i = 0; i < 20; ++i) list.push_back(RandomTree(random, kFeatures, 3));
  if (trees) out.trees = BoostedTrees::Of(list, kFeatures).value();
  if (curve) out.curve = CalibrationCurve::Of({{-1.5, -1}, {-0.5, -0.9}, {0.1, 1}, {1, 1.2}}).value();
  return out;
}

double Sum(const LearnedChurn::Explanation& because) {
  return std::accumulate(because.contributions.begin(), because.contributions.end(), because.base);
}

TEST_CASE("base and contributions add up to the log-odds, with and without trees and a curve", "[learned_churn]") {
  std::mt19937 random(8);
  for (int kind = 0; kind < 4; ++kind) {
    const LearnedChurn learned = Learned(random, (kind & 1) != 0, (kind & 2) != 0);
    for (int i = 0; i < 100; ++i) {
      const std::vector<double> row = RandomRow(random, kFeatures, /*gaps=*/false);
      CHECK(std::abs(Sum(learned.Explain(row)) - learned.Score(row)) < 1e-9);
    }
  }
}

TEST_CASE("a curve stretches contributions and leaves their signs and shares", "[learned_churn]") {
  std::mt19937 random(9);
  LearnedChurn learned = Learned(random, true, true);
  const std::vector<double> row = RandomRow(random, kFeatures, /*gaps=*/false);
  const auto with = learned.Explain(row).contributions;
  learned.curve.reset();
  const auto without = learned.Explain(row).contributions;
  const double factor = with[1] / without[1];
  CHECK(factor > 0);
  CHECK(factor != Approx(1));
  for (size_t i = 0; i < kFeatures; ++i) CHECK(with[i] == Approx(factor * without[i]).margin(1e-12));
}

TEST_CASE("Platt scaling is taken into weights, leaves and the intercept", "[learned_churn]") {
  std::mt19937 random(10);
  LearnedChurn learned = Learned(random, true, false);
  const std::vector<double> row = RandomRow(random, kFeatures, /*gaps=*/false);
  const double score = learned.Score(row);
  learned.Rescale(0.8, -0.3);
  CHECK(learned.Score(row) == Approx(0.8 * score - 0.3));
  CHECK(Sum(learned.Explain(row)) == Approx(learned.Score(row)).margin(1e-12));
}

}  // namespace
}  // namespace portrait
