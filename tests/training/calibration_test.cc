#include "pipeline/training/calibration.h"

#include <catch2/catch_approx.hpp>
#include <catch2/catch_test_macros.hpp>
#include <cmath>
#include <functional>
#include <random>

#include "operators/churn_model.h"
#include "pipeline/training/churn_table.h"

namespace portrait {
namespace {

using Catch::Approx;

UnseenScores Told(size_t n, const std::function<double(double)>& truth) {
  std::mt19937 random(7);
  UnseenScores out;
  for (size_t i = 0; i < n; ++i) {
    const double score = std::normal_distribution<>(0, 1.5)(random);
    out.Add(i % ChurnTable::kParts, score, std::bernoulli_distribution(FromLogOdds(truth(score)))(random) ? 1 : 0);
  }
  return out;
}

TEST_CASE("where log-odds are off by slope and shift, Platt scaling sets them right, and no curve is taken",
          "[calibration]") {
  const Calibration found = Calibrate(Told(10'000, [](double s) { return 0.6 * s - 0.8; }));
  CHECK(found.slope == Approx(0.6).margin(0.06));
  CHECK(found.shift == Approx(-0.8).margin(0.08));
  CHECK_FALSE(found.curve.has_value());
}

TEST_CASE("where log-odds are bent, a curve is taken, and it is right", "[calibration]") {
  const auto truth = [](double s) { return s < 0 ? -2.0 : 1.5 * s; };
  const Calibration found = Calibrate(Told(10'000, truth));
  REQUIRE(found.curve.has_value());
  for (const double score : {-1.5, -0.7, 1.0, 2.0}) {
    const double said = found.curve->At(found.slope * score + found.shift);
    CHECK(FromLogOdds(said) == Approx(FromLogOdds(truth(score))).margin(0.06));
  }
}

TEST_CASE("too few scores, and scores that tell nothing, are left as they are", "[calibration]") {
  CHECK(Calibrate(Told(199, [](double s) { return 0.5 * s; })).slope == 1);
  const Calibration nothing = Calibrate(Told(1000, [](double) { return 0.2; }));
  CHECK(nothing.slope == 1);
  CHECK(nothing.shift == 0);
}

TEST_CASE("the log loss is that of the probability, also where that is nearly 0 or 1", "[calibration]") {
  CHECK(LogLoss(0.7, 1) == Approx(-std::log(FromLogOdds(0.7))));
  CHECK(LogLoss(0.7, 0) == Approx(-std::log(1 - FromLogOdds(0.7))));
  CHECK(LogLoss(800, 0) == 800);
  CHECK(LogLoss(-800, 0) == 0);
}

}  // namespace
}  // namespace portrait
