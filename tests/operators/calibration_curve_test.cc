#include "operators/models/calibration_curve.h"

#include <catch2/catch_approx.hpp>
#include <catch2/catch_test_macros.hpp>
#include <cmath>
#include <random>

#include "operators/churn_model.h"

namespace portrait {
namespace {

using Catch::Approx;

CalibrationCurve Curve(std::vector<CalibrationKnot> knots) { return CalibrationCurve::Of(std::move(knots)).value(); }

TEST_CASE("a curve is straight between its knots, and goes on with a slope of 1", "[calibration_curve]") {
  const CalibrationCurve curve = Curve({{-1, -2}, {1, 0}, {2, 5}});
  CHECK(curve.At(-1) == -2);
  CHECK(curve.At(0) == Approx(-1));
  CHECK(curve.At(1.5) == Approx(2.5));
  CHECK(curve.At(2) == 5);
  CHECK(curve.At(-4) == Approx(-5));
  CHECK(curve.At(7) == Approx(10));
}

// What happens at a score is a step: .2 below 0, .7 above; neighbours that fall by chance are pooled.
TEST_CASE("isotonic regression finds a step, and rises everywhere with no jump", "[calibration_curve]") {
  std::mt19937 random(2);
  std::vector<double> scores;
  std::vector<bool> happened;
  for (int i = 0; i < 20'000; ++i) {
    scores.push_back(std::normal_distribution<>(0, 1)(random));
    happened.push_back(std::bernoulli_distribution(scores.back() < 0 ? 0.2 : 0.7)(random));
  }
  const auto curve = FitIsotonic(scores, happened);
  REQUIRE(curve.has_value());
  CHECK(curve->knots().size() >= 2);
  CHECK(curve->knots().size() < CalibrationCurve::kMostKnots);
  CHECK(FromLogOdds(curve->At(-0.5)) == Approx(0.2).margin(0.03));
  CHECK(FromLogOdds(curve->At(0.5)) == Approx(0.7).margin(0.03));
  for (double score = -6; score < 6; score += 1e-3) {
    const double rise = curve->At(score + 1e-3) - curve->At(score);
    REQUIRE(rise > 0);
    REQUIRE(rise < 0.05);
  }
}

TEST_CASE("shares of 0 and 1 give no endless log-odds, and equal scores are one group", "[calibration_curve]") {
  std::vector<double> scores;
  std::vector<bool> happened;
  for (int i = 0; i < 400; ++i) scores.push_back(i < 150 ? -1 : i < 300 ? 0 : 1), happened.push_back(i >= 150);
  const auto curve = FitIsotonic(scores, happened);
  REQUIRE(curve.has_value());
  CHECK(std::isfinite(curve->At(-1)));
  CHECK(std::isfinite(curve->At(1)));
  CHECK(curve->At(-1) < -5);
  CHECK(curve->At(1) > 5);
}

TEST_CASE("too few scores, and scores that fall, make no curve", "[calibration_curve]") {
  const std::vector<double> few(60, 0.5);
  CHECK_FALSE(FitIsotonic(few, std::vector<bool>(60, true)));
  std::vector<double> scores;
  std::vector<bool> happened;
  for (int i = 0; i < 400; ++i) scores.push_back(i), happened.push_back(i < 200);
  CHECK_FALSE(FitIsotonic(scores, happened));
}

TEST_CASE("knots that do not rise are refused", "[calibration_curve]") {
  const auto wrong = [](std::vector<CalibrationKnot> knots) {
    return std::string(CalibrationCurve::Of(std::move(knots)).status().message());
  };
  CHECK(wrong({{0, 0}}) == "must be 2 to 20 knots: 1");
  CHECK(wrong({{0, 0}, {1, 0}}).starts_with("knot 1: score and calibrated must be numbers from -100 to 100, above"));
  CHECK(wrong({{0, 0}, {0, 1}}).starts_with("knot 1: "));
  CHECK(wrong({{NAN, 0}, {1, 1}}).starts_with("knot 0: "));
  CHECK(wrong({{0, 0}, {1, INFINITY}}).starts_with("knot 1: "));
}

}  // namespace
}  // namespace portrait
