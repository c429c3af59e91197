#include "pipeline/metrics.h"

#include <algorithm>
#include <array>
#include <type_traits>
#include <utility>

#include "absl/strings/ascii.h"
#include "pipeline/memory_guard.h"
#include "pipeline/shadow_counts.h"
#include "prometheus/text_serializer.h"

namespace portrait {
namespace {

using prometheus::Counter;
using prometheus::Gauge;
using prometheus::Histogram;

std::string FullName(std::string_view name) { return "portrait_" + std::string(name); }

std::string_view Name(CommitOutcome outcome) {
  switch (outcome) {
    case CommitOutcome::kCommitted: return "committed";
    case CommitOutcome::kAborted: return "aborted";
    case CommitOutcome::kUnknown: return "unknown";
    case CommitOutcome::kFenced: return "fenced";
  }
  return "unknown";
}

std::string_view Name(TaskPhase phase) { return phase == TaskPhase::kRestoring ? "restoring" : "running"; }

prometheus::Labels Label(std::string name, std::string_view value) { return {{std::move(name), std::string(value)}}; }

prometheus::Labels PartitionLabel(int32_t partition) { return Label("partition", std::to_string(partition)); }

template <class Metric>
auto Build() {
  if constexpr (std::is_same_v<Metric, Counter>) {
    return prometheus::BuildCounter();
  } else if constexpr (std::is_same_v<Metric, Gauge>) {
    return prometheus::BuildGauge();
  } else {
    return prometheus::BuildHistogram();
  }
}

template <class Metric>
constexpr const char* kTypeName = std::is_same_v<Metric, Counter> ? "counter"
                                  : std::is_same_v<Metric, Gauge> ? "gauge"
                                                                  : "histogram";

}  // namespace

template <class Metric>
prometheus::Family<Metric>& Metrics::NewFamily(std::string_view name, std::vector<std::string> labels,
                                               std::string_view help) {
  descriptions_.push_back({FullName(name), kTypeName<Metric>, std::move(labels), std::string(help)});
  return Build<Metric>().Name(FullName(name)).Help(std::string(help)).Register(registry_);
}

Counter& Metrics::NewCounter(std::string_view name, std::string_view help) {
  return NewFamily<Counter>(name, {}, help).Add({});
}

Gauge& Metrics::NewGauge(std::string_view name, std::string_view help) {
  return NewFamily<Gauge>(name, {}, help).Add({});
}

Histogram& Metrics::NewHistogram(std::string_view name, std::string_view help, const std::vector<double>& bounds) {
  return NewFamily<Histogram>(name, {}, help).Add({}, std::move(bounds));
}

Metrics::Metrics()
    : late_events(NewCounter("late_events_total", "Events whose time was at or below the watermark when they came")),
      duplicate_events(NewCounter("duplicate_events_total", "Events dropped because their customer had them already")),
      timers_fired(NewCounter("timers_fired_total", "Timers of operators that came due")),
      rows_swept(NewCounter("rows_swept_total", "Rows that were asked whether new rules or models change them")),
      rules_refused(
          NewCounter("rules_refused_total", "Rules that came as a file or by the control topic and are no good")),
      models_refused(NewCounter("models_refused_total", "Models that came by the control topic and are no good")),
      steps(
          NewCounter("steps_total", "Steps applied: inputs, ticks, firings, switches and sweeps; replay not counted")),
      journal_bytes(NewCounter("journal_bytes_total", "Bytes written to the journal")),
      changelog_bytes(NewCounter("changelog_bytes_total", "Bytes written to the changelog")),
      rows_written(NewCounter("rows_written_total", "Row images written to the store")),
      dirty_rows(NewGauge("dirty_rows", "Rows changed since their last image")),
      cache_rows(NewGauge("cache_rows", "Rows held in memory")),
      cache_bytes(NewGauge("cache_bytes", "Memory taken by the rows held in memory")),
      cache_hits(NewCounter("cache_hits_total", "Rows looked for and found in memory")),
      cache_misses(NewCounter("cache_misses_total", "Rows looked for that had to be read from the store or were new")),
      replayed_steps(NewCounter("replayed_steps_total", "Steps replayed from the journal in recoveries")),
      stores_set_aside(NewCounter("stores_set_aside_total",
                                  "Folders of local state that were corrupt, and restored from the changelog")),
      resident_bytes(
          NewGauge("resident_memory_bytes", "Memory of the whole process, to be compared with memory.limit")),
      commit_seconds(NewHistogram("commit_seconds", "Time from the start of a commit until its outcome was known",
                                  {0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10})),
      recovery_seconds(NewHistogram("recovery_seconds", "Time from a task's assignment until it could go on",
                                    {0.01, 0.05, 0.1, 0.5, 1, 2, 5, 10, 30, 60, 300})),
      view_lookup_seconds(NewHistogram("view_lookup_seconds",
                                       "Time from a look-up's request until its answer was ready to be sent",
                                       {0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 1, 5})),
      view_connections(NewGauge("view_connections", "Connections to the view")),
      view_streams(NewGauge("view_streams", "Streams of results that are open")),
      view_streams_cut(NewCounter("view_streams_cut_total", "Streams ended because their client did not read")),
      records_in_(NewFamily<Counter>("records_in_total", {"topic"}, "Records read from a source topic")),
      records_out_(NewFamily<Counter>("records_out_total", {"topic"}, "Results committed to an output topic")),
      dead_letters_(NewFamily<Counter>("dead_letters_total", {"code"}, "Records sent to the dead letters, by reason")),
      commits_(NewFamily<Counter>("commits_total", {"outcome"},
                                  "Transactions ended: committed, aborted, unknown (settled by a recovery) or fenced")),
      shadow_changes_(NewFamily<Counter>("shadow_changes_total", {"tag", "change"},
                                         "Tags that rules in the shadow would have given (entry) or taken (exit)")),
      shadow_judged_(NewFamily<Counter>("shadow_judged_total", {"in_force", "shadow"},
                                        "Customers judged beside models in the shadow: in which band those in force "
                                        "had them, and in which those in the shadow")),
      shadow_said_no_order_(NewFamily<Counter>("shadow_said_no_order_total", {"by"},
                                               "How many of them would not order: the sum of the probabilities of "
                                               "the models in_force, or in the shadow")),
      shadow_alerts_(NewFamily<Counter>("shadow_alerts_total", {"by", "phase"},
                                        "Alerts that models in the shadow would have raised, opened or worsened, and "
                                        "those that the models in_force have raised meanwhile")),
      examples_(NewFamily<Counter>("churn_examples_total", {"model"},
                                   "Customers whose horizon has closed since this model judged them, in force or in "
                                   "the shadow")),
      examples_no_order_(NewFamily<Counter>("churn_examples_no_order_total", {"model"},
                                            "Those among the churn examples who did not order within the horizon")),
      examples_said_no_order_(
          NewFamily<Counter>("churn_examples_said_no_order_total", {"model"},
                             "How many of the churn examples the model had said would not order: the sum of its "
                             "probabilities")),
      examples_squared_error_(
          NewFamily<Counter>("churn_examples_squared_error_total", {"model"},
                             "Squared errors of the probabilities of the churn examples; by their number, the Brier "
                             "score")),
      tasks_(NewFamily<Gauge>("tasks", {"state"}, "Tasks on this instance: restoring or running")),
      lag_records_(
          NewFamily<Gauge>("lag_records", {"topic", "partition"}, "Records in the log that are not yet processed")),
      watermark_seconds_(NewFamily<Gauge>("watermark_seconds", {"partition"},
                                          "Event time up to which a task is complete, in seconds since 1970")),
      restore_progress_(
          NewFamily<Gauge>("restore_progress_ratio", {"partition"}, "Share of a task's recovery that is done, 0 to 1")),
      standby_lag_records_(NewFamily<Gauge>("standby_lag_records", {"partition"},
                                            "Changelog offsets that a warm standby has not followed yet")),
      build_info_(
          NewFamily<Gauge>("build_info", {"version", "chain"}, "Always 1; the labels name the build and the chain")),
      view_requests_(NewFamily<Counter>("view_requests_total", {"what", "status"},
                                        "Requests to the view, by what was asked for and the status of the answer")) {
  std::sort(descriptions_.begin(), descriptions_.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
  // All of them are there from the start, at zero, so that an alert on a rate sees the first one.
  for (CommitOutcome outcome :
       {CommitOutcome::kCommitted, CommitOutcome::kAborted, CommitOutcome::kUnknown, CommitOutcome::kFenced}) {
    Commits(outcome);
  }
  for (TaskPhase phase : {TaskPhase::kRestoring, TaskPhase::kRunning}) Tasks(phase);
}

Counter& Metrics::RecordsIn(std::string_view topic) { return records_in_.Add(Label("topic", topic)); }
Counter& Metrics::RecordsOut(std::string_view topic) { return records_out_.Add(Label("topic", topic)); }
Counter& Metrics::DeadLetters(std::string_view code) { return dead_letters_.Add(Label("code", code)); }
Counter& Metrics::Commits(CommitOutcome outcome) { return commits_.Add(Label("outcome", Name(outcome))); }
Counter& Metrics::ShadowChanges(std::string_view tag, bool entry) {
  return shadow_changes_.Add({{"tag", std::string(tag)}, {"change", entry ? "entry" : "exit"}});
}
void Metrics::CountShadow(const ShadowCounts& counts) {
  if (!counts.any()) return;
  const auto band_name = [](v1::ChurnAlert::Band band) {
    return absl::AsciiStrToLower(v1::ChurnAlert::Band_Name(band));
  };
  constexpr std::array kBands = {v1::ChurnAlert::LOW, v1::ChurnAlert::MEDIUM, v1::ChurnAlert::HIGH};
  for (const auto in_force : kBands) {
    for (const auto shadow : kBands) {
      shadow_judged_.Add({{"in_force", band_name(in_force)}, {"shadow", band_name(shadow)}})
          .Increment(static_cast<double>(counts.judged(in_force, shadow)));
    }
  }
  for (const auto& [by, name] :
       {std::pair(AlertBy::kModelsInForce, "in_force"), std::pair(AlertBy::kModelsInShadow, "shadow")}) {
    shadow_said_no_order_.Add({{"by", name}}).Increment(counts.said_no_order(by));
    shadow_alerts_.Add({{"by", name}, {"phase", "opened"}}).Increment(static_cast<double>(counts.alerts(by, false)));
    shadow_alerts_.Add({{"by", name}, {"phase", "worsened"}}).Increment(static_cast<double>(counts.alerts(by, true)));
  }
}
Metrics::OfModel Metrics::OfModelNamed(const std::string& model) {
  const prometheus::Labels label = Label("model", model);
  return {examples_.Add(label), examples_no_order_.Add(label), examples_said_no_order_.Add(label),
          examples_squared_error_.Add(label)};
}
Gauge& Metrics::Tasks(TaskPhase phase) { return tasks_.Add(Label("state", Name(phase))); }

Counter& Metrics::ViewRequests(std::string_view what, int status) {
  return view_requests_.Add({{"what", std::string(what)}, {"status", std::to_string(status)}});
}

std::map<std::string, double> Metrics::LagByTopic() const {
  std::map<std::string, double> out;
  const std::lock_guard lock(partitions_mutex_);
  for (const auto& [number, partition] : partitions_) {
    for (const auto& [gauge, topic] : partition.lag) out[topic] += gauge->Value();
  }
  return out;
}

Gauge& Metrics::StandbyLag(int32_t partition) { return standby_lag_records_.Add(PartitionLabel(partition)); }

void Metrics::RemoveStandby(int32_t partition) { standby_lag_records_.Remove(&StandbyLag(partition)); }

void Metrics::SetBuild(std::string_view version, std::string_view chain_version) {
  build_info_.Add({{"version", std::string(version)}, {"chain", std::string(chain_version)}}).Set(1);
}

std::string Metrics::Text() const {
  resident_bytes.Set(static_cast<double>(ResidentBytes()));
  return prometheus::TextSerializer().Serialize(registry_.Collect());
}

std::unique_ptr<PartitionMetrics> Metrics::ForPartition(int32_t partition) {
  std::lock_guard<std::mutex> lock(partitions_mutex_);
  ++partitions_[partition].handles;
  return std::unique_ptr<PartitionMetrics>(new PartitionMetrics(*this, partition));
}

Gauge& Metrics::Lag(int32_t partition, std::string_view topic) {
  prometheus::Labels labels = PartitionLabel(partition);
  labels.emplace("topic", topic);
  Gauge& gauge = lag_records_.Add(labels);
  std::lock_guard<std::mutex> lock(partitions_mutex_);
  partitions_[partition].lag.emplace(&gauge, topic);
  return gauge;
}

void Metrics::Release(int32_t partition) {
  std::lock_guard<std::mutex> lock(partitions_mutex_);
  const auto it = partitions_.find(partition);
  if (--it->second.handles > 0) return;
  for (const auto& [gauge, topic] : it->second.lag) lag_records_.Remove(gauge);
  watermark_seconds_.Remove(&watermark_seconds_.Add(PartitionLabel(partition)));
  restore_progress_.Remove(&restore_progress_.Add(PartitionLabel(partition)));
  partitions_.erase(it);
}

PartitionMetrics::PartitionMetrics(Metrics& metrics, int32_t partition)
    : metrics_(metrics),
      partition_(partition),
      watermark_seconds(metrics.watermark_seconds_.Add(PartitionLabel(partition))),
      restore_progress(metrics.restore_progress_.Add(PartitionLabel(partition))) {
  metrics_.Tasks(phase_).Increment();
}

PartitionMetrics::~PartitionMetrics() {
  metrics_.Tasks(phase_).Decrement();
  metrics_.Release(partition_);
}

void PartitionMetrics::Running() {
  metrics_.Tasks(std::exchange(phase_, TaskPhase::kRunning)).Decrement();
  metrics_.Tasks(phase_).Increment();
}

Gauge& PartitionMetrics::Lag(std::string_view topic) { return metrics_.Lag(partition_, topic); }

}  // namespace portrait
