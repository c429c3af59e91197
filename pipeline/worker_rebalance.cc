// The part of Worker that is assigned partitions, loses them, and finds out that it was overtaken.
#include <algorithm>
#include <set>
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

}  // namespace

absl::StatusOr<std::vector<PartitionStart>> Worker::OnAssigned(const std::vector<int32_t>& partitions) {
  if (leaving_) return absl::AbortedError("this worker begins anew");
  access_.Close();
  if (absl::Status s = LetGoOfKept(partitions); !s.ok()) return failure_ = s;
  status_.restored = 0;
  status_.restoring = true;
  auto starts = BeginAll(partitions);
  status_.restoring = false;
  if (!starts.ok()) return failure_ = UnlessOvertaken(starts.status());
  status_.joined = true;
  status_.tasks = static_cast<int64_t>(tasks_.size());
  std::set<int32_t> here;
  for (const auto& [partition, running] : tasks_) here.insert(partition);
  access_.Open(std::move(here), /*parked=*/true);  // this is within a Poll
  return starts;
}

void Worker::OnRevoked(const std::vector<int32_t>&) {
  access_.Close();
  if (!tasks_.empty()) failure_.Update(Commit(/*hand_over=*/true));
  FreeBuffers();
  if (failure_.ok()) kept_.merge(tasks_);
  DropTasks();
}

void Worker::OnLost(const std::vector<int32_t>&) {
  access_.Close();
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

// Those that were kept go on as they are; the others are recovered.
absl::StatusOr<std::vector<PartitionStart>> Worker::BeginAll(const std::vector<int32_t>& partitions) {
  const size_t cache_bytes = cache_bytes_ / std::max<size_t>(1, partitions.size());
  std::vector<PartitionStart> starts;
  std::vector<int32_t> others;
  for (const int32_t partition : partitions) {
    auto kept = kept_.extract(partition);
    if (kept.empty()) {
      others.push_back(partition);
      continue;
    }
    auto start = Resume(std::move(kept.mapped()), cache_bytes);
    if (!start.ok()) return start.status();
    if (start->has_value()) {
      starts.push_back(**std::move(start));
    } else {
      others.push_back(partition);
    }
  }
  if (absl::Status s = RecoverAll(others, cache_bytes, starts); !s.ok()) return s;
  return starts;
}

absl::StatusOr<std::optional<PartitionStart>> Worker::Resume(Running kept, size_t cache_bytes) {
  Task& task = *kept.task;
  const Duration begin = ports_.clock().Monotonic();
  Recovery recovery(task, RecoveryPorts(*reader_), options_.startup_timeout);
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
