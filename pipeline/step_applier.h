// Applies steps to the rows of a task, live and in replay alike.
//
// In replay and live alike it goes by these rules:
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
  uint64_t swept = 0;                            // rows
  std::map<std::string, uint64_t> dead_letters;  // by code
};

// One thread.
class StepApplier {
 public:
  // `chain` is in force until a switch; it and all that come after it must outlive the applier.
  StepApplier(const Chain& chain, const EngineOptions& options, RowSet& rows, OutputSink& sink)
      : chain_(&chain), options_(options), rows_(rows), sink_(sink), calendar_(options.zone) {}

  // Errors are those of the row store, and DataLoss: a state in the row is damaged. The task cannot go on.
  absl::Status Input(uint64_t step, const portrait::Input& input, uint64_t floor, Duration now);
  void Tick(int64_t time_us);

  // Live: fires the timers at or before the watermark, of at most `max_rows` rows, and returns the bound up to which
  // all have fired; nothing when none was due (then there was no step).
  absl::StatusOr<std::optional<TimerHint>> FireDue(uint64_t step, int max_rows, Duration now);
  // Replay: fires up to the bound.
  absl::Status FireUpTo(uint64_t step, const TimerHint& bound, uint64_t floor, Duration now);

  // Another edition of the chain comes into force. Unless its rules, its shadow and its models are those of before,
  // all rows are to be swept: asked whether the new ones change them.
  void Switch(const Chain& chain, const v1::Switch& to);
  // The edition of the state that was set.
  void UseChain(const Chain& chain) { chain_ = &chain; }
  // Live: sweeps about `rows` rows more, and returns how far it has come. No timer may be due.
  absl::StatusOr<v1::Sweep> SweepSome(uint64_t step, size_t rows, Duration now);
  // Replay: sweeps up to the bound.
  absl::Status SweepUpTo(uint64_t step, const v1::Sweep& bound, uint64_t floor, Duration now);

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

  // Takes hints out of the index; the rows of those that come next are read together.
  class DueHints;

  absl::Status Damage(const RowState& row, std::string_view customer_id) const;

  struct Swept {
    std::string customer_id;
    std::string row;  // as stored; empty: not there
  };
  // The next rows of the sweep, at least one unless it is at the end.
  absl::StatusOr<std::vector<Swept>> NextOfSweep(size_t at_most, bool& at_end);
  absl::Status SweepRow(uint64_t step, const Swept& swept, uint64_t floor, Duration now);
  void HasSwept(const v1::Sweep& bound);

  const Chain* chain_;
  const EngineOptions& options_;
  RowSet& rows_;
  OutputSink& sink_;
  Calendar calendar_;
  v1::TaskState state_;
  // Not yet swept: rows that the store did not have when the sweep began. A recovery in the middle of a sweep has them
  // where it needs them: while such a row has no image, the floor is below the switch, which is then replayed.
  std::vector<std::string> unwritten_;
  AppliedCounts counts_;
  bool skipped_ = false;
};

}  // namespace portrait
