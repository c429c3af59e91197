// The rows of one task: in a write-back cache, stored behind it, with their timers indexed. In the cache a row is its
// stored bytes, and beside them those states decoded that were asked for since its last image.
//
// 1. Rows go out lazily, longest dirty first. An image is a row as of the last step applied to it; it goes into the
//    changelog within the transaction, and into the store after its commit, never before.
// 2. The floor is the lowest step that some row's image does not yet hold, counting the images of the transaction that
//    is being written.
// 3. A row leaves the cache only when the store holds its latest image.
// 4. An erased row stays as "gone" with its number, in changelog and store, until a committed floor has passed that
//    number: no replay can then ask for it. Only then it is removed: a tombstone in the changelog, and from the store.
#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "operators/chain.h"
#include "portrait/v1/journal.pb.h"
#include "state/row_cache.h"
#include "state/row_store.h"
#include "state/timer_index.h"

namespace portrait {

struct CachedRow {
  std::string customer_id;
  uint64_t number = 0;  // of the last step applied; 0 = a new row
  RowState state;

  uint64_t dirty_from = 0;              // the first step that no image holds; 0 = none
  uint64_t in_flight = 0;               // the number of an image that is not yet in the store; 0 = none
  Duration dirty_since{};               // monotonic
  int64_t hinted_us = INT64_MAX;        // the timer index has an entry at or before this
  int64_t later_hint_us = INT64_MAX;    // and one at this in memory, which was added before; none: the maximum
  int64_t stored_timer_us = INT64_MAX;  // the store's entry of this row, counting the images on their way
  uint64_t fired_in = 0;                // the firing step that has fired timers of this row
  uint64_t witnessed_in = 0;            // first step of the transaction in which the row was picked as a witness
  uint64_t gone_at = 0;                 // its number as it waits for its removal; 0 = it does not
  uint64_t stored_gone = 0;             // that number in the store's list, counting the images on their way; 0 = none

  size_t bytes = 0;
  bool referenced = true;
  bool read_ahead = false;  // and not asked for since
  bool hint_added = false;  // to the timer index, and not taken since
  bool evictable() const { return dirty_from == 0 && in_flight == 0; }
};

// A row as it goes into changelog and store.
struct RowImage {
  std::string customer_id;
  uint64_t number = 0;
  std::optional<std::string> row;  // nothing: the row is removed
  bool gone = false;
  // What changes in the store's index of timers, and in its list of rows that are gone.
  int64_t timer_removed_us = INT64_MAX;  // INT64_MAX: nothing
  int64_t timer_added_us = INT64_MAX;
  uint64_t gone_removed = 0;  // 0: nothing
  uint64_t gone_added = 0;
};

// One thread.
class RowSet {
 public:
  RowSet(const Chain& chain, std::unique_ptr<RowStore> store, size_t cache_bytes)
      : chain_(chain), store_(std::move(store)), cache_(cache_bytes), timers_(*store_) {}

  // The customer's row, made if there is none. Valid until the next call, but for Touched and Index.
  absl::StatusOr<CachedRow*> Get(std::string_view customer_id);

  // These customers' rows will be asked for soon. Those that are not in memory are read from the store, all at once;
  // the others are brought into the processor's cache: a row that is used while its memory is still cold costs as much
  // time as all work on it. What cannot be read is left to Get, which says why.
  void Prefetch(const std::vector<std::string_view>& customer_ids);

  // The customer's row where it is in memory. Not a use of it.
  CachedRow* Find(std::string_view customer_id) { return cache_.Peek(customer_id); }
  // Of the rows in memory, those that the store may not have; in the order of its keys.
  std::vector<std::string> Unwritten() const;

  // The row has taken this step; `now` is monotonic.
  void Touched(CachedRow& row, uint64_t step, Duration now);

  // Makes the index know the row's first timer. After every change to its timers.
  void Index(CachedRow& row);
  // The row's hint of this time came out of the index. False: an earlier one stands for the row. Else the row is to be
  // looked at, and Index follows.
  bool TakeHint(CachedRow& row, int64_t time_us);
  TimerIndex& timers() { return timers_; }
  const TimerIndex& timers() const { return timers_; }
  // The hint came out of the index, and no timer of its row was due. When the store has it by mistake, it goes from
  // there.
  absl::Status Disproved(const CachedRow& row, const TimerHint& hint);

  // Images of the rows that have been dirty longest: a share of them that keeps every row within `checkpoint_interval`
  // when it is called every `commit_interval`, and all that are older; as many more as it takes for the cache to come
  // back to its limit; or all, on a hand-over.
  struct Pace {
    Duration commit_interval;
    Duration checkpoint_interval;
    bool all = false;
  };
  // `between` is called now and then meanwhile, and may look at rows.
  std::vector<RowImage> TakeImages(const Pace& pace, Duration now, const std::function<void()>& between = {});
  // Adds the removals of rows that are gone and that the floor of the last committed transaction has passed.
  void TakeRemovals(uint64_t committed_floor, std::vector<RowImage>& images);
  bool HasRemovals(uint64_t committed_floor) const { return !gone_.empty() && gone_.begin()->number < committed_floor; }
  // The floor of the transaction that takes these images, when `last` is its last step.
  uint64_t Floor(uint64_t last) const { return dirty_.empty() ? last + 1 : dirty_.front()->dirty_from; }
  // Checksums of up to 16 rows touched since `first`.
  std::vector<v1::Witness> TakeWitnesses(uint64_t first);
  uint64_t Checksum(const CachedRow& row) const;

  // The transaction with these images is committed, so they go into the store: what is written is made, then written,
  // then the rows are told so, and the cache may shrink. No row is touched in between.
  struct Staged {
    struct Written {
      CachedRow* row;
      uint64_t number;
      bool gone;
    };
    RowBatch batch;
    std::vector<Written> rows;  // those in the cache
  };
  Staged Stage(std::vector<RowImage> images, const v1::StoreMeta& meta);
  // Copy and CopyStored may be called by another thread meanwhile.
  absl::Status Write(const Staged& staged) { return store_->Write(staged.batch); }
  void Settle(const Staged& staged);

  // Begins with what the store has, and returns the highest number of its rows. DataLoss when that is beyond `last`,
  // the last step of the journal.
  absl::StatusOr<uint64_t> Load(uint64_t last);

  // A copy of what is stored of a customer, or would be by now; nothing: no row. Changes nothing: it is no use of the
  // row. DataLoss and the like from the store.
  absl::StatusOr<std::optional<std::string>> Copy(std::string_view customer_id, bool& cached) const;

  // The same of customers whose rows are in the store, after one of them, in the order of its keys.
  absl::StatusOr<std::vector<std::pair<std::string, std::string>>> CopyStored(std::string_view after,
                                                                              size_t at_most) const;

  RowStore& store() { return *store_; }
  size_t dirty() const { return dirty_.size(); }
  // Over the limit by so much that images should be taken at once.
  bool crowded() const {
    constexpr size_t kLeast = 1 << 20;
    return !dirty_.empty() && cache_.bytes() > cache_.limit_bytes() + std::max(kLeast, cache_.limit_bytes() / 8);
  }
  void LimitCache(size_t bytes) { cache_.Limit(bytes); }
  const RowCache<CachedRow>& cache() const { return cache_; }
  uint64_t hits() const { return hits_; }
  uint64_t misses() const { return misses_; }

 private:
  // A row that the cache does not have, as the store has it.
  absl::StatusOr<CachedRow*> Keep(std::string_view customer_id, std::optional<std::string_view> stored);
  void ReadAhead();
  void LeaveToStore(CachedRow& row);
  // Whether the store's own entry of a row stands for itself.
  bool StoreHasTimer(const CachedRow& row) const;
  void Shrink();
  static size_t BytesAtRest(const CachedRow& row);
  size_t BytesInUse(const CachedRow& row) const;  // a guess
  void Measure(const CachedRow& row, size_t stored_bytes);

  const Chain& chain_;
  std::unique_ptr<RowStore> store_;
  RowCache<CachedRow> cache_;
  TimerIndex timers_;
  std::deque<CachedRow*> dirty_;  // in the order of dirty_from
  std::vector<CachedRow*> witnesses_;
  std::set<GoneRow> gone_;            // stored as gone, and not touched since
  v1::StoreMeta meta_;                // as stored
  std::vector<TimerHint> disproved_;  // to be removed from the store's index
  std::vector<GoneRow> came_back_;    // to be removed from the store's list of rows that are gone
  std::vector<const CachedRow*> fetched_;
  std::vector<std::string_view> missing_;
  mutable std::string scratch_;
  double decoded_per_stored_byte_ = 3;  // what the decoded messages of a row in use take, measured now and then
  double mean_stored_bytes_ = 256;
  uint32_t measured_ = 0;
  uint64_t hits_ = 0;
  uint64_t misses_ = 0;
};

}  // namespace portrait
