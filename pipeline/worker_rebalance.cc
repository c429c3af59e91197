// The part of Worker that is assigned partitions, loses them, and finds out that it was overtaken.
#include <algorithm>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "pipeline/log.h"
#include "pipeline/mutation.h"
#include "pipeline/worker.h"

namespace portrait {
namespace {

// A member that another process has replaced is told so with its next heartbeat.
constexpr Duration kToldWithin = seconds(2);
constexpr int kPollsToBeTold = 1000;
constexpr Duration kLetGoWithin = seconds(10);

}  // namespace

absl::StatusOr<std::vector<PartitionStart>> Worker::OnAssigned(const std::vector<int32_t>& partitions) {
  if (leaving_) return absl::AbortedError("this worker begins anew");
  if (absl::Status s = LetGoOfKept(partitions); !s.ok()) return failure_ = s;
  std::vector<PartitionStart> starts;
  status_.restoring = true;
  status_.restored = 0;
  const size_t share = cache_bytes_ / std::max<size_t>(1, partitions.size());
  for (const int32_t partition : partitions) {
    auto start = Begin(partition, share);
    if (!start.ok()) {
      status_.restoring = false;
      return failure_ = UnlessOvertaken(start.status());
    }
    starts.push_back(*std::move(start));
  }
  status_.restoring = false;
  status_.joined = true;
  status_.tasks = static_cast<int64_t>(tasks_.size());
  return starts;
}

void Worker::OnRevoked(const std::vector<int32_t>&) {
  if (!tasks_.empty()) failure_.Update(Commit(/*hand_over=*/true));
  FreeBuffers();
  if (failure_.ok()) kept_.merge(tasks_);
  DropTasks();
}

void Worker::OnLost(const std::vector<int32_t>&) {
  if (Mutated(Mutation::kKeepsLostTasks)) return;
  FreeBuffers();
  DropTasks();
}

// A source that was paused stays so in the client, over all rebalances.
void Worker::FreeBuffers() {
  for (auto& [partition, running] : tasks_) {
    for (size_t source = 0; source < topics_.size(); ++source) {
      if (!running.paused[source]) continue;
      failure_.Update(consumer_->Pause(static_cast<int32_t>(source), partition, false));
      running.paused[source] = false;
    }
  }
}

// Those whose partitions went elsewhere: their stores are left so that a later start restores nothing of what is here.
absl::Status Worker::LetGoOfKept(const std::vector<int32_t>& but) {
  absl::Status flushed;
  std::erase_if(kept_, [&](const auto& kept) {
    if (std::find(but.begin(), but.end(), kept.first) != but.end()) return false;
    flushed.Update(kept.second.task->Flush());
    Forget(kept.second);
    return true;
  });
  return flushed;
}

absl::StatusOr<PartitionStart> Worker::Begin(int32_t partition, size_t cache_bytes) {
  if (auto kept = kept_.extract(partition); !kept.empty()) {
    auto start = Resume(std::move(kept.mapped()), cache_bytes);
    if (!start.ok()) return start.status();
    if (start->has_value()) return **std::move(start);
  }
  return Recover(partition, cache_bytes);
}

absl::StatusOr<std::optional<PartitionStart>> Worker::Resume(Running kept, size_t cache_bytes) {
  Task& task = *kept.task;
  const Duration begin = ports_.clock().Monotonic();
  Recovery recovery(task, RecoveryPorts(), options_.startup_timeout);
  auto current = recovery.Resume();
  if (!current.ok()) {
    return absl::Status(current.status().code(),
                        absl::StrCat("going on with partition ", task.partition(), ": ", current.status().message()));
  }
  if (!*current) {
    Forget(kept);
    return std::nullopt;
  }
  task.LimitCache(cache_bytes);
  LogInfo("task goes on", {{"partition", task.partition()},
                           {"last_step", task.last_step()},
                           {"seconds", Seconds(ports_.clock().Monotonic() - begin)}});
  PartitionStart start{task.partition(), task.position().next_offsets};
  PublishLag(task.partition(), kept);
  tasks_[start.partition] = std::move(kept);
  return start;
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

absl::StatusOr<PartitionStart> Worker::Recover(int32_t partition, size_t cache_bytes) {
  if ((Mutated(Mutation::kPartialRollback) || Mutated(Mutation::kKeepsLostTasks)) && tasks_.contains(partition)) {
    return PartitionStart{partition, tasks_.at(partition).task->position().next_offsets};
  }
  const Duration begin = ports_.clock().Monotonic();
  auto store = OpenStore(partition);
  if (!store.ok()) return store.status();
  Running running;
  running.task = std::make_unique<Task>(partition, ports_.partitions(), chain_, options_, *decoder_, *std::move(store),
                                        cache_bytes);
  running.metrics = metrics_.ForPartition(partition);
  for (const std::string& topic : topics_) running.lag.push_back(&running.metrics->Lag(topic));
  running.paused.assign(topics_.size(), false);
  Recovery recovery(*running.task, RecoveryPorts(), options_.startup_timeout);
  const auto doubt = in_doubt_.find(partition);
  if (doubt != in_doubt_.end()) recovery.LookFor(doubt->second);
  auto report = recovery.Run([&](double share) {
    status_.restored = share;
    running.metrics->restore_progress.Set(share);
  });
  if (!report.ok()) {
    return absl::Status(report.status().code(),
                        absl::StrCat("recovery of partition ", partition, ": ", report.status().message()));
  }
  if (doubt != in_doubt_.end()) {
    LogInfo(recovery.found() ? "the commit of unknown outcome was committed"
                             : "the commit of unknown outcome was not committed",
            {{"partition", partition}, {"entry", doubt->second.ShortDebugString()}});
    in_doubt_.erase(doubt);
  }
  const double took_s = Seconds(ports_.clock().Monotonic() - begin);
  LogInfo("task recovered", {{"partition", partition},
                             {"rows_restored", report->rows_restored},
                             {"steps_replayed", report->steps_replayed},
                             {"last_step", running.task->last_step()},
                             {"seconds", took_s}});
  running.metrics->restore_progress.Set(1);
  running.metrics->Running();
  metrics_.replayed_steps.Increment(static_cast<double>(report->steps_replayed));
  metrics_.recovery_seconds.Observe(took_s);
  PartitionStart start{partition, running.task->position().next_offsets};
  PublishLag(partition, running);
  tasks_[partition] = std::move(running);
  return start;
}

Recovery::Ports Worker::RecoveryPorts() {
  return {*consumer_, *reader_, ports_.clock(), [this](const std::string& id) { EndTransactionOf(id); }};
}

void Worker::EndTransactionOf(const std::string& transactional_id) {
  if (transactional_id == producer_->transactional_id()) return;  // settled by Init
  const absl::Status ended = ports_.EndTransactionOf(transactional_id, options_.transaction_timeout);
  if (absl::IsUnimplemented(ended)) return;
  LogInfo("a transaction of the last owner is ended, so as not to wait until it times out",
          {{"transactional_id", transactional_id}, {"outcome", ended.ToString()}});
}

absl::Status Worker::UnlessOvertaken(absl::Status fatal) {
  if (fatal.ok() || absl::IsAborted(fatal) || absl::IsUnavailable(fatal)) return fatal;
  if (Mutated(Mutation::kStopsWithoutAskingWhoOwns)) return fatal;
  const auto generation = consumer_ && producer_ ? consumer_->generation() : nullptr;
  if (!generation) return fatal;
  // The group's coordinator refuses offsets of a generation that is not its own. These are never committed.
  absl::Status asked = producer_->Begin();
  if (asked.ok()) {
    asked = producer_->SendOffsets(topics_, {{0, std::vector<int64_t>(topics_.size(), 0)}}, *generation);
    static_cast<void>(producer_->Abort(options_.transaction_timeout));
  }
  if (asked.ok()) return fatal;
  if (absl::IsUnavailable(asked)) return asked;
  overtaken_ = true;
  return absl::AbortedError(absl::StrCat("the group has gone on without this process: ", asked.message(),
                                         "; it saw meanwhile: ", fatal.message()));
}

absl::Status Worker::UnlessReplaced(const absl::Status& lost) {
  // A time-out of the transaction looks the same to the producer; the group tells its member within a heartbeat.
  DropTasks();
  static_cast<void>(LetGoOfKept({}));
  leaving_ = true;
  absl::Status polled;
  const Duration deadline = ports_.clock().Monotonic() + kToldWithin;
  for (int i = 0; i < kPollsToBeTold && polled.ok() && ports_.clock().Monotonic() < deadline; ++i) {
    records_.clear();
    polled = consumer_->Poll(kToldWithin / 10, kRecordsAtOnce, records_);
  }
  failure_ = absl::OkStatus();
  return absl::IsFailedPrecondition(polled) ? polled : lost;
}

}  // namespace portrait
