// The few names (categories, products …) that a customer turns to most, by a score that halves with time.
//
//   RankingAdd(*state.mutable_categories(), "shoes", time, day, {.weight = 2, .views = 1}, {.half_life = days(30)});
//   for (const RankedName& ranked : RankingAt(state.categories(), moment)) …
//
// Score. An event of weight w at time t is worth w · 2^(-(d - t) / half-life) all through the day that begins at d, so
// a little more than w on its own day. Scores are kept as they would be at one common earlier time, so that nothing
// must be touched as time passes and a late event is worth what it would have been in its place: forward decay
// (Cormode, Shkapenyuk, Srivastava, Xu: Forward Decay, ICDE 2009).
//
// Bound. At most `entries` names, each cut at kRankedNameBytes. A new name takes the place of the one that scores
// lowest and inherits its score for the purpose of staying, as in Space-Saving (Metwally, Agrawal, El Abbadi: Efficient
// Computation of Frequent and Top-k Elements in Data Streams, ICDT 2005); otherwise newcomers would push out each other
// for ever. The score that is told is only what the name earned itself since it came in, and so are views and clicks.
//
// A name of 8 bytes takes some 20 bytes, at most 75; with recent views up to 10 more. All names lie in one piece of
// memory. Pure; as thread-safe as the message.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "absl/container/inlined_vector.h"
#include "absl/functional/function_ref.h"
#include "operators/time.h"
#include "portrait/v1/state/ranking.pb.h"

namespace portrait {

inline constexpr size_t kRankedNameBytes = 40;
inline constexpr Duration kDefaultHalfLife = days(30);

struct RankingOptions {
  int entries = 8;
  Duration half_life = kDefaultHalfLife;  // at least a day
  bool recent = false;                    // whether views_30d is kept
};

// What an event adds to a name.
struct Signal {
  double weight = 0;
  uint32_t views = 0;
  uint32_t clicks = 0;
};

// `day` is the local day of `time`. Empty names are passed over.
void RankingAdd(v1::state::Ranking& ranking, std::string_view name, Timestamp time, int32_t day, const Signal& signal,
                const RankingOptions& options);

struct RankedName {
  std::string_view name;  // valid until the ranking changes
  double score = 0;
  int64_t views = 0;
  int64_t clicks = 0;
  int64_t views_30d = 0;  // counted in steps of five days; a step counts when its middle day lies in the window
  int64_t days_since = 0;
};

// Highest score first, equal ones by name.
absl::InlinedVector<RankedName, 8> RankingAt(const v1::state::Ranking& ranking, const Moment& at);

// Appends what decides what a ranking tells, at any moment.
void RankingKeep(const v1::state::Ranking& ranking, std::string& kept);

// Visits the names in which a ranking differs from what was kept of it, both as they are told at one moment; perhaps
// others, too. Null: the name has come, or has gone.
void RankingChanges(std::string_view kept, const v1::state::Ranking& ranking, const Moment& at,
                    absl::FunctionRef<void(const RankedName* before, const RankedName* after)> visit);

}  // namespace portrait
