// How the instance does: figures now, and a sample every ten seconds for an hour.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "operators/chain.h"
#include "pipeline/config/config.h"
#include "pipeline/health.h"
#include "pipeline/metrics.h"
#include "pipeline/ports/clock.h"
#include "view/group_map.h"
#include "view/json.h"
#include "view/portrait.h"
#include "view/result_hub.h"
#include "view/tag_follower.h"

namespace portrait::view {

// On the server's thread. Everything given must outlive it.
class Overview {
 public:
  static constexpr Duration kInterval = seconds(10);

  Overview(const Config& config, const Portraits& portraits, Metrics& metrics, const Health& health, const Clock& clock,
           ResultHub& hub, const TagFollower& holders);

  // Every kInterval.
  void Sample();

  // `partitions`: all of them, and those that are here.
  Json Now(int32_t partitions, const std::vector<int32_t>& here, const std::vector<GroupMap::Process>& members);
  // The chain as nodes and edges, with rates as of the last sample.
  Json ChainGraph();

 private:
  struct Rates {
    std::map<std::string, double> in, out;  // records a second, by topic
  };
  struct Totals {
    std::map<std::string, double> in, out;
    double hits = 0, misses = 0;
    std::vector<uint64_t> commits;  // cumulative, by bucket
  };
  Totals ReadTotals();
  std::optional<double> CommitP99(const Totals& now) const;
  std::string TopicOf(const std::string& output) const;

  const Config& config_;
  const Portraits& portraits_;
  Metrics& metrics_;
  const Health& health_;
  const Clock& clock_;
  ResultHub& hub_;
  const TagFollower& holders_;
  const Timestamp started_;

  Duration sampled_{};  // monotonic
  Totals before_;
  Rates rates_;
  std::optional<double> p50_ms_, p99_ms_, commit_p99_ms_, hit_rate_;
  ResultCounts counts_;  // since the start
  std::deque<Json> history_;
};

}  // namespace portrait::view
