// How other threads look at the rows of a worker while it works at full speed.
//
//   access.Ask(partition, "anna", [](absl::StatusOr<RowLook> look) { … });   // any thread; a copy comes back
//
// 1. At any time one thread at most touches the worker's tasks: the worker itself, unless it is parked.
// 2. While the worker is parked, because it waits for the brokers or writes into its store, whoever asks looks for
//    itself, under the lock.
// 3. Else what is asked waits in a bounded queue, which the worker serves between two slices of its work: 32 steps, or
//    64 rows of which it takes images.
// 4. While the worker's tasks come and go, nobody looks: it is closed.
// So a look-up never waits for the network, and never runs beside a step.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "pipeline/task.h"

namespace portrait {

// What was seen of a customer.
struct RowLook {
  std::optional<std::string> row;  // as stored (v1.Row); nothing: there is none
  uint64_t applied = 0;            // the last step applied in the partition
  uint64_t committed = 0;          // the last one committed there
  uint64_t assignment = 0;         // steps compare within one assignment of partitions only
  bool cached = false;
};

// Rows as stored (v1.Row), by customer.
using CopiedRows = std::vector<std::pair<std::string, std::string>>;

class RowAccess {
 public:
  using Done = std::function<void(absl::StatusOr<RowLook>)>;
  using DoneMany = std::function<void(absl::StatusOr<CopiedRows>)>;
  using DoneCustomers = std::function<void(absl::StatusOr<std::vector<std::string>>)>;
  using Find = std::function<const Task*(int32_t partition)>;

  // `find` gives a task of the worker, or null.
  explicit RowAccess(Find find) : find_(std::move(find)) {}

  // -- Any thread --

  // Whether the worker has the partition, or had it last and is about to get it back.
  bool Owns(int32_t partition) const;
  // Those partitions, with a number that is another one when a partition has been elsewhere in between.
  std::map<int32_t, uint64_t> Owned() const;
  // `done` is called once, here or on the worker's thread, and must be quick. Unavailable: the tasks come and go just
  // now, ask again. NotFound: the partition is not here. ResourceExhausted: too many wait. Else what the store says.
  void Ask(int32_t partition, std::string customer_id, Done done);
  // The same for rows one after the other, as they are now: those of the store after a customer, in the order of its
  // keys, no more than `at_most`. None: that was all. Rows that the store does not have are not among them.
  void AskStored(int32_t partition, std::string after, size_t at_most, DoneMany done);
  // The customers whose rows the store may not have, and rows of customers.
  void AskUnwritten(int32_t partition, DoneCustomers done);
  void AskMany(int32_t partition, std::vector<std::string> customers, DoneMany done);

  // -- The worker's thread --

  // Answers what waits, no more than a slice's worth. Costs nothing when nothing does.
  void Serve() {
    if (waiting_.load(std::memory_order_relaxed) > 0) ServeWaiting();
  }
  // The worker touches no task from here on, until Unpark. Nothing when it is closed.
  void Park();
  void Unpark();
  // Nobody looks from here on; what waits is told so.
  void Close();
  // These partitions may be looked at. `parked`: the worker is within a wait.
  void Open(std::set<int32_t> partitions, bool parked);

 private:
  enum class State { kClosed, kWorking, kParked };
  // Looks, and gives what tells whoever asked, to be called without the lock. Where nobody may look there is an error
  // instead of a task.
  using Told = std::function<void()>;
  using Question = std::function<Told(absl::StatusOr<const Task*>)>;
  struct Waiting {
    int32_t partition;
    Question question;
  };
  static constexpr size_t kWaitingMost = 1024;
  static constexpr size_t kAtOnce = 64;

  void ServeWaiting();
  void Put(int32_t partition, Question question);
  void Answer(const std::vector<Waiting>& asked);
  absl::StatusOr<const Task*> TaskOf(int32_t partition) const;
  absl::StatusOr<RowLook> Look(const Task& task, const std::string& customer_id) const;
  std::vector<Waiting> Take(size_t at_most);  // under mutex_

  const Find find_;
  mutable std::mutex mutex_;
  State state_ = State::kClosed;  // guarded by mutex_, as all below
  std::map<int32_t, uint64_t> partitions_;
  uint64_t assignment_ = 0;  // changed while closed only
  std::vector<Waiting> queue_;
  std::atomic<size_t> waiting_{0};  // size of queue_
};

// Parks a worker while it waits.
class Parked {
 public:
  explicit Parked(RowAccess& access) : access_(&access) { access.Park(); }
  ~Parked() { End(); }
  Parked(const Parked&) = delete;
  Parked& operator=(const Parked&) = delete;

  void End() {
    if (access_ != nullptr) access_->Unpark();
    access_ = nullptr;
  }

 private:
  RowAccess* access_;
};

}  // namespace portrait
