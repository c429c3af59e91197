// The results of the other processes of the pipeline, for the hub: read from the result topics, committed ones only, as
// long as partitions are elsewhere.
//
//   OtherResults others(chain, config, hub);
//   others.Follow(partitions_here < partitions);   // now and then
//
// What this process has committed comes back that way, too; the hub knows it by its id.
#pragma once

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <vector>

#include "operators/chain.h"
#include "pipeline/config/config.h"
#include "pipeline/tools/result_topics.h"
#include "view/result_hub.h"

namespace portrait::view {

// Safe from any thread; reads on one of its own.
class OtherResults {
 public:
  // The hub must outlive it.
  OtherResults(const Chain& chain, const Config& config, ResultHub& hub);
  ~OtherResults();

  // Whether there are partitions elsewhere. Reading begins a little before, and the hub is told of a gap.
  void Follow(bool elsewhere);

 private:
  void Work();
  void Read(ResultReader& reader);

  Config config_;
  ResultHub& hub_;
  std::vector<ResultTopic> topics_;  // of tag changes and alerts
  std::atomic<bool> wanted_{false}, stop_{false};
  std::mutex mutex_;  // for changed_
  std::condition_variable changed_;
  std::thread thread_;  // last: it uses the rest
};

}  // namespace portrait::view
