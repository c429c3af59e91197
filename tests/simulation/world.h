// The simulated world: brokers, a consumer group, processes of the engine with their disks, a clock, and everything
// that can go wrong, all on one thread and from one seed.
//
// Several processes on one thread: from within the port calls of one worker, others get their turn (World::At). So a
// process can be overtaken in the middle of any call, can be dead when the call returns, or can find that it has been
// paused past every time-out.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "operators/chain.h"
#include "pipeline/metrics.h"
#include "pipeline/options.h"
#include "tests/simulation/checker.h"
#include "tests/simulation/editions.h"
#include "tests/simulation/faults.h"
#include "tests/simulation/group.h"
#include "tests/simulation/process.h"
#include "tests/simulation/transactions.h"

namespace portrait::simulation {

class SimulatedClock final : public Clock {
 public:
  explicit SimulatedClock(Timestamp start) : now_(start) {}
  Timestamp Now() const override { return now_; }
  Duration Monotonic() const override { return now_.time_since_epoch(); }
  void Advance(Duration by) { now_ += by; }

 private:
  Timestamp now_;
};

class World {
 public:
  explicit World(uint64_t seed);
  // One process with one worker, and nothing goes wrong but what the test does. Rows stay dirty for a minute.
  struct Calm {};
  explicit World(Calm);
  ~World();

  static constexpr int32_t kPartitions = 3;
  static const std::vector<std::string>& Sources();

  // So many random things happen, or as many as it takes to go wrong.
  void Run(int actions);
  // No more faults; every process runs until all inputs are applied and committed.
  void Settle() { RunAll(/*until_idle=*/true); }
  // The same, but only until all inputs are applied: some rows are not written yet.
  void ApplyAll() { RunAll(/*until_idle=*/false); }
  // A clean stop of every process, and the checks that only hold then.
  void StopAndCheck();

  // Empty: all is well. Else what was wrong.
  const std::string& failure() const { return failure_; }
  std::map<std::string, int64_t> counts;  // faults and what else happened, by name
  void Trace(bool trace) { trace_ = trace; }

  void SendEvents(int count);
  void Kill(size_t n);
  MemoryDisk& disk(int process, int32_t partition) { return processes_[static_cast<size_t>(process)].disks[partition]; }
  size_t processes() const { return processes_.size(); }
  double steps_replayed() const { return metrics_.replayed_steps.Value(); }
  Checker& checker() { return *checker_; }

  // For the ports.
  SimulatedClock clock;
  Transactions transactions;
  Group group;
  Editions editions;
  void At(Seat& seat, Point point);
  // The same for a store, of whoever uses it just now.
  void AtStore(Point point);
  void Wait(Seat& seat, Duration duration);
  uint64_t Pick(uint64_t below) { return random_() % below; }
  void Count(const std::string& what, int64_t times = 1) { counts[what] += times; }
  enum class EndFault { kNone, kLost, kDelayed, kAnswerLost, kAborted };
  EndFault NextEndFault();
  struct DelayedEnd {
    std::string id;
    int64_t epoch;
    bool commit;
  };
  void Delay(DelayedEnd end) { delayed_.push_back(std::move(end)); }
  bool BrokerIsAway();
  size_t poll_limit() const { return poll_limit_; }
  uint64_t NewIncarnation() { return ++incarnations_; }
  const EngineOptions& options() const { return options_; }
  Metrics& metrics() { return metrics_; }

 private:
  void Step();
  void RunSomeone();
  void RunAll(bool until_idle);
  std::shared_ptr<Life> Living(size_t n);
  bool Fresh(MemoryDisk& disk) const;
  void RunSeat(const std::shared_ptr<Life>& life, Seat& seat);
  void RunStandby(const std::shared_ptr<Life>& life);
  // `seat`: null for the standby.
  template <class Call>
  absl::Status Guarded(const std::shared_ptr<Life>& life, Seat* seat, Call call);
  void MayDie(Life& life, Point where, uint64_t rare);
  void Interrupt(Seat& seat);
  void Advance(Duration duration);

  void Start(size_t process);
  void Stop(size_t n);
  const Process* TwinOf(size_t n) const;
  void Leave(size_t n);
  void SomethingHappensToADisk(Process& process);
  void SomethingHappensToALog();
  void CompactChangelogs();
  void HoldStandby(Process& process);
  void DeliverDelayed(bool lose);
  void SendExternal(const std::string& source, int32_t partition, const LogRecord& record);
  void EndExternal(bool commit);
  void Fail(const std::string& what);
  void Say(const std::string& what);
  size_t AnyProcess() { return Pick(processes_.size()); }

  std::mt19937_64 random_;
  EngineOptions options_;
  Metrics metrics_;
  std::unique_ptr<Checker> checker_;
  std::vector<std::string> customers_;
  std::map<std::string, int32_t> home_;
  std::vector<Process> processes_;
  struct Running {
    Life* life;
    Seat* seat;  // null: its standby
  };
  std::vector<Running> running_;  // innermost last
  std::vector<DelayedEnd> delayed_;
  int64_t external_epoch_ = 0;
  uint64_t burst_ = 20;            // of events at once, at most
  bool short_tombstones_ = false;  // they go from the changelog before a history is over
  bool very_late_ = false;         // events may come so late that what they set timers for is over
  size_t poll_limit_ = 0;
  uint64_t incarnations_ = 0;
  uint64_t end_faults_ = 0;  // one EndTxn in so many goes wrong; 0 = none
  Point focus_{};            // where this seed likes to kill
  int focus_kills_ = 0;
  bool quiet_ = false;
  bool trace_ = false;
  std::string failure_;
  int64_t event_time_us_;
  int64_t sent_ = 0;
};

}  // namespace portrait::simulation
