#include "operators/ranking.h"

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "operators/text.h"

namespace portrait {
namespace {

using v1::state::Ranking;

// Scores grow by 2^(time since at_day / half-life); float goes to 2^127.
constexpr double kHalfLivesMax = 24;

constexpr int32_t kStepDays = 5;
constexpr int32_t kSteps = 7;  // 30 days touch seven steps
constexpr int32_t kStepBits = 9;
constexpr uint64_t kStepMax = (1u << kStepBits) - 1;
constexpr uint64_t kAllSteps = (uint64_t{1} << (kSteps * kStepBits)) - 1;

int32_t StepOf(int32_t day) { return day / kStepDays - (day % kStepDays < 0 ? 1 : 0); }

int32_t UtcDay(Timestamp time) {
  return static_cast<int32_t>(std::chrono::floor<days>(time).time_since_epoch().count());
}

Duration HalfLife(const Ranking& ranking) {
  return ranking.half_life_us() == 0 ? kDefaultHalfLife : Duration(ranking.half_life_us());
}

double HalfLivesSince(const Ranking& ranking, Timestamp time) {
  const Duration since = time.time_since_epoch() - days(ranking.at_day());
  return static_cast<double>(since.count()) / static_cast<double>(HalfLife(ranking).count());
}

// Makes `day` the time at which scores are told, and the half-life the one of the options.
void Rebase(Ranking& ranking, int32_t day, Duration half_life) {
  const double factor = std::exp2(-HalfLivesSince(ranking, Timestamp(days(day))));
  for (float& score : *ranking.mutable_score()) score = static_cast<float>(score * factor);
  for (float& score : *ranking.mutable_inherited()) score = static_cast<float>(score * factor);
  for (int32_t& last : *ranking.mutable_last_day()) last -= day - ranking.at_day();
  ranking.set_at_day(day);
  ranking.set_half_life_us(half_life == kDefaultHalfLife ? 0 : half_life.count());
}

// What an event of weight 1 at `time` adds to a score as it is kept.
double Worth(Ranking& ranking, Timestamp time, Duration half_life) {
  if (ranking.name_size() == 0 || HalfLife(ranking) != half_life || HalfLivesSince(ranking, time) > kHalfLivesMax) {
    const int32_t day = UtcDay(time);
    Rebase(ranking, ranking.name_size() == 0 ? day : std::max(day, ranking.at_day()), half_life);
  }
  return std::exp2(HalfLivesSince(ranking, time));
}

int Find(const Ranking& ranking, std::string_view name) {
  for (int i = 0; i < ranking.name_size(); ++i) {
    if (ranking.name(i) == name) return i;
  }
  return -1;
}

int Append(Ranking& ranking, std::string_view name, int32_t day, const RankingOptions& options) {
  ranking.add_name()->assign(name);
  ranking.add_score(0);
  if (ranking.inherited_size() > 0) ranking.add_inherited(0);
  ranking.add_views(0);
  ranking.add_clicks(0);
  ranking.add_last_day(day - ranking.at_day());
  if (options.recent) ranking.add_recent(0);
  return ranking.name_size() - 1;
}

// Gives the place of the lowest score to the newcomer, who inherits that score.
int Replace(Ranking& ranking, std::string_view name, int32_t day) {
  const auto& scores = ranking.score();
  const int at = static_cast<int>(std::min_element(scores.begin(), scores.end()) - scores.begin());
  ranking.mutable_name(at)->assign(name);
  ranking.mutable_inherited()->Resize(ranking.name_size(), 0);
  ranking.set_inherited(at, ranking.score(at));
  ranking.set_views(at, 0);
  ranking.set_clicks(at, 0);
  ranking.set_last_day(at, day - ranking.at_day());
  if (at < ranking.recent_size()) ranking.set_recent(at, 0);
  return at;
}

void CountRecent(Ranking& ranking, int at, int32_t day) {
  const int32_t step = StepOf(day);
  if (const int32_t ahead = step - ranking.step(); ahead > 0) {
    for (uint64_t& views : *ranking.mutable_recent()) {
      views = ahead >= kSteps ? 0 : (views << (ahead * kStepBits)) & kAllSteps;
    }
    ranking.set_step(step);
  }
  const int32_t age = ranking.step() - step;
  if (age >= kSteps) return;
  const int shift = age * kStepBits;
  const uint64_t views = ranking.recent(at);
  if (((views >> shift) & kStepMax) < kStepMax) ranking.set_recent(at, views + (uint64_t{1} << shift));
}

// The steps of a name's recent views that lie in the 30 days up to `today`.
uint64_t StepsWithin(const Ranking& ranking, int32_t today) {
  int32_t age = 0;
  while (age < kSteps && (ranking.step() - age) * kStepDays + kStepDays / 2 > today - 30) ++age;
  return (uint64_t{1} << (age * kStepBits)) - 1;
}

int64_t RecentViews(const Ranking& ranking, int at, uint64_t within) {
  if (at >= ranking.recent_size()) return 0;
  uint64_t views = 0;
  for (uint64_t steps = ranking.recent(at) & within; steps != 0; steps >>= kStepBits) views += steps & kStepMax;
  return static_cast<int64_t>(views);
}

}  // namespace

void RankingAdd(Ranking& ranking, std::string_view name, Timestamp time, int32_t day, const Signal& signal,
                const RankingOptions& options) {
  if (name.empty()) return;
  name = Clip(name, kRankedNameBytes);
  const double worth = signal.weight * Worth(ranking, time, options.half_life);
  int at = Find(ranking, name);
  if (at < 0) {
    at = ranking.name_size() < options.entries ? Append(ranking, name, day, options) : Replace(ranking, name, day);
  }
  ranking.set_score(at, static_cast<float>(ranking.score(at) + worth));
  ranking.set_views(at, ranking.views(at) + signal.views);
  ranking.set_clicks(at, ranking.clicks(at) + signal.clicks);
  ranking.set_last_day(at, std::max(ranking.last_day(at), day - ranking.at_day()));
  if (options.recent && signal.views > 0) CountRecent(ranking, at, day);
}

absl::InlinedVector<RankedName, 8> RankingAt(const Ranking& ranking, const Moment& at) {
  // Not of the very moment: rules look at it again when a day begins, and until then it must not move.
  const double factor = std::exp2(-HalfLivesSince(ranking, Timestamp(days(at.day))));
  const uint64_t within = StepsWithin(ranking, at.day);
  absl::InlinedVector<RankedName, 8> out;
  out.reserve(static_cast<size_t>(ranking.name_size()));
  for (int i = 0; i < ranking.name_size(); ++i) {
    const double inherited = i < ranking.inherited_size() ? ranking.inherited(i) : 0;
    out.push_back({.name = ranking.name(i),
                   .score = (ranking.score(i) - inherited) * factor,
                   .views = ranking.views(i),
                   .clicks = ranking.clicks(i),
                   .views_30d = RecentViews(ranking, i, within),
                   .days_since = std::max(0, at.day - ranking.at_day() - ranking.last_day(i))});
  }
  std::sort(out.begin(), out.end(), [](const RankedName& a, const RankedName& b) {
    return a.score != b.score ? a.score > b.score : a.name < b.name;
  });
  return out;
}

}  // namespace portrait
