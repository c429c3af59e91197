#include "pipeline/standby.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "pipeline/log.h"
#include "pipeline/standby_plan.h"
#include "pipeline/store_judgement.h"
#include "portrait/v1/journal.pb.h"

namespace portrait {
namespace {

constexpr size_t kBatch = 1000;  // rows held at a time
constexpr size_t kBatchBytes = 4u << 20;
constexpr int kBatchesAtOnce = 10;  // of one partition in one round
constexpr Duration kRequest = seconds(5);
constexpr Duration kNext = std::chrono::milliseconds(200);
constexpr Duration kIdlePause = std::chrono::milliseconds(500);
constexpr Duration kLeastPause = std::chrono::milliseconds(20);

}  // namespace

Standby::Standby(Options options, Ports ports, Metrics& metrics)
    : options_(std::move(options)), ports_(std::move(ports)), metrics_(metrics) {}

Standby::~Standby() {
  {
    const std::lock_guard lock(stop_mutex_);
    stop_ = true;
  }
  stopped_.notify_all();
  if (thread_.joinable()) thread_.join();
  for (const auto& [partition, followed] : followed_) metrics_.RemoveStandby(partition);
}

void Standby::Start() {
  thread_ = std::thread([this] { Run(); });
}

void Standby::Run() {
  while (true) {
    const Duration begin = ports_.clock->Monotonic();
    const bool up_to_date = RunOnce();
    const Duration worked = ports_.clock->Monotonic() - begin;
    std::unique_lock lock(stop_mutex_);
    if (stopped_.wait_for(lock, up_to_date ? kIdlePause : std::max(kLeastPause, worked), [this] { return stop_; })) {
      return;
    }
  }
}

absl::StatusOr<std::unique_ptr<RowStore>> Standby::OpenStore(int32_t partition) {
  const std::lock_guard lock(mutex_);
  auto followed = followed_.extract(partition);
  if (followed.empty()) return ports_.open_store(partition);
  metrics_.RemoveStandby(partition);
  LogInfo("a standby's rows are taken over",
          {{"partition", partition}, {"changelog_position", followed.mapped().follower->position()}});
  retired_.push_back(std::move(followed.mapped().follower));
  return std::move(followed.mapped().store);
}

bool Standby::RunOnce() {
  if (!looked_ || ports_.clock->Monotonic() - last_look_ >= options_.look_interval) {
    last_look_ = ports_.clock->Monotonic();
    const absl::Status looked = LookAtGroup();
    looked_ |= looked.ok();
    if (!looked.ok()) LogDebug("a standby cannot see the group", {{"reason", looked.ToString()}});
  }
  bool up_to_date = true;
  for (const int32_t partition : wanted_) {
    auto reached = Follow(partition);
    if (!reached.ok()) {
      Complain(partition, reached.status());
      continue;
    }
    complaints_.erase(partition);
    up_to_date &= *reached;
  }
  return up_to_date;
}

absl::Status Standby::LookAtGroup() {
  auto members = ports_.members->Describe(kRequest);
  if (!members.ok()) return members.status();
  wanted_ = StandbyPartitions(*members, options_.process, options_.partitions, options_.replicas);
  std::set<int32_t> held;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [partition, followed] : followed_) held.insert(partition);
  }
  for (const int32_t partition : held) {
    if (!wanted_.contains(partition)) LetGo(partition);
  }
  return absl::OkStatus();
}

void Standby::LetGo(int32_t partition) {
  const std::lock_guard lock(mutex_);
  const auto followed = followed_.extract(partition);
  if (followed.empty()) return;
  metrics_.RemoveStandby(partition);
  if (absl::Status s = followed.mapped().store->Flush(); !s.ok()) Complain(partition, s);
}

// The owner names its history in each entry of its journal.
absl::StatusOr<std::string> Standby::LineageOf(int32_t partition) {
  auto range = ports_.reader->Range(options_.journal, partition, kRequest);
  if (!range.ok()) return range.status();
  auto cursor = ports_.reader->Open(options_.journal, partition, std::max(range->begin, range->end - 64), range->end);
  if (!cursor.ok()) return cursor.status();
  const auto record = (*cursor)->Next(kRequest);
  if (!record.ok()) return record.status();
  if (!record->has_value()) return absl::UnavailableError("the journal has no entry yet");
  v1::JournalEntry entry;
  const auto value = (*record)->value.value_or(std::string_view());
  if (!entry.ParseFromArray(value.data(), static_cast<int>(value.size()))) {
    return absl::DataLossError(absl::StrCat("no journal entry: offset ", (*record)->offset));
  }
  return entry.lineage();
}

absl::Status Standby::Begin(int32_t partition) {
  auto lineage = LineageOf(partition);
  if (!lineage.ok()) return lineage.status();
  auto range = ports_.reader->Range(options_.changelog, partition, kRequest);
  if (!range.ok()) return range.status();

  const std::lock_guard lock(mutex_);
  auto store = ports_.open_store(partition);
  if (absl::IsFailedPrecondition(store.status())) return absl::UnavailableError("a worker of this process has it");
  if (!store.ok()) return store.status();
  auto meta = (*store)->Meta();
  if (!meta.ok()) return meta.status();
  const int64_t now_us = ToMicros(ports_.clock->Now());
  ChangelogFollower::Options follow{.topic = options_.changelog,
                                    .partition = partition,
                                    .lineage = *lineage,
                                    .position = range->begin,
                                    .batch_bytes = kBatchBytes,
                                    .as_of_us = now_us,
                                    .tombstones_kept = options_.tombstones_kept};
  if (meta->has_value()) {
    switch (Judge(**meta, *lineage, FromMicros(now_us), options_.tombstones_kept)) {
      case StoreJudgement::kOfAnotherHistory:
        return absl::FailedPreconditionError(absl::StrCat("the local rows belong to another history: local ",
                                                          (*meta)->lineage(), ", journal ", *lineage));
      case StoreJudgement::kOfAnotherBuild:
      case StoreJudgement::kTooOld:
        if (absl::Status s = (*store)->Clear(); !s.ok()) return s;
        break;
      case StoreJudgement::kCanBeCaughtUp:
        follow.position = std::max((*meta)->changelog_position(), range->begin);
        follow.as_of_us = (*meta)->as_of_us();
        follow.last_step = (*meta)->last_committed_step();
    }
  }
  Followed followed{.store = *std::move(store), .follower = nullptr};
  followed.follower =
      std::make_unique<ChangelogFollower>(*followed.store, *ports_.reader, *ports_.clock, std::move(follow));
  LogInfo("a standby follows a partition",
          {{"partition", partition}, {"behind", range->end - followed.follower->position()}});
  followed_.emplace(partition, std::move(followed));
  return absl::OkStatus();
}

// True: the end of the changelog, as it was at the beginning, is reached.
absl::StatusOr<bool> Standby::Follow(int32_t partition) {
  bool held = false;
  {
    const std::lock_guard lock(mutex_);
    retired_.clear();
    held = followed_.contains(partition);
  }
  if (!held) {
    if (absl::Status s = Begin(partition); !s.ok()) return s;
  }
  const Timestamp asked = ports_.clock->Now();
  auto range = ports_.reader->Range(options_.changelog, partition, kRequest);
  if (!range.ok()) return range.status();
  for (int batch = 0; batch < kBatchesAtOnce; ++batch) {
    // A worker that needs the store waits for one batch at most.
    const std::lock_guard lock(mutex_);
    const auto it = followed_.find(partition);
    if (it == followed_.end()) return true;  // a worker has it now
    auto done = Advance(partition, *it->second.follower, range->end, asked, /*open=*/batch == 0);
    if (absl::IsAborted(done.status())) {  // thrown away when it is opened again
      metrics_.RemoveStandby(partition);
      followed_.erase(it);
    }
    if (!done.ok() || *done) return done;
  }
  return false;
}

absl::StatusOr<bool> Standby::Advance(int32_t partition, ChangelogFollower& follower, int64_t end, Timestamp asked,
                                      bool open) {
  prometheus::Gauge& lag = metrics_.StandbyLag(partition);
  lag.Set(static_cast<double>(end - follower.position()));
  if (follower.position() >= end) {
    if (absl::Status s = follower.NothingNew(asked); !s.ok()) return s;
    return true;
  }
  if (open) {
    if (absl::Status s = follower.Open(end, asked); !s.ok()) return s;
  }
  auto done = follower.Advance(kBatch, kNext);
  if (done.ok()) lag.Set(static_cast<double>(end - follower.position()));
  return done;
}

void Standby::Complain(int32_t partition, const absl::Status& status) {
  if (absl::IsUnavailable(status)) return;  // the next round tries again
  std::string text = status.ToString();
  if (complaints_[partition] == text) return;
  LogWarning("a standby cannot follow a partition", {{"partition", partition}, {"reason", text}});
  complaints_[partition] = std::move(text);
}

}  // namespace portrait
