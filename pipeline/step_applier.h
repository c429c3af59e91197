// Applies steps to the rows of a task, live and in replay alike.
//
// The rules:
//  1. Every step runs through the task state. A row takes it only if step >= floor and the row's own number < step.
//     Live, the floor is 0 and every row takes every step.
//  2. A firing takes all timers up to its bound, in the order (time, customer, operator, id), also those set meanwhile.
//  3. An event is late when its time is at or below the watermark before its step.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "operators/chain.h"
#include "pipeline/input.h"
#include "pipeline/options.h"
#include "pipeline/row_set.h"
#include "portrait/v1/journal.pb.h"

namespace portrait {

// What was applied since somebody last looked.
struct AppliedCounts {
  uint64_t steps = 0;
  uint64_t late = 0;
  uint64_t duplicates = 0;
  uint64_t timers = 0;
  std::map<std::string, uint64_t> dead_letters;  // by code
};

// One thread.
class StepApplier {
 public:
  StepApplier(const Chain& chain, const EngineOptions& options, RowSet& rows, OutputSink& sink)
      : chain_(chain), options_(options), rows_(rows), sink_(sink), calendar_(options.zone) {}

  // Errors are those of the row store, and DataLoss: a state in the row is damaged. The task cannot go on.
  absl::Status Input(uint64_t step, const portrait::Input& input, uint64_t floor, Duration now);
  void Tick(int64_t time_us);

  // Live: fires the timers at or before the watermark, of at most `max_rows` rows, and returns the bound up to which
  // all have fired; nothing when none was due (then there was no step).
  absl::StatusOr<std::optional<TimerHint>> FireDue(uint64_t step, int max_rows, Duration now);
  // Replay: fires up to the bound.
  absl::Status FireUpTo(uint64_t step, const TimerHint& bound, uint64_t floor, Duration now);

  // Nothing before the first event or tick.
  std::optional<Timestamp> watermark() const;
  const v1::TaskState& state() const { return state_; }
  void set_state(const v1::TaskState& state) { state_ = state; }
  AppliedCounts& counts() { return counts_; }
  // Set when a row did not take a step of the replay because it is ahead.
  bool skipped() const { return skipped_; }
  void clear_skipped() { skipped_ = false; }

 private:
  // Fires the row's timers due at the hint's time, if that is truly its first. True when it was.
  absl::StatusOr<bool> FireHint(uint64_t step, const TimerHint& hint, uint64_t floor, Duration now,
                                std::vector<TimerHint>* ahead);

  absl::Status Damage(const CachedRow& row) const;

  const Chain& chain_;
  const EngineOptions& options_;
  RowSet& rows_;
  OutputSink& sink_;
  Calendar calendar_;
  v1::TaskState state_;
  AppliedCounts counts_;
  bool skipped_ = false;
};

}  // namespace portrait
