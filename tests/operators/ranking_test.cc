#include "operators/ranking.h"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <cmath>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "operators/testing/harness.h"

namespace portrait {
namespace {

using v1::state::Ranking;

constexpr RankingOptions kOptions{.entries = 3, .half_life = days(10), .recent = true};

Moment Day(int day) { return {Timestamp(days(day)), day}; }

void View(Ranking& ranking, std::string_view name, int day, double weight = 1, RankingOptions options = kOptions) {
  RankingAdd(ranking, name, Day(day).time, day, {.weight = weight, .views = 1}, options);
}

std::string Scores(const Ranking& ranking, int day) {
  std::string out;
  for (const RankedName& ranked : RankingAt(ranking, Day(day))) {
    absl::StrAppend(&out, out.empty() ? "" : " ", std::string(ranked.name), "=", absl::StrFormat("%.4g", ranked.score));
  }
  return out;
}

TEST_CASE("a score halves with every half-life") {
  Ranking ranking;
  View(ranking, "shoes", 20'000, 4);
  View(ranking, "hats", 20'010, 1);
  CHECK(Scores(ranking, 20'010) == "shoes=2 hats=1");
  CHECK(Scores(ranking, 20'030) == "shoes=0.5 hats=0.25");
}

TEST_CASE("a late event is worth what it would have been in its place, and no later day is taken from it") {
  Ranking in_order, late;
  View(in_order, "a", 20'000), View(in_order, "b", 20'020), View(in_order, "a", 20'025);
  View(late, "a", 20'025), View(late, "b", 20'020), View(late, "a", 20'000);
  CHECK(Scores(in_order, 20'025) == Scores(late, 20'025));
  CHECK(RankingAt(late, Day(20'025))[0].days_since == 0);
}

TEST_CASE("years of silence let a score vanish and nothing overflows") {
  Ranking ranking;
  View(ranking, "a", 20'000);
  for (int day = 20'000; day < 40'000; day += 100) View(ranking, "b", day);
  CHECK(Scores(ranking, 39'900) == "b=1.001 a=0");
}

TEST_CASE("another half-life holds from the next event on") {
  Ranking ranking;
  View(ranking, "a", 20'000, 8);
  View(ranking, "b", 20'010, 1, {.entries = 3, .half_life = kDefaultHalfLife, .recent = true});
  CHECK(Scores(ranking, 20'010) == "a=4 b=1");
  CHECK(Scores(ranking, 20'040) == "a=2 b=0.5");
}

TEST_CASE("where there is no room the lowest leaves, and the newcomer tells only what it earned itself") {
  Ranking ranking;
  View(ranking, "a", 20'000, 5), View(ranking, "b", 20'000, 2), View(ranking, "c", 20'000, 3);
  View(ranking, "d", 20'000, 1);
  CHECK(Scores(ranking, 20'000) == "a=5 c=3 d=1");
  View(ranking, "b", 20'000, 1);  // d and c are level at 3 (d inherited 2), and d has the earlier place
  CHECK(Scores(ranking, 20'000) == "a=5 c=3 b=1");
}

TEST_CASE("a frequent name gets in between many that come once") {
  Ranking ranking;
  for (int i = 0; i < 5; ++i) View(ranking, "a", 20'000), View(ranking, "b", 20'000);
  for (int i = 0; i < 40; ++i) {
    View(ranking, absl::StrCat("once ", i), 20'000);
    View(ranking, "frequent", 20'000);
  }
  CHECK(RankingAt(ranking, Day(20'000))[0].name == "frequent");
  CHECK(RankingAt(ranking, Day(20'000))[0].views > 30);
}

TEST_CASE("views of the last 30 days are right but for the days of one step") {
  std::mt19937 random(11);
  Ranking ranking;
  std::vector<int> views;
  int today = 20'000;
  for (int i = 0; i < 3'000; ++i) {
    today += static_cast<int>(random() % 3) == 0 ? 1 : 0;
    if (random() % 500 == 0) today += 40;
    const int day = today - static_cast<int>(random() % 3);  // a little late
    views.push_back(day);
    View(ranking, "a", day);
    auto within = [&](int window) {
      return std::count_if(views.begin(), views.end(), [&](int d) { return d > today - window; });
    };
    const int64_t told = RankingAt(ranking, Day(today))[0].views_30d;
    INFO("event " << i << ", told " << told);
    CHECK(told >= within(28));
    CHECK(told <= within(32));
  }
}

TEST_CASE("names are cut, empty ones are passed over, and a full ranking stays within its bytes") {
  Ranking ranking;
  View(ranking, "", 20'000);
  CHECK(ranking.ByteSizeLong() == 0);
  const RankingOptions full{.entries = 8, .half_life = days(29), .recent = true};
  for (int i = 0; i < 20'000; ++i)
    View(ranking, absl::StrCat(i % 50, std::string(100, 'x')), 20'000 + i / 100, 4, full);
  CHECK(RankingAt(ranking, Day(20'200)).size() == 8);
  CHECK(ranking.ByteSizeLong() < 600);
}

// As a rule would compare them.
auto Told(const RankedName& ranked) {
  return std::tuple(ranked.score, ranked.views, ranked.clicks, ranked.views_30d, ranked.days_since);
}

TEST_CASE("what has changed since a ranking was kept is what differs in it, told of as it is told at that moment") {
  std::mt19937 random(12);
  Ranking ranking;
  int today = 20'000, visited = 0, differ = 0;
  for (int i = 0; i < 3'000; ++i) {
    if (random() % 4 == 0) today += static_cast<int>(random() % (random() % 20 == 0 ? 400 : 3));
    std::string kept;
    RankingKeep(ranking, kept);
    const Ranking before = ranking;
    for (size_t events = random() % 3; events > 0; --events) {
      View(ranking, std::string(1, static_cast<char>('a' + random() % 6)), today - static_cast<int>(random() % 3));
    }
    std::map<std::string, std::pair<std::optional<RankedName>, std::optional<RankedName>>> names, changes;
    for (const RankedName& name : RankingAt(before, Day(today))) names[std::string(name.name)].first = name;
    for (const RankedName& name : RankingAt(ranking, Day(today))) names[std::string(name.name)].second = name;
    RankingChanges(kept, ranking, Day(today), [&](const RankedName* was, const RankedName* is) {
      auto& change = changes[std::string((was != nullptr ? was : is)->name)];
      if (was != nullptr) change.first = *was;
      if (is != nullptr) change.second = *is;
      ++visited;
    });
    for (const auto& [name, told] : names) {
      const auto& [was, is] = told;
      const bool same = was && is && Told(*was) == Told(*is);
      differ += same ? 0 : 1;
      INFO("event " << i << ", " << name);
      const auto change = changes.find(name);
      REQUIRE((same || change != changes.end()));
      if (change == changes.end()) continue;
      REQUIRE(was.has_value() == change->second.first.has_value());
      REQUIRE(is.has_value() == change->second.second.has_value());
      REQUIRE((!was || Told(*was) == Told(*change->second.first)));
      REQUIRE((!is || Told(*is) == Told(*change->second.second)));
    }
  }
  CHECK(differ > 1'000);
  CHECK(visited < 2 * differ);  // not all of them each time
}

}  // namespace
}  // namespace portrait
