#include "operators/models/quantile_sketch.h"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <cmath>
#include <functional>
#include <limits>
#include <random>
#include <string>
#include <vector>

namespace portrait {
namespace {

constexpr double kShares[] = {0, 0.001, 0.2, 0.25, 0.4, 0.5, 0.6, 0.8, 0.999, 1};

double Exact(const std::vector<double>& sorted, double share) {
  const auto rank = static_cast<size_t>(std::ceil(share * static_cast<double>(sorted.size()) - 1e-9));
  return sorted[std::max<size_t>(rank, 1) - 1];
}

TEST_CASE("a sketch of few different numbers is exact, ties included", "[quantile_sketch]") {
  std::mt19937_64 random(1);
  for (int population = 0; population < 50; ++population) {
    QuantileSketch sketch({.error = 0.1, .exact_values = 200});
    std::vector<double> numbers(1 + random() % 5000);
    const uint64_t different = 1 + random() % 200;
    for (double& number : numbers) {
      number = static_cast<double>(random() % different) / 7;
      sketch.Add(number);
    }
    std::ranges::sort(numbers);
    INFO(numbers.size() << " numbers, " << different << " different");
    for (const double share : kShares) REQUIRE(sketch.Quantile(share) == Exact(numbers, share));
    CHECK(sketch.exact());
    CHECK(sketch.count() == numbers.size());
  }
}

// How far a quantile is off: the share of the numbers by which its rank misses, were it among its equals.
double Off(const std::vector<double>& sorted, double share, double value) {
  const auto [below, up_to] = std::ranges::equal_range(sorted, value);
  REQUIRE(below != up_to);  // it is one of the numbers
  const auto n = static_cast<double>(sorted.size());
  const double rank = std::max(1.0, std::ceil(share * n - 1e-9));
  const auto first = static_cast<double>(below - sorted.begin() + 1),
             last = static_cast<double>(up_to - sorted.begin());
  return std::max({0.0, first - rank, rank - last}) / n;
}

TEST_CASE("ranks of quantiles are within the error that is stated, in whatever order numbers come",
          "[quantile_sketch]") {
  std::mt19937_64 random(2);
  const std::vector<std::pair<std::string, std::function<double(int)>>> streams = {
      {"rising", [](int i) { return i; }},
      {"falling", [](int i) { return -i; }},
      {"from both ends", [](int i) { return i % 2 == 0 ? i : -i; }},
      {"to the middle", [](int i) { return i % 2 == 0 ? 1.0 / (i + 1) : -1.0 / (i + 1); }},
      {"normal", [&](int) { return std::normal_distribution<>()(random); }},
      {"with a long tail", [&](int) { return std::exp(3 * std::normal_distribution<>()(random)); }},
      {"cents, many equal", [&](int) { return std::round(std::exp(std::normal_distribution<>(2, 1)(random)) * 20); }},
      {"half of them equal",
       [&](int) { return random() % 2 == 0 ? 0.5 : std::uniform_real_distribution<>()(random); }}};
  for (const double error : {0.05, 0.005, 0.0005}) {
    for (const auto& [name, next] : streams) {
      QuantileSketch sketch({.error = error, .exact_values = 100});
      std::vector<double> numbers;
      for (int i = 0; i < 60'000; ++i) {
        numbers.push_back(next(i));
        sketch.Add(numbers.back());
        if (i != 999 && i != 59'999) continue;
        auto sorted = numbers;
        std::ranges::sort(sorted);
        INFO(name << ", error " << error << ", " << i + 1 << " numbers, " << sketch.held() << " held");
        for (const double share : kShares) REQUIRE(Off(sorted, share, sketch.Quantile(share)) <= error);
      }
      INFO(name << ", error " << error << ", " << sketch.held() << " held");
      CHECK(static_cast<double>(sketch.held()) <= 20 / error);
    }
  }
}

TEST_CASE("a sketch that forgets holds little and is not exact any more", "[quantile_sketch]") {
  QuantileSketch sketch({.error = 0.01, .exact_values = 1000});
  for (int i = 0; i < 1000; ++i) sketch.Add(i);
  CHECK(sketch.exact());
  for (int i = 1000; i < 200'000; ++i) sketch.Add(i);
  CHECK_FALSE(sketch.exact());
  CHECK(sketch.held() <= 1000);
}

TEST_CASE("odd numbers have a place, and an empty sketch no quantile", "[quantile_sketch]") {
  QuantileSketch sketch;
  CHECK(std::isnan(sketch.Quantile(0.5)));
  for (const double number : {std::numeric_limits<double>::infinity(), double{NAN}, 3.0}) sketch.Add(number);
  CHECK(sketch.Quantile(0) == -std::numeric_limits<double>::infinity());
  CHECK(sketch.Quantile(0.5) == 3);
  CHECK(sketch.Quantile(1) == std::numeric_limits<double>::infinity());
  CHECK(sketch.count() == 3);
}

}  // namespace
}  // namespace portrait
