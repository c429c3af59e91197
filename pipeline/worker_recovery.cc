// The part of Worker that recovers tasks: several at the same time, for nothing else runs meanwhile.
#include <algorithm>
#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "pipeline/log.h"
#include "pipeline/mutation.h"
#include "pipeline/worker.h"

namespace portrait {
namespace {

constexpr Duration kLetGoWithin = seconds(10);

}  // namespace

// What one thread makes of a partition; the worker takes it over when all are done.
struct Worker::Recovered {
  Running running;
  RecoveryReport report;
  bool found = false;  // the entry that was looked for
  double took_s = 0;
};

absl::Status Worker::RecoverAll(const std::vector<int32_t>& partitions, size_t cache_bytes,
                                std::vector<PartitionStart>& starts) {
  std::vector<int32_t> lost;
  for (const int32_t partition : partitions) {
    if ((Mutated(Mutation::kPartialRollback) || Mutated(Mutation::kKeepsLostTasks)) && tasks_.contains(partition)) {
      starts.push_back({partition, tasks_.at(partition).task->position().next_offsets});
    } else {
      lost.push_back(partition);
    }
  }
  const size_t threads = std::min<size_t>(lost.size(), static_cast<size_t>(std::max(1, options_.recovery_threads)));
  if (threads == 0) return absl::OkStatus();
  std::vector<std::optional<absl::StatusOr<Recovered>>> recovered(lost.size());
  std::vector<std::atomic<double>> shares(lost.size());
  std::atomic<size_t> next = 0;
  std::atomic<bool> failed = false;
  const auto work = [&](LogReader& reader) {
    for (size_t i = next++; i < lost.size() && !failed; i = next++) {
      recovered[i] = Recover(lost[i], cache_bytes, reader, options_.restore_bytes / threads, [&, i](double share) {
        shares[i] = share;
        double sum = 0;
        for (const auto& one : shares) sum += one;
        status_.restored = sum / static_cast<double>(shares.size());
      });
      if (!recovered[i]->ok()) failed = true;
    }
  };
  {
    std::vector<std::unique_ptr<LogReader>> readers;  // a reader is for one thread
    std::vector<std::jthread> helpers;
    for (size_t n = 1; n < threads; ++n) {
      auto reader = ports_.NewReader(index_);
      if (!reader.ok()) break;  // fewer, then
      readers.push_back(*std::move(reader));
      helpers.emplace_back([&work, &reader = *readers.back()] { work(reader); });
    }
    work(*reader_);
  }
  // The first error in the order of the partitions; one that was not begun because of it has none of its own.
  absl::Status status;
  for (size_t i = 0; i < lost.size(); ++i) {
    if (!recovered[i]) continue;
    status.Update(recovered[i]->status());
    if (status.ok()) starts.push_back(TakeOver(lost[i], **std::move(recovered[i])));
  }
  return status;
}

absl::StatusOr<Worker::Recovered> Worker::Recover(int32_t partition, size_t cache_bytes, LogReader& reader,
                                                  size_t restore_bytes, const std::function<void(double)>& progress) {
  const Duration begin = ports_.clock().Monotonic();
  auto store = OpenStore(partition);
  if (!store.ok()) return store.status();
  Recovered recovered;
  Running& running = recovered.running;
  running.decoder = ports_.NewDecoder();
  running.task = std::make_unique<Task>(partition, ports_.partitions(), chains_, options_, *running.decoder,
                                        *std::move(store), cache_bytes);
  running.metrics = metrics_.ForPartition(partition);
  for (const std::string& topic : topics_) running.lag.push_back(&running.metrics->Lag(topic));
  running.paused.assign(topics_.size(), false);
  Recovery recovery(*running.task, RecoveryPorts(reader), options_.startup_timeout);
  recovery.LimitRestore(restore_bytes);
  if (const auto doubt = in_doubt_.find(partition); doubt != in_doubt_.end()) recovery.LookFor(doubt->second);
  auto report = recovery.Run([&](double share) {
    progress(share);
    running.metrics->restore_progress.Set(share);
  });
  if (!report.ok()) {
    return absl::Status(report.status().code(),
                        absl::StrCat("recovery of partition ", partition, ": ", report.status().message()));
  }
  recovered.report = *report;
  recovered.found = recovery.found();
  recovered.took_s = Seconds(ports_.clock().Monotonic() - begin);
  LogInfo("task recovered", {{"partition", partition},
                             {"rows_restored", report->rows_restored},
                             {"steps_replayed", report->steps_replayed},
                             {"last_step", running.task->last_step()},
                             {"seconds", recovered.took_s},
                             {"reading_s", Seconds(report->reading)},
                             {"restoring_s", Seconds(report->restoring)},
                             {"replaying_s", Seconds(report->replaying)}});
  return recovered;
}

PartitionStart Worker::TakeOver(int32_t partition, Recovered recovered) {
  if (const auto doubt = in_doubt_.find(partition); doubt != in_doubt_.end()) {
    LogInfo(recovered.found ? "the commit of unknown outcome was committed"
                            : "the commit of unknown outcome was not committed",
            {{"partition", partition}, {"entry", doubt->second.ShortDebugString()}});
    in_doubt_.erase(doubt);
  }
  Running& running = tasks_[partition] = std::move(recovered.running);
  running.metrics->restore_progress.Set(1);
  running.metrics->Running();
  metrics_.replayed_steps.Increment(static_cast<double>(recovered.report.steps_replayed));
  metrics_.recovery_seconds.Observe(recovered.took_s);
  PublishLag(partition, running);
  return {partition, running.task->position().next_offsets};
}

// Another worker of this process may hold it still: it lets go when it hears of its own assignment.
absl::StatusOr<std::unique_ptr<RowStore>> Worker::OpenStore(int32_t partition) {
  const Duration begin = ports_.clock().Monotonic();
  while (true) {
    auto store = ports_.OpenStore(partition);
    if (!absl::IsFailedPrecondition(store.status()) || options_.workers == 1) return store;
    if (ports_.clock().Monotonic() - begin > kLetGoWithin) return store;
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
}

Recovery::Ports Worker::RecoveryPorts(LogReader& reader) {
  return {*consumer_, reader, ports_.clock(), [this](const std::string& id) { EndTransactionOf(id); }};
}

void Worker::EndTransactionOf(const std::string& transactional_id) {
  if (transactional_id == producer_->transactional_id()) return;  // settled by Init
  const std::lock_guard lock(ending_);                            // two producers of one id would fence each other
  const absl::Status ended = ports_.EndTransactionOf(transactional_id, options_.transaction_timeout);
  if (absl::IsUnimplemented(ended)) return;
  LogInfo("a transaction of the last owner is ended, so as not to wait until it times out",
          {{"transactional_id", transactional_id}, {"outcome", ended.ToString()}});
}

}  // namespace portrait
