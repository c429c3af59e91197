#include "pipeline/engine.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "pipeline/log.h"
#include "pipeline/memory_guard.h"

namespace portrait {
namespace {

constexpr Duration kPollWait = std::chrono::milliseconds(100);
constexpr Duration kRestartPause = seconds(1);
constexpr Duration kGuardInterval = seconds(2);

// A worker that meets one of these begins anew: what was not committed is gone, and recovery knows what was.
bool MayBeginAnew(const absl::Status& status) { return absl::IsAborted(status) || absl::IsUnavailable(status); }

}  // namespace

Engine::Engine(ChainCatalog& chains, const EngineOptions& options, PortFactory& ports, Metrics& metrics, Health& health,
               ResultListener* results)
    : chains_(chains), options_(options), ports_(ports), metrics_(metrics), health_(health) {
  for (int i = 0; i < options.workers; ++i) {
    workers_.push_back(std::make_unique<Worker>(i, chains_, options_, ports_, metrics_, results));
  }
}

Engine::~Engine() {
  Stop();
  static_cast<void>(Wait());
  for (size_t i = 0; i < workers_.size(); ++i) health_.Watch(absl::StrCat("worker ", i), {});
}

void Engine::Start() {
  for (size_t i = 0; i < workers_.size(); ++i) {
    const std::string name = absl::StrCat("worker ", i);
    health_.Wait(name, "waiting for the brokers");
    health_.Watch(name, [&status = workers_[i]->status()]() -> std::string {
      if (!status.restoring) return "";
      return absl::StrCat("restoring, ", static_cast<int>(100 * status.restored), " %");
    });
    threads_.emplace_back([this, i] { RunWorker(i); });
  }
  health_.Started();
}

void Engine::Stop() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  stopped_.notify_all();
}

absl::Status Engine::Wait() {
  for (std::thread& thread : threads_) {
    if (thread.joinable()) thread.join();
  }
  const std::lock_guard lock(mutex_);
  return failure_;
}

bool Engine::Idle() const {
  return std::all_of(workers_.begin(), workers_.end(),
                     [](const auto& worker) { return worker->status().joined && worker->status().idle; });
}

absl::StatusOr<RowAccess*> Engine::RowsOf(int32_t partition) const {
  for (const auto& worker : workers_) {
    if (worker->rows().Owns(partition)) return &worker->rows();
  }
  const bool settled = std::all_of(workers_.begin(), workers_.end(), [](const auto& worker) {
    return worker->status().joined && !worker->status().restoring;
  });
  const std::string what = absl::StrCat("partition ", partition);
  if (settled) return absl::NotFoundError(absl::StrCat("not here: ", what));
  return absl::UnavailableError(absl::StrCat("still starting, or recovering: ", what));
}

std::map<int32_t, uint64_t> Engine::Partitions() const {
  std::map<int32_t, uint64_t> here;
  for (size_t i = 0; i < workers_.size(); ++i) {
    for (const auto& [partition, number] : workers_[i]->rows().Owned()) here[partition] = number * workers_.size() + i;
  }
  return here;
}

bool Engine::Pause(Duration duration) {
  std::unique_lock lock(mutex_);
  stopped_.wait_for(lock, duration, [this] { return stop_.load(); });
  return !stop_;
}

void Engine::Fail(const std::string& name, const absl::Status& status) {
  LogError("the engine cannot go on", {{"worker", name}, {"reason", std::string(status.message())}});
  health_.Fail(std::string(status.message()));
  {
    const std::lock_guard lock(mutex_);
    if (failure_.ok()) failure_ = status;
  }
  Stop();
}

void Engine::RunWorker(size_t index) {
  Worker& worker = *workers_[index];
  const std::string name = absl::StrCat("worker ", index);
  const Duration begin = ports_.clock().Monotonic();
  bool joined_once = false;
  while (!stop_) {
    const absl::Status ended = Live(worker, name, joined_once);
    if (ended.ok()) return;
    if (!MayBeginAnew(ended)) return Fail(name, ended);
    LogWarning("a worker begins anew", {{"worker", name}, {"reason", std::string(ended.message())}});
    health_.Wait(name, absl::StrCat("beginning anew: ", ended.message()));
    if (!joined_once && ports_.clock().Monotonic() - begin > options_.startup_timeout) {
      return Fail(name,
                  absl::DeadlineExceededError(absl::StrCat("no start within startup.timeout: ", ended.message())));
    }
    if (!Pause(kRestartPause)) return;
  }
}

absl::Status Engine::Live(Worker& worker, const std::string& name, bool& joined_once) {
  if (absl::Status s = worker.Start(); !s.ok()) return s;
  MemoryGuard guard(options_.memory_limit, options_.cache_bytes);
  Duration guarded = ports_.clock().Monotonic();
  while (!stop_) {
    if (absl::Status s = worker.RunOnce(kPollWait); !s.ok()) return s;
    if (worker.status().joined && !joined_once) {
      joined_once = true;
      LogInfo("a worker has joined", {{"worker", name}, {"partitions", worker.status().tasks.load()}});
    }
    Report(worker, name);
    if (const Duration now = ports_.clock().Monotonic(); now - guarded >= kGuardInterval) {
      guarded = now;
      worker.LimitCache(guard.Adjust(ResidentBytes()) / workers_.size());
    }
  }
  const absl::Status stopped = worker.Stop();
  if (!stopped.ok())
    LogWarning("the last commit failed: the next start replays",
               {{"worker", name}, {"reason", std::string(stopped.message())}});
  return absl::OkStatus();
}

void Engine::Report(const Worker& worker, const std::string& name) {
  if (worker.status().joined) {
    health_.Ready(name);
  } else {
    health_.Wait(name, "waiting for partitions");
  }
}

}  // namespace portrait
