// A task owns one partition index of every source, and the rows of the customers that hash there. It merges the
// sources' records into one order, applies them step by step, and hands out what one transaction must carry.
//
// The worker that owns it calls, on its one thread:
//   Start (after recovery) ▸ { Add ▸ Advance ▸ [Freeze ▸ transaction ▸ Stage ▸ Write ▸ Settle] } …
// A task whose transaction did not commit is thrown away and recovered.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "operators/chain.h"
#include "pipeline/chain_catalog.h"
#include "pipeline/emitter.h"
#include "pipeline/fifo.h"
#include "pipeline/input.h"
#include "pipeline/journal.h"
#include "pipeline/journal_places.h"
#include "pipeline/merge.h"
#include "pipeline/options.h"
#include "pipeline/row_set.h"
#include "pipeline/step_applier.h"

namespace portrait {

// Where a task goes on; the outcome of recovery.
struct TaskPosition {
  std::string lineage;
  uint64_t last_step = 0;
  v1::TaskState state;
  std::vector<int64_t> next_offsets;  // by source
  std::vector<int64_t> known_ends;    // of the sources, as far as known; -1 = unknown
  int64_t changelog_position = 0;     // the store holds every changelog record below it
  v1::EntryId last_entry;             // of the journal entry that this is the outcome of; unset: of none yet
  JournalPlaces journal;
};

// Where a transaction's records of one task have come to lie: see TransactionalProducer::WrittenEnd.
struct WrittenEnds {
  int64_t changelog = -1;
  int64_t journal = -1;
};

// What one transaction carries for one task.
struct TaskCommit {
  v1::JournalEntry entry;
  std::vector<RowImage> images;
  Emitter::Batch outputs;
  std::vector<int64_t> next_offsets;
  int64_t emission_us = 0;  // of the outputs, once they are written
};

class Task {
 public:
  // Everything but the store must outlive the task.
  Task(int32_t partition, int32_t partitions, ChainCatalog& chains, const EngineOptions& options, EventDecoder& decoder,
       std::unique_ptr<RowStore> store, size_t cache_bytes);

  int32_t partition() const { return partition_; }
  void Start(TaskPosition position);

  void Add(Record record);

  enum class Progress {
    kBusy,     // there is more to apply at once
    kWaiting,  // waits for a source that is known to have more
    kIdle,     // nothing is known to come
    kSweeping  // the same as idle or waiting, but that rows are being swept, or many timers are due: call again when
               // there is time
  };
  // Applies at most `max_steps`. `now` is monotonic, `wall` the wall time for ticks.
  absl::StatusOr<Progress> Advance(size_t max_steps, Duration now, Timestamp wall, const Merge::EndOffset& end_offset);

  // Whether a transaction has anything to carry: steps, or rows that wait for an image or their removal.
  bool HasProgress() const {
    return log_.steps() > 0 || rows_.dirty() > 0 || rows_.HasRemovals(position_.journal.floor());
  }
  // `hand_over`: all dirty rows get an image, so that whoever comes next replays nothing.
  // `between` is called now and then meanwhile, and may look at rows.
  TaskCommit Freeze(v1::EntryId id, Duration now, bool hand_over, const std::function<void()>& between = {});
  // After its commit: Stage; when that is something, Write it, and Settle. Within Write others may look at rows.
  std::optional<RowSet::Staged> Stage(TaskCommit commit, const WrittenEnds& ends, Timestamp wall);
  absl::Status Write(const RowSet::Staged& staged) { return rows_.Write(staged); }
  void Settle(const RowSet::Staged& staged) { rows_.Settle(staged); }
  // Makes the store durable, so that the next start restores nothing. After the last Settle.
  absl::Status Flush() { return rows_.store().Flush(); }

  bool HasSteps() const { return log_.steps() > 0; }
  void LimitCache(size_t bytes) { rows_.LimitCache(bytes); }
  const TaskPosition& position() const { return position_; }
  // The journal's entries below this offset are needed by no recovery: a committed floor has passed them.
  int64_t JournalNeededFrom() const { return position_.journal.NeededFrom(); }
  // Of the records that wait, in memory, about.
  size_t buffered_bytes(size_t source) const { return waiting_[source].bytes; }
  // Results of the open transaction.
  size_t result_bytes() const { return emitter_.bytes(); }
  // The cache holds more than it should, for rows that wait for their images: a commit would help.
  bool crowded() const { return rows_.crowded(); }
  int64_t Lag(size_t source, int64_t end_offset) const { return merge_.Lag(source, end_offset); }
  const RowSet& rows() const { return rows_; }
  AppliedCounts TakeCounts() { return std::exchange(applier_.counts(), {}); }
  std::map<std::string, ShadowChanges> TakeShadowChanges() { return emitter_.TakeShadow(); }
  ShadowCounts TakeShadowCounts() { return emitter_.TakeShadowCounts(); }
  std::optional<Timestamp> watermark() const { return applier_.watermark(); }
  uint64_t last_step() const { return position_.last_step; }
  // The last step that is known to be committed.
  uint64_t last_committed() const { return last_committed_; }

 private:
  friend class Recovery;

  // The records of one source that are not yet decoded, and the events of those that are.
  struct Waiting {
    Fifo<Record> records;
    size_t bytes = 0;
    EventArena events;
  };

  void DecodeNext();
  void AddDue(int64_t highest_us);
  absl::Status ApplyNext(Duration now, Timestamp wall);
  absl::StatusOr<bool> FireDue(Duration now);
  bool Tick(Timestamp wall);
  void FollowEdition();
  absl::Status SweepBesideBacklog(Duration now);
  absl::Status UseEdition(std::string_view rules, int64_t control_position);
  absl::Status Sweep(Duration now);
  v1::StoreMeta Meta(Timestamp wall) const;
  // More timers are due than fire at once, and somebody waits for what comes in.
  bool InStorm() const;

  const int32_t partition_;
  ChainCatalog& chains_;
  const EngineOptions& options_;
  ChainCatalog::Edition edition_;  // in force
  std::vector<std::string> topics_;
  std::vector<Waiting> waiting_;  // by source
  Intake intake_;
  Merge merge_;
  RowSet rows_;
  Emitter emitter_;
  StepApplier applier_;
  std::vector<std::string_view> decoded_;  // customers of the inputs that were just decoded, and of due_
  std::vector<std::string> due_;           // whose timers these inputs make due
  StepLog log_;
  TaskPosition position_;
  size_t since_sweep_ = 0;       // steps
  bool live_ = false;            // the latest input is of now
  int inputs_first_ = 0;         // so many inputs come before timers, because of a storm
  uint64_t committed_step_ = 0;  // last step of the last entry
  uint64_t last_committed_ = 0;
  v1::TaskState before_;      // the state at the start of the transaction
  Timestamp stored_as_of_{};  // as-of in the store; 0 = not known
};

}  // namespace portrait
