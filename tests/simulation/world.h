// The world of a simulation: an in-memory broker, disks that forget, a clock, and one process of the engine that can be
// killed and started again. Everything follows from one seed.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "operators/chain.h"
#include "pipeline/memory/memory_broker.h"
#include "pipeline/metrics.h"
#include "pipeline/options.h"
#include "pipeline/port_factory.h"
#include "pipeline/worker.h"
#include "state/memory_row_store.h"

namespace portrait::simulation {

// A chain whose results depend on everything that could go wrong: order, repetition, lateness, timers that set timers.
std::unique_ptr<Chain> FoldingChain();

// Reads events in Protobuf; the value "bad" is none.
class PlainDecoder final : public EventDecoder {
 public:
  std::optional<Rejection> Decode(const Record& record, const SourceOptions& source, Event& event) override;
};

class World final : public PortFactory {
 public:
  explicit World(uint64_t seed, const std::function<void(EngineOptions&)>& change = {});

  static constexpr int32_t kPartitions = 2;
  static const std::vector<std::string>& Sources();

  // One random thing happens: events come, the worker runs, a commit goes wrong, the process dies or is started.
  void Step();
  // The process is up, and everything that came is applied and committed.
  void Settle();
  // A clean stop; the next thing to happen starts it again.
  void Restart();
  // The process dies, with what its disks had not made durable.
  void Kill();
  void PassTime(Duration time) { clock_.Advance(time); }

  // Empty: the process runs or was stopped. Else why it gave up.
  const std::string& failure() const { return failure_; }
  std::map<std::string, int> counts;  // what happened, by name

  MemoryBroker broker;
  const Chain& chain() const { return *chain_; }
  const EngineOptions& options() const { return options_; }
  double replayed_steps() const { return metrics_.replayed_steps.Value(); }
  MemoryDisk& disk(int32_t partition) { return disks_[partition]; }

  int32_t partitions() const override { return kPartitions; }
  absl::StatusOr<std::unique_ptr<GroupConsumer>> NewConsumer(int worker) override;
  absl::StatusOr<std::unique_ptr<TransactionalProducer>> NewProducer(int worker) override;
  absl::StatusOr<std::unique_ptr<LogReader>> NewReader(int worker) override;
  absl::StatusOr<std::unique_ptr<LogTrimmer>> NewTrimmer(int worker) override;
  absl::StatusOr<std::unique_ptr<RowStore>> OpenStore(int32_t partition) override;
  std::unique_ptr<EventDecoder> NewDecoder() override { return std::make_unique<PlainDecoder>(); }
  const Clock& clock() const override { return clock_; }

 private:
  void SendEvents(int count);
  void RunWorker();
  void StartWorker();
  uint64_t Pick(uint64_t below) { return random_() % below; }

  ManualClock clock_;
  std::mt19937_64 random_;
  std::unique_ptr<Chain> chain_;
  EngineOptions options_;
  Metrics metrics_;
  std::map<int32_t, MemoryDisk> disks_;
  std::unique_ptr<Worker> worker_;
  bool up_ = false;
  std::string failure_;
  int64_t event_time_us_;
  int64_t sent_ = 0;
};

}  // namespace portrait::simulation
