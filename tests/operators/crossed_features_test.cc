#include "operators/models/crossed_features.h"

#include <catch2/catch_approx.hpp>
#include <catch2/catch_test_macros.hpp>

namespace portrait {
namespace {

using Catch::Approx;

TEST_CASE("products are those of distances from the mean, drawn in", "[crossed_features]") {
  const std::vector<double> rows = {1, 10, 5,   //
                                    3, 30, 5};  // means 2, 20, 5; spreads 1, 10, 0
  const CrossedFeatures crossed(rows, 3, {0, 1, 2});
  REQUIRE(crossed.products() == 6);
  const double row[] = {4, 25, 9};
  const std::vector<double> want = {4, 25, 9, 4, 1, 0, 0.25, 0, 0};
  REQUIRE(crossed.Of(row).size() == want.size());
  for (size_t i = 0; i < want.size(); ++i) CHECK(crossed.Of(row)[i] == Approx(want[i]));
  const double far[] = {1e12, 10, 5};
  CHECK(crossed.Of(far)[3] == Approx(CrossedFeatures::kReach * CrossedFeatures::kReach));
  CHECK(crossed.Of(far)[4] == Approx(-CrossedFeatures::kReach));
}

TEST_CASE("nothing multiplied leaves rows as they are", "[crossed_features]") {
  const double row[] = {4, 25};
  CHECK(CrossedFeatures().Of(row) == std::vector<double>{4, 25});
  CHECK(CrossedFeatures({}, 2, {0}).Of(row) == std::vector<double>{4, 25, 0});  // learned from no row
}

}  // namespace
}  // namespace portrait
