// Keeps the rows of partitions warm that other processes own now, so that taking one over replays the journal's tail
// and
// nothing else.
//
//   Standby standby({.process = "portrait-1", .partitions = 8, .replicas = 1, ...}, std::move(ports), metrics);
//   standby.Start();                             // follows the changelog on a thread of its own
//   auto store = standby.OpenStore(3);           // a worker was assigned partition 3: the warm store, or a cold one
//
// 1. One process holds one store of a partition, the standby or one of its workers. Both open them under one lock,
//    here.
// 2. A standby takes only what is committed, by the changelog alone, so it is never ahead of the journal; whatever it
//    has not got yet, a recovery brings in as for any store.
// 3. It yields: it works at most half of the time, and holds a batch of rows at a time.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "pipeline/changelog_follower.h"
#include "pipeline/metrics.h"
#include "pipeline/ports/clock.h"
#include "pipeline/ports/group_members.h"
#include "pipeline/ports/log_reader.h"
#include "state/row_store.h"

namespace portrait {

class Standby {
 public:
  struct Options {
    std::string process;  // the instance ids of its workers begin with it
    int32_t partitions = 0;
    int replicas = 0;
    std::string changelog, journal;       // topics
    Duration look_interval = seconds(3);  // between two looks at the group
    Duration tombstones_kept = days(7);   // by the changelog: see EngineOptions
  };
  using StoreOpener = std::function<absl::StatusOr<std::unique_ptr<RowStore>>(int32_t partition)>;
  struct Ports {
    std::unique_ptr<LogReader> reader;
    std::unique_ptr<GroupMembers> members;
    const Clock* clock = nullptr;
    StoreOpener open_store;  // FailedPrecondition: a worker has it
  };
  // `metrics` and the clock must outlive it.
  Standby(Options options, Ports ports, Metrics& metrics);
  ~Standby();  // ends the thread

  void Start();

  // Safe from any thread. For a worker: the store of a partition, as far as the standby has brought it, else opened.
  absl::StatusOr<std::unique_ptr<RowStore>> OpenStore(int32_t partition);

  // One round, as the thread makes them: a look at the group when it is time, then a share of what is new in each
  // changelog. Errors are logged; the next round tries again. True when everything was up to date.
  bool RunOnce();

 private:
  struct Followed {
    std::unique_ptr<RowStore> store;
    std::unique_ptr<ChangelogFollower> follower;
  };

  void Run();
  absl::Status LookAtGroup();
  absl::Status Begin(int32_t partition);
  absl::StatusOr<std::string> LineageOf(int32_t partition);
  absl::StatusOr<bool> Follow(int32_t partition);
  // A batch of one partition; true: the end is reached. Under the lock.
  absl::StatusOr<bool> Advance(int32_t partition, ChangelogFollower& follower, int64_t end, Timestamp asked, bool open);
  void LetGo(int32_t partition);
  void Complain(int32_t partition, const absl::Status& status);

  const Options options_;
  Ports ports_;
  Metrics& metrics_;
  std::set<int32_t> wanted_;                   // the thread's own
  std::map<int32_t, std::string> complaints_;  // the thread's own: the last that was logged, by partition
  bool looked_ = false;                        // the thread's own
  Duration last_look_{};

  std::mutex mutex_;
  std::map<int32_t, Followed> followed_;  // guarded by mutex_
  // Guarded by mutex_: of stores that workers took. The reader's cursors are for its thread alone to close.
  std::vector<std::unique_ptr<ChangelogFollower>> retired_;

  std::mutex stop_mutex_;
  std::condition_variable stopped_;
  bool stop_ = false;  // guarded by stop_mutex_
  std::thread thread_;
};

}  // namespace portrait
