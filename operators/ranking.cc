#include "operators/ranking.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <type_traits>

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

// What all entries of a ranking are told by.
struct Base {
  int32_t at_day = 0;
  int32_t step = 0;
  int64_t half_life_us = 0;

  explicit Base(const Ranking& ranking)
      : at_day(ranking.at_day()), step(ranking.step()), half_life_us(ranking.half_life_us()) {}
  explicit Base(std::string_view bytes) { std::memcpy(this, bytes.data(), sizeof *this); }
  bool operator==(const Base&) const = default;

  Duration HalfLife() const { return half_life_us == 0 ? kDefaultHalfLife : Duration(half_life_us); }
  double HalfLivesUntil(Timestamp time) const {
    const Duration since = time.time_since_epoch() - days(at_day);
    return static_cast<double>(since.count()) / static_cast<double>(HalfLife().count());
  }
};
static_assert(std::has_unique_object_representations_v<Base>);

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
    const Base base(ranking_);
    if (all_.empty() || base.HalfLife() != half_life || base.HalfLivesUntil(time) > kHalfLivesMax) {
      const int32_t day = UtcDay(time);
      Rebase(all_.empty() ? day : std::max(day, ranking_.at_day()), half_life);
    }
    return std::exp2(Base(ranking_).HalfLivesUntil(time));
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
    const double factor = std::exp2(-Base(ranking_).HalfLivesUntil(Timestamp(days(day))));
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

// Tells of entries at one moment. Not of the very moment, but of its day: rules look at it again when a day begins, and
// until then it must not move.
class Teller {
 public:
  Teller(const Base& base, const Moment& at)
      : day_(at.day),
        factor_(std::exp2(-base.HalfLivesUntil(Timestamp(days(at.day))))),
        within_(StepsWithin(base.step, at.day)) {}

  RankedName Tell(const Entry& entry) const {
    return {.name = entry.name,
            .score = (static_cast<double>(entry.score) - entry.inherited) * factor_,
            .views = entry.views,
            .clicks = entry.clicks,
            .views_30d = RecentViews(entry.recent, within_),
            .days_since = std::max(0, day_ - entry.last_day)};
  }

 private:
  // The steps of recent views that lie in the 30 days up to `today`.
  static uint64_t StepsWithin(int32_t step, int32_t today) {
    int32_t age = 0;
    while (age < kSteps && (step - age) * kStepDays + kStepDays / 2 > today - 30) ++age;
    return (uint64_t{1} << (age * kStepBits)) - 1;
  }

  static int64_t RecentViews(uint64_t recent, uint64_t within) {
    uint64_t views = 0;
    for (uint64_t steps = recent & within; steps != 0; steps >>= kStepBits) views += steps & kStepMax;
    return static_cast<int64_t>(views);
  }

  int32_t day_;
  double factor_;
  uint64_t within_;
};

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
  const Teller teller(Base(ranking), at);
  absl::InlinedVector<RankedName, 8> out;
  for (PackedReader in(ranking.entries()); !in.done();) out.push_back(teller.Tell(ReadEntry(in, ranking.at_day())));
  std::sort(out.begin(), out.end(), [](const RankedName& a, const RankedName& b) {
    return a.score != b.score ? a.score > b.score : a.name < b.name;
  });
  return out;
}

void RankingKeep(const Ranking& ranking, std::string& kept) {
  const Base base(ranking);
  kept.append(reinterpret_cast<const char*>(&base), sizeof base);
  kept.append(ranking.entries());
}

// Entries keep their places, so what an event has changed is mostly one of them, and all others are the same bytes.
void RankingChanges(std::string_view kept, const Ranking& ranking, const Moment& at,
                    absl::FunctionRef<void(const RankedName* before, const RankedName* after)> visit) {
  const Base base_before(kept), base_after(ranking);
  const std::string_view before = kept.substr(sizeof(Base)), after = ranking.entries();
  const bool comparable = base_before == base_after;
  if (comparable && before == after) return;
  const Teller tell_before(base_before, at);
  const Teller tell_after = comparable ? tell_before : Teller(base_after, at);

  absl::InlinedVector<Entry, 2> gone, come;
  PackedReader in_before(before), in_after(after);
  while (!in_before.done() && !in_after.done()) {
    const size_t from = in_before.position();
    const Entry was = ReadEntry(in_before, base_before.at_day);
    const std::string_view bytes = before.substr(from, in_before.position() - from);
    if (comparable && after.substr(in_after.position(), bytes.size()) == bytes) {
      in_after.Text(bytes.size());
      continue;
    }
    const Entry is = ReadEntry(in_after, base_after.at_day);
    if (was.name != is.name) {
      gone.push_back(was);
      come.push_back(is);
      continue;
    }
    const RankedName told_before = tell_before.Tell(was), told_after = tell_after.Tell(is);
    visit(&told_before, &told_after);
  }
  while (!in_before.done()) gone.push_back(ReadEntry(in_before, base_before.at_day));
  while (!in_after.done()) come.push_back(ReadEntry(in_after, base_after.at_day));
  for (const Entry& is : come) {
    const auto was = std::find_if(gone.begin(), gone.end(), [&](const Entry& entry) { return entry.name == is.name; });
    const RankedName told_after = tell_after.Tell(is);
    if (was == gone.end()) {
      visit(nullptr, &told_after);
      continue;
    }
    const RankedName told_before = tell_before.Tell(*was);
    visit(&told_before, &told_after);
    gone.erase(was);
  }
  for (const Entry& was : gone) {
    const RankedName told_before = tell_before.Tell(was);
    visit(&told_before, nullptr);
  }
}

}  // namespace portrait
