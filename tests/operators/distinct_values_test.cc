#include "operators/distinct_values.h"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <map>
#include <random>
#include <string>

#include "absl/strings/str_cat.h"

namespace portrait {
namespace {

TEST_CASE("different values are counted once each, as long as one of their times is within the window", "[distinct]") {
  std::string seen;
  CHECK(DistinctCount(seen, 100, 7) == 0);
  CHECK_FALSE(DistinctNextChange(seen, 100, 7));
  DistinctAdd(seen, "a", 100, 30);
  DistinctAdd(seen, "b", 101, 30);
  DistinctAdd(seen, "a", 103, 30);
  DistinctAdd(seen, "b", 99, 30);  // late, and seen later already
  CHECK(DistinctCount(seen, 103, 7) == 2);
  CHECK(DistinctCount(seen, 103, 2) == 1);
  CHECK(DistinctCount(seen, 108, 7) == 1);
  CHECK(DistinctNextChange(seen, 103, 7) == 108);
  CHECK(DistinctNextChange(seen, 108, 7) == 110);
  CHECK(seen.size() == 16);
}

TEST_CASE("what lies too far back is forgotten, and of too many values the oldest are", "[distinct]") {
  std::string seen;
  DistinctAdd(seen, "a", 100, 30);
  DistinctAdd(seen, "b", 130, 30);
  CHECK(seen.size() == 8);
  DistinctAdd(seen, "late", 100, 30);
  CHECK(seen.size() == 8);
  for (int i = 0; i < 200; ++i) DistinctAdd(seen, absl::StrCat("v", i), 131 + i / 100, 30);
  CHECK(seen.size() == 8 * kDistinctMost);
  CHECK(DistinctCount(seen, 132, 30) == kDistinctMost);
  CHECK(DistinctCount(seen, 132, 1) == kDistinctMost);
}

TEST_CASE("as an account of all values has it, in whatever order they come", "[distinct]") {
  std::mt19937 random(7);
  for (int life = 0; life < 50; ++life) {
    std::string seen;
    std::map<std::string, int32_t> last;
    int32_t newest = 0;
    for (int i = 0; i < 100; ++i) {
      const std::string value = absl::StrCat("v", random() % 30);
      const auto time = static_cast<int32_t>(500 + i + random() % 20);
      newest = std::max(newest, time);
      DistinctAdd(seen, value, time, 40);
      const auto [known, fresh] = last.emplace(value, time);
      if (!fresh) known->second = std::max(known->second, time);
      for (const int length : {1, 7, 40}) {
        const auto within = [&](const auto& v) { return v.second > newest - length; };
        REQUIRE(DistinctCount(seen, newest, length) == std::count_if(last.begin(), last.end(), within));
      }
    }
  }
}

}  // namespace
}  // namespace portrait
