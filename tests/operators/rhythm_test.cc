#include "operators/rhythm.h"

#include <catch2/catch_approx.hpp>
#include <catch2/catch_test_macros.hpp>
#include <cmath>
#include <vector>

namespace portrait {
namespace {

using Catch::Approx;

double MeanDays(const std::vector<int32_t>& gaps) { return std::exp(RhythmOf(gaps).log_mean); }

TEST_CASE("a rhythm is the geometric mean of the pauses", "[rhythm]") {
  CHECK(MeanDays({10, 40}) == Approx(20));
  CHECK(MeanDays({30, 30, 30}) == Approx(30));
  CHECK(RhythmOf({}).gaps == 0);
  CHECK(RhythmOf({30, 30, 30}).log_spread == Approx(0).margin(1e-12));
}

TEST_CASE("one odd pause hardly moves a rhythm", "[rhythm]") {
  CHECK(MeanDays({28, 31, 30, 29, 30, 31}) == Approx(29.8).margin(0.1));
  CHECK(MeanDays({28, 31, 30, 29, 30, 300}) == Approx(30.9).margin(0.5));
  CHECK(MeanDays({28, 31, 30, 29, 30, 1}) == Approx(28.5).margin(0.7));
  CHECK(RhythmOf({28, 31, 30, 29, 30, 300}).log_spread < 0.15);
}

TEST_CASE("few pauses are drawn to the population, many speak for themselves", "[rhythm]") {
  const RhythmPrior prior;
  CHECK(QuantileDays(Shrunk(RhythmOf({}), prior), 0) == Approx(std::exp(3.27)));
  const double one = QuantileDays(Shrunk(RhythmOf({7}), prior), 0);
  const double eight = QuantileDays(Shrunk(RhythmOf({7, 7, 7, 7, 7, 7, 7, 7}), prior), 0);
  CHECK(one > eight);
  CHECK(one < std::exp(3.27));
  CHECK(eight < 12);
}

TEST_CASE("an irregular customer may pause longer than a regular one before that is odd", "[rhythm]") {
  const RhythmPrior prior;
  const Rhythm regular = Shrunk(RhythmOf({30, 30, 31, 29, 30, 30}), prior);
  const Rhythm irregular = Shrunk(RhythmOf({5, 90, 12, 100, 20, 60}), prior);
  CHECK(QuantileDays(regular, 1.645) < QuantileDays(irregular, 1.645));
  CHECK(QuantileDays(regular, 1.645) > 30);
}

}  // namespace
}  // namespace portrait
