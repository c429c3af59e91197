#include "operators/ranking.h"

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "operators/packed.h"
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

// One name. Packed: a byte with its length, kHasInherited and kHasRecent; the name; its score as it would be
// at the start of at_day; its views and clicks; its last local day, less at_day; the other two where they are not 0.
struct Entry {
  std::string_view name;
  float score = 0;
  float inherited = 0;  // the part of the score that comes from the name whose place was taken
  uint32_t views = 0;
  uint32_t clicks = 0;
  int32_t last_day = 0;
  uint64_t recent = 0;  // views by steps of days, nine bits a step, the ranking's step in the lowest ones
};
constexpr uint8_t kHasInherited = 0x40, kHasRecent = 0x80;
static_assert(kRankedNameBytes < kHasInherited);
constexpr size_t kEntryBytes = 1 + kRankedNameBytes + 2 * sizeof(float) + 4 * PackedWriter::kVarint;  // at most

// Of the name: it points into the bytes.
Entry ReadEntry(PackedReader& in, int32_t at_day) {
  Entry entry;
  const uint8_t head = in.Byte();
  entry.name = in.Text(head & (kHasInherited - 1));
  entry.score = in.Float();
  entry.views = static_cast<uint32_t>(in.Unsigned());
  entry.clicks = static_cast<uint32_t>(in.Unsigned());
  entry.last_day = at_day + static_cast<int32_t>(in.Signed());
  if (head & kHasInherited) entry.inherited = in.Float();
  if (head & kHasRecent) entry.recent = in.Unsigned();
  return entry;
}

void WriteEntry(const Entry& entry, int32_t at_day, PackedWriter& out) {
  out.Byte(static_cast<uint8_t>(entry.name.size() | (entry.inherited != 0 ? kHasInherited : 0) |
                                (entry.recent != 0 ? kHasRecent : 0)));
  out.Text(entry.name);
  out.Float(entry.score);
  out.Unsigned(entry.views);
  out.Unsigned(entry.clicks);
  out.Signed(entry.last_day - at_day);
  if (entry.inherited != 0) out.Float(entry.inherited);
  if (entry.recent != 0) out.Unsigned(entry.recent);
}

// All of a ranking, taken apart to be changed. Names point into the ranking until it is written.
class Entries {
 public:
  explicit Entries(Ranking& ranking) : ranking_(ranking) {
    for (PackedReader in(ranking.entries()); !in.done();) all_.push_back(ReadEntry(in, ranking.at_day()));
  }

  // The place of a name, taken from the lowest score where there is no room: the newcomer inherits that score.
  Entry& PlaceFor(std::string_view name, int32_t day, int most) {
    const auto found = std::find_if(all_.begin(), all_.end(), [&](const Entry& entry) { return entry.name == name; });
    if (found != all_.end()) return *found;
    if (all_.size() < static_cast<size_t>(most)) {
      return all_.emplace_back(Entry{.name = name, .last_day = day});
    }
    Entry& lowest =
        *std::min_element(all_.begin(), all_.end(), [](const Entry& a, const Entry& b) { return a.score < b.score; });
    lowest = {.name = name, .score = lowest.score, .inherited = lowest.score, .last_day = day};
    return lowest;
  }

  // What an event of weight 1 at `time` adds to a score as it is kept.
  double Worth(Timestamp time, Duration half_life) {
    if (all_.empty() || HalfLife(ranking_) != half_life || HalfLivesSince(ranking_, time) > kHalfLivesMax) {
      const int32_t day = UtcDay(time);
      Rebase(all_.empty() ? day : std::max(day, ranking_.at_day()), half_life);
    }
    return std::exp2(HalfLivesSince(ranking_, time));
  }

  void CountRecent(Entry& entry, int32_t day) {
    const int32_t step = StepOf(day);
    if (const int32_t ahead = step - ranking_.step(); ahead > 0) {
      for (Entry& one : all_) one.recent = ahead >= kSteps ? 0 : (one.recent << (ahead * kStepBits)) & kAllSteps;
      ranking_.set_step(step);
    }
    const int32_t age = ranking_.step() - step;
    if (age >= kSteps) return;
    const int shift = age * kStepBits;
    if (((entry.recent >> shift) & kStepMax) < kStepMax) entry.recent += uint64_t{1} << shift;
  }

  void Write() const {
    absl::InlinedVector<uint8_t, 8 * kEntryBytes> bytes(all_.size() * kEntryBytes);
    PackedWriter out(bytes.data());
    for (const Entry& entry : all_) WriteEntry(entry, ranking_.at_day(), out);
    ranking_.set_entries(out.data(), out.size());
  }

 private:
  // Makes `day` the time at which scores are told, and the half-life the one of the options.
  void Rebase(int32_t day, Duration half_life) {
    const double factor = std::exp2(-HalfLivesSince(ranking_, Timestamp(days(day))));
    for (Entry& entry : all_) {
      entry.score = static_cast<float>(entry.score * factor);
      entry.inherited = static_cast<float>(entry.inherited * factor);
    }
    ranking_.set_at_day(day);
    ranking_.set_half_life_us(half_life == kDefaultHalfLife ? 0 : half_life.count());
  }

  Ranking& ranking_;
  absl::InlinedVector<Entry, 8> all_;
};

// The steps of a name's recent views that lie in the 30 days up to `today`.
uint64_t StepsWithin(const Ranking& ranking, int32_t today) {
  int32_t age = 0;
  while (age < kSteps && (ranking.step() - age) * kStepDays + kStepDays / 2 > today - 30) ++age;
  return (uint64_t{1} << (age * kStepBits)) - 1;
}

int64_t RecentViews(uint64_t recent, uint64_t within) {
  uint64_t views = 0;
  for (uint64_t steps = recent & within; steps != 0; steps >>= kStepBits) views += steps & kStepMax;
  return static_cast<int64_t>(views);
}

}  // namespace

void RankingAdd(Ranking& ranking, std::string_view name, Timestamp time, int32_t day, const Signal& signal,
                const RankingOptions& options) {
  if (name.empty()) return;
  name = Clip(name, kRankedNameBytes);
  Entries entries(ranking);
  const double worth = signal.weight * entries.Worth(time, options.half_life);
  Entry& entry = entries.PlaceFor(name, day, options.entries);
  entry.score = static_cast<float>(entry.score + worth);
  entry.views += signal.views;
  entry.clicks += signal.clicks;
  entry.last_day = std::max(entry.last_day, day);
  if (options.recent && signal.views > 0) entries.CountRecent(entry, day);
  entries.Write();
}

absl::InlinedVector<RankedName, 8> RankingAt(const Ranking& ranking, const Moment& at) {
  // Not of the very moment: rules look at it again when a day begins, and until then it must not move.
  const double factor = std::exp2(-HalfLivesSince(ranking, Timestamp(days(at.day))));
  const uint64_t within = StepsWithin(ranking, at.day);
  absl::InlinedVector<RankedName, 8> out;
  for (PackedReader in(ranking.entries()); !in.done();) {
    const Entry entry = ReadEntry(in, ranking.at_day());
    out.push_back({.name = entry.name,
                   .score = (static_cast<double>(entry.score) - entry.inherited) * factor,
                   .views = entry.views,
                   .clicks = entry.clicks,
                   .views_30d = RecentViews(entry.recent, within),
                   .days_since = std::max(0, at.day - entry.last_day)});
  }
  std::sort(out.begin(), out.end(), [](const RankedName& a, const RankedName& b) {
    return a.score != b.score ? a.score > b.score : a.name < b.name;
  });
  return out;
}

}  // namespace portrait
