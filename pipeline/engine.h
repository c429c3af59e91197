// The engine: its workers, each on a thread of its own, until it is stopped or cannot go on.
//
//   Engine engine(chains, options, ports, metrics, health);
//   engine.Start();
//   ...                                   // SIGTERM
//   engine.Stop();                        // a last commit that leaves nothing to replay
//   absl::Status status = engine.Wait();  // why it ended, OK after Stop
#pragma once

#include <atomic>
#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "pipeline/chain_catalog.h"
#include "pipeline/health.h"
#include "pipeline/metrics.h"
#include "pipeline/options.h"
#include "pipeline/port_factory.h"
#include "pipeline/worker.h"

namespace portrait {

// Safe from any thread. Everything given must outlive the engine.
class Engine {
 public:
  // `results` hears of what is committed; null: nobody listens.
  Engine(ChainCatalog& chains, const EngineOptions& options, PortFactory& ports, Metrics& metrics, Health& health,
         ResultListener* results = nullptr);
  ~Engine();  // stops
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  void Start();
  // Asks all workers to end; returns at once.
  void Stop();
  // Until all workers have ended. The error that ended them, if one did.
  absl::Status Wait();

  // Every worker has its assignment, everything that came is applied and committed, and nothing is known to come.
  bool Idle() const;

  // Where the rows of a partition are looked at, while the engine lives. NotFound: the partition is not with this
  // process. Unavailable: not now, ask again.
  absl::StatusOr<RowAccess*> RowsOf(int32_t partition) const;
  // The partitions that are with this process, those that are being recovered not. The number is another one when a
  // partition has been elsewhere in between.
  std::map<int32_t, uint64_t> Partitions() const;

 private:
  void RunWorker(size_t index);
  // Runs one life of a worker, from Start to an error or the stop.
  absl::Status Live(Worker& worker, const std::string& name, bool& joined_once);
  void Report(const Worker& worker, const std::string& name);
  void Fail(const std::string& name, const absl::Status& status);
  // False when the engine is stopped meanwhile.
  bool Pause(Duration duration);

  ChainCatalog& chains_;
  const EngineOptions& options_;
  PortFactory& ports_;
  Metrics& metrics_;
  Health& health_;
  std::vector<std::unique_ptr<Worker>> workers_;
  std::vector<std::thread> threads_;
  std::atomic<bool> stop_{false};
  mutable std::mutex mutex_;
  std::condition_variable stopped_;
  absl::Status failure_;  // guarded by mutex_; the first
};

}  // namespace portrait
