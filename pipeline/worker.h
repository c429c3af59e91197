// A worker: one thread with its own consumer, transactional producer and tasks.
//
// Everything of one commit interval goes into one transaction: results, row images, one journal entry for each task
// with progress, and the offsets of every source of every task in it. What does not commit is not repaired: ports and
// tasks are thrown away, and recovery goes on from what did commit.
//
// A rebalance takes all partitions away and gives most of them back. Before it does, everything is committed, every
// changed row included; the tasks are kept in memory meanwhile, and go on when their partition comes back and the
// journal shows that nobody else has written (Recovery::Resume).
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "pipeline/chain_catalog.h"
#include "pipeline/metrics.h"
#include "pipeline/options.h"
#include "pipeline/port_factory.h"
#include "pipeline/recovery.h"
#include "pipeline/result_listener.h"
#include "pipeline/row_access.h"
#include "pipeline/task.h"

namespace portrait {

// Read by other threads while the worker runs.
struct WorkerStatus {
  std::atomic<bool> joined{false};  // has had an assignment, and has recovered it
  std::atomic<bool> restoring{false};
  std::atomic<double> restored{0};  // share of the restore that is done
  std::atomic<bool> idle{false};    // nothing is known to come, and everything is committed
  std::atomic<int64_t> tasks{0};
};

class Worker final : private AssignmentListener {
 public:
  // Everything must outlive the worker. `metrics` may be shared by workers, and so may `results`; null: nobody listens.
  Worker(int index, ChainCatalog& chains, const EngineOptions& options, PortFactory& ports, Metrics& metrics,
         ResultListener* results = nullptr);
  ~Worker() override;

  // Makes the ports, fences predecessors, joins the group. Unavailable: the brokers do not answer; call again.
  absl::Status Start();

  // Polls, applies, commits when it is time; waits at most `wait` when there is nothing to do.
  // Aborted: what was not committed is lost and the ports are gone: Start again. Unavailable: the same, later.
  // Anything else: this worker cannot go on, and the message says why.
  absl::Status RunOnce(Duration wait);

  // What the rows of all its tasks may take from now on. They give way as they come in use.
  void LimitCache(size_t bytes);

  // A last commit that leaves nothing to replay, then leaves.
  absl::Status Stop();

  const WorkerStatus& status() const { return status_; }
  // For other threads: looks at the rows.
  RowAccess& rows() { return access_; }

 private:
  static constexpr size_t kRecordsAtOnce = 10'000;  // of one poll
  static double Seconds(Duration duration) { return std::chrono::duration<double>(duration).count(); }

  absl::StatusOr<std::vector<PartitionStart>> OnAssigned(const std::vector<int32_t>& partitions) override;
  void OnRevoked(const std::vector<int32_t>& partitions) override;
  void OnLost(const std::vector<int32_t>& partitions) override;

  struct RowFigures {
    size_t rows = 0, bytes = 0, dirty = 0;
    uint64_t hits = 0, misses = 0;
  };
  struct Running {
    std::unique_ptr<EventDecoder> decoder;
    std::unique_ptr<Task> task;
    std::unique_ptr<PartitionMetrics> metrics;
    std::vector<prometheus::Gauge*> lag;  // by source
    std::vector<bool> paused;             // by source
    RowFigures published;                 // what the gauges hold of this task
    int64_t journal_cut = 0;              // below this offset the journal was asked to forget
  };
  struct Recovered;
  absl::StatusOr<std::vector<PartitionStart>> BeginAll(const std::vector<int32_t>& partitions);
  // Adds where they start. An error leaves tasks behind that are as good as none.
  absl::Status RecoverAll(const std::vector<int32_t>& partitions, size_t cache_bytes,
                          std::vector<PartitionStart>& starts);
  // On any thread, several at once; touches nothing of the worker but what is told to be safe.
  absl::StatusOr<Recovered> Recover(int32_t partition, size_t cache_bytes, LogReader& reader, size_t restore_bytes,
                                    const std::function<void(double)>& progress);
  PartitionStart TakeOver(int32_t partition, Recovered recovered);
  // The task was kept: goes on with it, or nothing when it is no longer current and must be recovered.
  absl::StatusOr<std::optional<PartitionStart>> Resume(Running kept, size_t cache_bytes);
  Recovery::Ports RecoveryPorts(LogReader& reader);
  void EndTransactionOf(const std::string& transactional_id);
  // Before a fatal stop: a process that was overtaken sees what others have done since, and just leaves. Asks the group
  // itself, and returns Aborted instead of `fatal` when it has moved on.
  absl::Status UnlessOvertaken(absl::Status fatal);
  // This worker was overtaken. Beginning anew would throw out another process that runs under the same instance id:
  // returns the group's word on that, which is fatal, if there is one, else `lost`.
  absl::Status UnlessReplaced(const absl::Status& lost);
  void FreeBuffers();
  absl::Status Advance(Duration now);
  // Pauses the sources with the most that waits while all of it is more than options.input_bytes.
  absl::Status KeepInputsBounded();
  // What is open takes so much memory that it should be committed before its time.
  bool Crowded() const;
  // `hand_over`: every dirty row gets its image, so that whoever comes next replays nothing.
  absl::Status Commit(bool hand_over);
  absl::Status Write(const TaskCommit& commit, int32_t partition);
  absl::Status Conclude(std::map<int32_t, TaskCommit> commits);
  void Tell(int32_t partition, const TaskCommit& commit);
  void TrimJournals(Duration now);
  void Publish(int32_t partition, Running& running);
  void PublishLag(int32_t partition, Running& running);
  void PublishRows(Running& running);
  void Forget(const Running& running);
  void DropTasks();
  void Drop();
  absl::Status Fail(absl::Status status);
  absl::Status LetGoOfKept(const std::vector<int32_t>& but);
  absl::StatusOr<std::unique_ptr<RowStore>> OpenStore(int32_t partition);

  const int index_;
  size_t cache_bytes_;
  ChainCatalog& chains_;
  const EngineOptions& options_;
  PortFactory& ports_;
  Metrics& metrics_;
  ResultListener* const results_;
  std::vector<std::string> topics_;     // of the sources
  std::vector<OutputOptions> outputs_;  // by output of the chain, dead letters last
  std::vector<const google::protobuf::Descriptor*> output_types_;
  std::vector<prometheus::Counter*> records_in_, records_out_;

  std::unique_ptr<LogReader> reader_;
  std::unique_ptr<LogTrimmer> trimmer_;
  std::unique_ptr<TransactionalProducer> producer_;
  std::unique_ptr<GroupConsumer> consumer_;
  std::map<int32_t, Running> tasks_;
  std::map<int32_t, Running> kept_;          // over a rebalance, by partition; nothing of theirs is uncommitted
  std::map<int32_t, v1::EntryId> in_doubt_;  // entries whose commit was not answered, by partition
  bool overtaken_ = false;                   // by a producer of the same id, or by the group
  bool leaving_ = false;                     // begins anew whatever comes
  absl::Status failure_;                     // of a callback, to be returned by the call that ran it
  uint64_t transactions_ = 0;
  Duration last_commit_{};
  Duration last_trim_{};
  bool busy_ = false;
  bool sweeping_ = false;
  std::mutex ending_;  // EndTransactionOf
  std::vector<Record> records_;
  std::string scratch_;
  WorkerStatus status_;
  RowAccess access_;
};

}  // namespace portrait
