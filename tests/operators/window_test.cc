#include "operators/window.h"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <cstdlib>
#include <map>
#include <random>
#include <string>

#include "absl/strings/str_cat.h"

namespace portrait {
namespace {

using Window = std::string;

// All days, each by itself.
struct Exact {
  struct Day {
    int64_t count = 0, sum = 0;
  };
  std::map<int32_t, Day> days;

  void Add(int32_t day, int64_t count, int64_t sum) {
    days[day].count += count;
    days[day].sum += sum;
  }
  Day Over(int32_t after, int32_t until) const {
    Day out;
    for (auto it = days.upper_bound(after); it != days.end() && it->first <= until; ++it) {
      out.count += it->second.count;
      out.sum += it->second.sum;
    }
    return out;
  }
};

std::string Print(const Window& window) {
  std::string out;
  for (const WindowBucket& bucket : WindowBuckets(window)) {
    const std::string last = bucket.last > bucket.first ? absl::StrCat("-", bucket.last) : "";
    const std::string sum = bucket.sum != 0 ? absl::StrCat("/", bucket.sum) : "";
    absl::StrAppend(&out, out.empty() ? "" : " ", bucket.first, last, ":", bucket.count, sum);
  }
  return out;
}

TEST_CASE("a window keeps no more days than are asked for", "[window]") {
  Window window;
  for (const int day : {100, 101, 107}) WindowAdd(window, day, 1, 5, /*keep=*/7);
  CHECK(Print(window) == "101:1/5 107:1/5");
  WindowAdd(window, 100, 1, 5, 7);  // late: for the lifetime alone
  CHECK(Print(window) == "101:1/5 107:1/5");
  CHECK(WindowSum(window, 107, 7) == 10);
  CHECK(LifetimeCount(window) == 4);
  WindowAdd(window, 108, 1, 5, 30);
  CHECK(WindowCount(window, 108, 30) == 3);
}

TEST_CASE("a window counts today and the days before it", "[window]") {
  Window window;
  WindowAdd(window, 100, 1);
  WindowAdd(window, 100, 2);
  WindowAdd(window, 106, 1);
  CHECK(Print(window) == "100:3 106:1");
  CHECK(WindowCount(window, 106, 1) == 1);
  CHECK(WindowCount(window, 106, 7) == 4);
  CHECK(WindowCount(window, 107, 7) == 1);
  CHECK(WindowCount(window, 600, 365) == 0);
  CHECK(LifetimeCount(window) == 4);
  CHECK(WindowSum(window, 106, 7) == 0);
}

TEST_CASE("a late day goes to where it belongs, and one of more than a year ago to the lifetime alone", "[window]") {
  Window window;
  WindowAdd(window, 1000, 1, 50);
  WindowAdd(window, 990, 1, 40);
  WindowAdd(window, 995, 1, 30);
  WindowAdd(window, 990, 1, 5);
  CHECK(Print(window) == "990:2/45 995:1/30 1000:1/50");
  WindowAdd(window, 1000 - 365, 1, 7);
  CHECK(Print(window) == "990:2/45 995:1/30 1000:1/50");
  CHECK(LifetimeCount(window) == 5);
  CHECK(LifetimeSum(window) == 132);
  WindowAdd(window, 990, -1, -45);
  CHECK(WindowSum(window, 1000, 30) == 80);
}

TEST_CASE("the day on which something leaves a window is known beforehand", "[window]") {
  Window window;
  CHECK_FALSE(WindowNextChange(window, 10, 30).has_value());
  WindowAdd(window, 10, 1);
  WindowAdd(window, 12, 1);
  CHECK(WindowNextChange(window, 12, 30) == 40);
  CHECK(WindowNextChange(window, 40, 30) == 42);
  CHECK_FALSE(WindowNextChange(window, 42, 30).has_value());
}

TEST_CASE("a customer who is active on few days is counted exactly, whatever the order", "[window]") {
  std::mt19937 random(7);
  for (int round = 0; round < 50; ++round) {
    Window window;
    Exact exact;
    for (int i = 0; i < kWindowBuckets; ++i) {
      const auto day = 20'000 - static_cast<int32_t>(random() % 365);
      const auto sum = static_cast<int64_t>(random() % 1000) - 100;
      WindowAdd(window, day, 1, sum);
      exact.Add(day, 1, sum);
    }
    for (int days : {1, 7, 30, 90, 365}) {
      INFO("round " << round << ", last " << days << " days");
      REQUIRE(WindowCount(window, 20'000, days) == exact.Over(20'000 - days, 20'000).count);
      REQUIRE(WindowSum(window, 20'000, days) == exact.Over(20'000 - days, 20'000).sum);
    }
  }
}

// Half a joined bucket on either side of the window's edge is what may be wrong.
void CheckAgainst(const Exact& exact, const Window& window, int32_t today) {
  for (const auto& [days, cell] : {std::pair{1, 1}, {2, 1}, {7, 1}, {8, 1}, {30, 7}, {90, 7}, {91, 7}, {365, 28}}) {
    const int32_t edge = today - days, slack = cell - 1;
    const auto count = WindowCount(window, today, days);
    INFO("today " << today << ", last " << days << " days: " << Print(window));
    REQUIRE(count >= exact.Over(edge + slack, today).count);
    REQUIRE(count <= exact.Over(edge - slack, today).count);
    const auto sum = WindowSum(window, today, days);
    REQUIRE(sum >= exact.Over(edge + slack, today).sum);
    REQUIRE(sum <= exact.Over(edge - slack, today).sum);
  }
  REQUIRE(LifetimeCount(window) == exact.Over(-1'000'000, 1'000'000).count);
  REQUIRE(LifetimeSum(window) == exact.Over(-1'000'000, 1'000'000).sum);
}

TEST_CASE("any history is counted within the documented error and space", "[window]") {
  const char* given = std::getenv("PORTRAIT_SEED");
  const auto base = given ? static_cast<uint32_t>(std::strtoul(given, nullptr, 10)) : 1u;
  for (uint32_t seed = base; seed < base + 60; ++seed) {
    INFO("PORTRAIT_SEED=" << seed);
    std::mt19937 random(seed);
    const uint32_t pause = 1 + random() % 12, late_in = 1 + random() % 20, most_late = 1 + random() % 500;
    Window window;
    Exact exact;
    int32_t today = seed % 3 == 0 ? -300 : 20'000;  // days before 1970 too
    for (int i = 0; i < 1500; ++i) {
      today += static_cast<int32_t>(random() % pause);
      if (random() % 200 == 0) today += static_cast<int32_t>(random() % 400);
      const bool late = random() % late_in == 0;
      const int32_t day = late ? today - static_cast<int32_t>(random() % most_late) : today;
      const auto count = static_cast<int64_t>(random() % 5), sum = static_cast<int64_t>(random() % 100'000'000);
      WindowAdd(window, day, count, sum);
      exact.Add(day, count, sum);
      const std::vector<WindowBucket> buckets = WindowBuckets(window);
      REQUIRE(buckets.size() <= kWindowBuckets);
      REQUIRE(buckets.back().first == buckets.back().last);
      REQUIRE(window.size() <= 420);
      if (i % 10 == 0) CheckAgainst(exact, window, today + (random() % 4 == 0 ? 3 : 0));
    }
  }
}

TEST_CASE("numbers beyond all reason saturate and stay within the bytes", "[window]") {
  Window window;
  for (int32_t day = 0; day < 2000; ++day) WindowAdd(window, day, INT64_MAX / 2, INT64_MIN / 2);
  CHECK(WindowCount(window, 1999, 365) == INT64_MAX);
  CHECK(WindowSum(window, 1999, 365) == INT64_MIN);
  CHECK(window.size() <= 1200);
}

}  // namespace
}  // namespace portrait
