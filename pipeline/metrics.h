// What the engine counts and measures, in Prometheus' terms; served by HttpServer at /metrics.
//
//   Metrics metrics;
//   prometheus::Counter& in = metrics.RecordsIn("purchase-events");  // got once, then cheap
//   in.Increment();
//   auto partition = metrics.ForPartition(3);                        // its gauges vanish with the last handle
//   partition->watermark_seconds.Set(...);
//
// Every name starts with portrait_. docs/metrics.md lists them all; a test compares it with this class.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "pipeline/ports/transactional_producer.h"
#include "prometheus/counter.h"
#include "prometheus/family.h"
#include "prometheus/gauge.h"
#include "prometheus/histogram.h"
#include "prometheus/registry.h"

namespace portrait {

class ShadowCounts;

struct MetricDescription {
  std::string name;  // in full
  std::string type;  // counter, gauge or histogram
  std::vector<std::string> labels;
  std::string help;
};

enum class TaskPhase {
  kRestoring,  // brings its rows up to the end of the journal
  kRunning,
};

class PartitionMetrics;

// Safe from any thread. References stay valid as long as this object, those of a PartitionMetrics as long as it.
class Metrics {
  prometheus::Registry registry_;  // before everything that is registered with it
  std::vector<MetricDescription> descriptions_;

 public:
  Metrics();
  Metrics(const Metrics&) = delete;
  Metrics& operator=(const Metrics&) = delete;

  // With a label. Each call looks the label up under a lock: keep what it returns.
  prometheus::Counter& RecordsIn(std::string_view topic);
  prometheus::Counter& RecordsOut(std::string_view topic);
  prometheus::Counter& DeadLetters(std::string_view code);
  prometheus::Counter& Commits(CommitOutcome outcome);
  // By tag; those of a rule with `each` as one, so there are at most as many as rules.
  prometheus::Counter& ShadowChanges(std::string_view tag, bool entry);
  // Adds what models in the shadow and those in force have said and told.
  void CountShadow(const ShadowCounts& counts);
  // Of examples of churn that have closed, by the model that had judged the customer.
  struct OfModel {
    prometheus::Counter &examples, &no_order, &said_no_order, &squared_error;
  };
  OfModel OfModelNamed(const std::string& model);
  prometheus::Gauge& Tasks(TaskPhase phase);
  // Requests to the view: what was asked for, and the status of the answer.
  prometheus::Counter& ViewRequests(std::string_view what, int status);

  // The gauges of one partition index. Several handles to one partition share them, as when a task moves between
  // workers.
  std::unique_ptr<PartitionMetrics> ForPartition(int32_t partition);

  // How far the standby of a partition is behind. Removed when it ends.
  prometheus::Gauge& StandbyLag(int32_t partition);
  void RemoveStandby(int32_t partition);

  // Sets portrait_build_info.
  void SetBuild(std::string_view version, std::string_view chain_version);

  // Without labels.
  prometheus::Counter& late_events;
  prometheus::Counter& duplicate_events;
  prometheus::Counter& timers_fired;
  prometheus::Counter& rows_swept;
  prometheus::Counter& rules_refused;
  prometheus::Counter& models_refused;
  prometheus::Counter& steps;
  prometheus::Counter& journal_bytes;
  prometheus::Counter& changelog_bytes;
  prometheus::Counter& rows_written;
  prometheus::Gauge& dirty_rows;
  prometheus::Gauge& cache_rows;
  prometheus::Gauge& cache_bytes;
  prometheus::Counter& cache_hits;
  prometheus::Counter& cache_misses;
  prometheus::Counter& replayed_steps;
  prometheus::Counter& stores_set_aside;
  prometheus::Gauge& resident_bytes;  // of the process; read anew by Text
  prometheus::Histogram& commit_seconds;
  prometheus::Histogram& recovery_seconds;
  prometheus::Histogram& view_lookup_seconds;
  prometheus::Gauge& view_connections;
  prometheus::Gauge& view_streams;
  prometheus::Counter& view_streams_cut;

  // Records not yet processed, by source topic, over the partitions of this instance.
  std::map<std::string, double> LagByTopic() const;

  // All metrics in Prometheus' text format 0.0.4.
  std::string Text() const;

  // Sorted by name.
  const std::vector<MetricDescription>& descriptions() const { return descriptions_; }

 private:
  friend class PartitionMetrics;

  template <class Metric>
  prometheus::Family<Metric>& NewFamily(std::string_view name, std::vector<std::string> labels, std::string_view help);
  prometheus::Counter& NewCounter(std::string_view name, std::string_view help);
  prometheus::Gauge& NewGauge(std::string_view name, std::string_view help);
  prometheus::Histogram& NewHistogram(std::string_view name, std::string_view help, const std::vector<double>& bounds);

  prometheus::Family<prometheus::Counter>& records_in_;
  prometheus::Family<prometheus::Counter>& records_out_;
  prometheus::Family<prometheus::Counter>& dead_letters_;
  prometheus::Family<prometheus::Counter>& commits_;
  prometheus::Family<prometheus::Counter>& shadow_changes_;
  prometheus::Family<prometheus::Counter>& shadow_judged_;
  prometheus::Family<prometheus::Counter>& shadow_said_no_order_;
  prometheus::Family<prometheus::Counter>& shadow_alerts_;
  prometheus::Family<prometheus::Counter>& examples_;
  prometheus::Family<prometheus::Counter>& examples_no_order_;
  prometheus::Family<prometheus::Counter>& examples_said_no_order_;
  prometheus::Family<prometheus::Counter>& examples_squared_error_;
  prometheus::Family<prometheus::Gauge>& tasks_;
  prometheus::Family<prometheus::Gauge>& lag_records_;
  prometheus::Family<prometheus::Gauge>& watermark_seconds_;
  prometheus::Family<prometheus::Gauge>& restore_progress_;
  prometheus::Family<prometheus::Gauge>& standby_lag_records_;
  prometheus::Family<prometheus::Gauge>& build_info_;
  prometheus::Family<prometheus::Counter>& view_requests_;

  struct Partition {
    int handles = 0;
    std::map<prometheus::Gauge*, std::string> lag;  // with its topic
  };
  prometheus::Gauge& Lag(int32_t partition, std::string_view topic);
  void Release(int32_t partition);

  mutable std::mutex partitions_mutex_;
  std::map<int32_t, Partition> partitions_;  // guarded by partitions_mutex_
};

// One thread at a time. Must not outlive its Metrics. Counts as a task of this instance: restoring until Running().
class PartitionMetrics {
 public:
  ~PartitionMetrics();
  PartitionMetrics(const PartitionMetrics&) = delete;
  PartitionMetrics& operator=(const PartitionMetrics&) = delete;

  // Records of this source topic that are not yet processed. Keep what it returns, while this object lives.
  prometheus::Gauge& Lag(std::string_view topic);
  void Running();

 private:
  friend class Metrics;
  PartitionMetrics(Metrics& metrics, int32_t partition);

  Metrics& metrics_;
  int32_t partition_;
  TaskPhase phase_ = TaskPhase::kRestoring;

 public:
  prometheus::Gauge& watermark_seconds;  // event time, since 1970
  prometheus::Gauge& restore_progress;   // 0 to 1
};

}  // namespace portrait
