// Brings a task to where its last commit left it: local rows, then the changelog, then a replay of the journal's tail.
//
//   (i) committed offsets, stable ones  (ii) then the ends of journal and changelog  (iii) the journal's tail, read
//   committed, until past its end  (iv) rows up from the store's position by the changelog  (v) replay from the entry
//   that holds the floor, outputs discarded  (vi) every check below  (vii) go on after the last entry.
//
// Every recovery is a test of determinism: step numbers, task states, run counts, offsets, witness rows and digests of
// outputs are compared, and what differs stops the worker with a message that names it. Local state is never wiped.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "pipeline/ports/clock.h"
#include "pipeline/ports/group_consumer.h"
#include "pipeline/ports/log_reader.h"
#include "pipeline/recovery_progress.h"
#include "pipeline/task.h"

namespace portrait {

struct RecoveryReport {
  uint64_t rows_local = 0;
  uint64_t rows_restored = 0;  // from the changelog
  uint64_t steps_replayed = 0;
  uint64_t digests_compared = 0;
  uint64_t witnesses_compared = 0;
  // How long its parts took: offsets, ends and the journal's tail; the restore; the replay.
  Duration reading{}, restoring{}, replaying{};
};

class Recovery {
 public:
  struct Ports {
    GroupConsumer& consumer;
    LogReader& reader;
    const Clock& clock;
    // Ends the open transaction of a transactional id, whoever uses it. May be missing: then its time-out is waited
    // for.
    std::function<void(const std::string& transactional_id)> end_transaction_of;
  };
  // `timeout`: how long to go on while the brokers do not answer.
  Recovery(Task& task, Ports ports, Duration timeout)
      : task_(task), ports_(std::move(ports)), timeout_(timeout), restore_bytes_(task.options_.restore_bytes) {}

  // The task is started. Errors: FailedPrecondition (state, journal and offsets do not belong together, or another
  // version wrote the journal's tail), OutOfRange (the source no longer has what must be replayed), DataLoss (a check
  // failed), Unavailable (brokers away for too long).
  absl::StatusOr<RecoveryReport> Run(const std::function<void(double share)>& progress = {});

  // For a task that was kept in memory over a rebalance, with everything of its own committed. True: the journal's last
  // entry is the task's own, so the task is the outcome of the whole journal; it is started again, warm. False: others
  // have written since, or nothing was ever written; it must be recovered. Errors as Run.
  //
  // Why this is enough: committed offsets are read first, and are stable, so every transaction that an earlier owner
  // sent offsets in is decided, and one that has not sent them yet is refused by the group's generation. What is
  // committed then lies below the end of the journal that is read next. Whether a generation was missed in between does
  // not matter: the task is the outcome of the journal up to its last entry, and nothing follows that entry.
  absl::StatusOr<bool> Resume();

  // What rows may take on their way from the changelog, instead of the options' restore_bytes.
  void LimitRestore(size_t bytes) { restore_bytes_ = bytes; }

  // Whether the entry with this id was among those that Run read; the outcome of a commit that was not answered.
  void LookFor(v1::EntryId id) { sought_ = std::move(id); }
  bool found() const { return found_; }

  // A name for a new history.
  static std::string NewLineage();

 private:
  class Replay;

  // Calls again while the answer is Unavailable, until the timeout.
  template <class Call>
  auto Patiently(Call call) -> decltype(call(Duration()));

  // (i) and (ii) above.
  struct Ends {
    std::vector<int64_t> committed;
    Timestamp asked{};  // before it was answered
    LogRange journal, changelog;
  };
  absl::StatusOr<Ends> ReadEnds();
  void EndPredecessorsTransaction();
  absl::StatusOr<std::vector<v1::JournalEntry>> ReadTail(LogRange journal);
  std::vector<int64_t> KnownEnds();
  absl::Status OpenStore(const std::string& lineage, const LogRange& changelog);
  absl::Status StartHistory(const std::vector<int64_t>& committed, const LogRange& changelog);
  absl::Status RestoreRows(const Ends& ends, uint64_t last);
  absl::Status ReplayTail(const std::vector<v1::JournalEntry>& tail);
  bool Replays(const std::string& chain_version) const;
  absl::Status UseEditionOf(const v1::TaskState& state);
  absl::Status ReplayEntry(const v1::JournalEntry& entry, uint64_t floor, Replay& replay);
  absl::Status CheckEntry(const v1::JournalEntry& entry, uint64_t floor);
  absl::Status CheckWitness(const v1::JournalEntry& entry, const v1::Witness& witness);
  absl::Status CheckOffsets(const v1::JournalEntry& last, const std::vector<int64_t>& committed);
  absl::StatusOr<LogRange> RangeOf(const std::string& topic);

  Task& task_;
  Ports ports_;
  Duration timeout_;
  size_t restore_bytes_;
  TaskPosition position_;
  uint64_t highest_ = 0;  // of the rows that were loaded
  Timestamp as_of_{};     // when the store had last seen the changelog's end
  RecoveryReport report_;
  std::optional<v1::EntryId> sought_;
  bool found_ = false;
  bool asked_predecessor_ = false;
  std::optional<RecoveryProgress> progress_;
};

}  // namespace portrait
