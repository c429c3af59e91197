// Brings a store of rows up by the changelog. A restore before a task starts, and a standby that keeps the rows of
// somebody else's task warm, are the same loop: they differ in how far they go, and in how often.
//
//   ChangelogFollower follower(*store, *reader, clock, {.topic = "portrait.changelog", .partition = 3,
//                              .lineage = lineage, .position = position, .as_of_us = as_of, .last_step = last});
//   if (absl::Status s = follower.Open(range.end, asked); !s.ok()) ...
//   for (bool done = false; !done;) { auto more = follower.Advance(2000, seconds(1)); ... done = *more; }
//
// 1. Records of one customer come in the order of their numbers, and the store holds nothing that the changelog does
//    not: so what comes last is right, and is written over what is there.
// 2. Rows and position go into the store in one batch, so whatever ends the loop, the next one begins where the store
//    stands.
// 3. The as-of time moves only when an end that was asked for has been reached, to the moment in which it was asked
//    for; and only while the changelog still had every tombstone written since the last as-of time. A process that
//    slept for longer may have missed removals.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "pipeline/changelog_batch.h"
#include "pipeline/ports/clock.h"
#include "pipeline/ports/log_reader.h"
#include "state/row_store.h"

namespace portrait {

// One thread. Store, reader and clock must outlive it.
class ChangelogFollower {
 public:
  struct Options {
    std::string topic;
    int32_t partition = 0;
    std::string lineage;
    int64_t position = 0;                // the store holds every record below it
    size_t batch_bytes = 32 << 20;       // of rows, gathered before they are written
    int64_t as_of_us = 0;                // when the store last knew the end of the changelog
    uint64_t last_step = 0;              // of the store's last commit
    Duration tombstones_kept = days(7);  // by the changelog: see EngineOptions
    // A row beyond this step is ahead of the journal. A standby does not know the journal: it takes what is committed.
    uint64_t step_limit = std::numeric_limits<uint64_t>::max();
  };
  ChangelogFollower(RowStore& store, LogReader& reader, const Clock& clock, Options options);

  // Goes for this end, which was asked for at `asked`, from where the store stands. OutOfRange: the log does not hold
  // that.
  absl::Status Open(int64_t end, Timestamp asked);

  // Takes up to `max_records` into the store, in one batch, or fewer when that is full. True: the end is reached, and
  // the cursor closed. Unavailable: nothing came within the timeout; call again. DataLoss: a record is no row, or ahead
  // of the journal. Aborted: it took so long that tombstones may be gone; whoever opens the store again will find it
  // too old.
  absl::StatusOr<bool> Advance(size_t max_records, Duration timeout);

  // The changelog, asked at `asked`, had nothing beyond the position. Aborted as above.
  absl::Status NothingNew(Timestamp asked);

  int64_t position() const { return position_; }
  uint64_t rows() const { return rows_; }  // taken so far

 private:
  absl::Status Take(const Record& record);
  absl::Status ReachedEnd(Timestamp asked);
  absl::Status Write(int64_t position);

  RowStore& store_;
  LogReader& reader_;
  const Clock& clock_;
  const Options options_;
  std::unique_ptr<LogCursor> cursor_;
  ChangelogBatch batch_;
  int64_t position_;
  int64_t end_ = 0;
  Timestamp asked_{};  // for it
  int64_t as_of_us_;
  int64_t stored_as_of_us_ = 0;
  uint64_t last_step_;
  uint64_t rows_ = 0;
};

}  // namespace portrait
