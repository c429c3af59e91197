// Which customers may have a timer due, by time.
//
// The index is a hint, the row is the truth:
//  1. For every row with timers there is an entry at or before its first timer. So nothing due is missed.
//  2. An entry may be stale: its row's first timer may lie later, or be gone. Whoever takes an entry looks at the row.
// A timer that only moves later (the usual case: silence starts anew with every event) so costs nothing here.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace portrait {

// Ordered by time, then customer: the order in which timers of different customers fire.
struct TimerHint {
  int64_t time_us = 0;
  std::string customer_id;

  friend auto operator<=>(const TimerHint&, const TimerHint&) = default;
};

// One thread. Entries far ahead lie unsorted in buckets of time; only the bucket whose time has come is kept in order.
class TimerIndex {
 public:
  void Add(int64_t time_us, std::string_view customer_id);

  // A time at or before the earliest entry (of a bucket not yet open: its lower edge), or nothing. Cheap.
  std::optional<int64_t> NotBeforeUs() const;

  // Takes the first entry that is not after `bound`.
  std::optional<TimerHint> TakeUpTo(const TimerHint& bound);
  // Takes the first entry whose time is at or before this.
  std::optional<TimerHint> TakeUpTo(int64_t time_us);

  size_t size() const { return size_; }
  void Clear();

 private:
  static constexpr int64_t kBucketUs = 600'000'000;  // ten minutes
  static int64_t BucketOf(int64_t time_us);
  void OpenUntilNonEmpty();
  TimerHint TakeFirst();

  std::vector<TimerHint> open_;                        // a heap, earliest first; all of buckets below open_end_
  int64_t open_end_ = INT64_MIN;                       // buckets below this are open
  std::map<int64_t, std::vector<TimerHint>> buckets_;  // those not yet open
  size_t size_ = 0;
};

}  // namespace portrait
