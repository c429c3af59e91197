// Which customers may have a timer due, by time.
//
// Entries far ahead lie in the row store, beside the rows; in memory are those whose time is near, and those that the
// store does not have yet. So neither a start nor the memory depends on how many customers have timers.
//
// The index is a hint, the row is the truth:
//  1. For every row with timers there is an entry at or before its first timer, in memory or in the store at or beyond
//     the open end. So nothing due is missed.
//  2. The store's entry of a stored row is exactly at that row's first timer: both are written in one batch. Others may
//     be left over (of versions of a row that a restore has passed): whoever takes one looks at the row.
//  3. Every entry of the store below the open end has been read.
// A timer that only moves later (the usual case: silence starts anew with every event) costs nothing before its row is
// stored.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "absl/container/btree_set.h"
#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "state/row_store.h"
#include "state/timer_hint.h"

namespace portrait {

// One thread.
class TimerIndex {
 public:
  // The store must outlive the index.
  explicit TimerIndex(RowStore& store) : store_(store) {}

  // Into memory.
  void Add(int64_t time_us, std::string_view customer_id);
  // Out of memory; nothing when it is not there.
  void Remove(int64_t time_us, std::string_view customer_id);

  // Whether an entry that the store has stands for itself: it will be read from there when its time is near.
  bool StoreStandsFor(int64_t time_us, std::string_view customer_id) const;

  // Nothing in the index lies before this. Cheap.
  int64_t NotBeforeUs() const;

  // Takes the first entry below `end`, if there is one. Errors are those of the store.
  absl::StatusOr<std::optional<TimerHint>> TakeBelow(const TimerHint& end);
  // Calls `visit(customer_id)` for the first entries in memory that are below `end`, of at most `at_most`, in order:
  // the next ones to be taken, unless others come before them.
  void VisitBelow(const TimerHint& end, size_t at_most, absl::FunctionRef<void(std::string_view)> visit) const;

  size_t in_memory() const { return near_.size(); }
  // Begins anew with what the store has.
  void Reset();

 private:
  absl::Status OpenMore(int64_t until_us);

  RowStore& store_;
  absl::btree_set<TimerHint> near_;
  TimerHint open_end_{INT64_MIN, ""};
};

}  // namespace portrait
