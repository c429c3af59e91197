#include "view/overview.h"

#include <algorithm>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "operators/tags.h"
#include "pipeline/config/default_chain.h"
#include "pipeline/memory_guard.h"
#include "pipeline/tools/result_text.h"

namespace portrait::view {
namespace {

constexpr size_t kSamplesMost = 360;  // an hour
constexpr v1::ChurnAlert::Band kBands[] = {v1::ChurnAlert::HIGH, v1::ChurnAlert::MEDIUM, v1::ChurnAlert::LOW,
                                           v1::ChurnAlert::NONE};

Json OrNull(const std::optional<double>& value) { return value ? Json(*value) : Json(); }

double Sum(const std::map<std::string, double>& values) {
  double sum = 0;
  for (const auto& [topic, value] : values) sum += value;
  return sum;
}

std::map<std::string, double> PerSecond(const std::map<std::string, double>& now,
                                        const std::map<std::string, double>& before, double seconds_passed) {
  std::map<std::string, double> out;
  for (const auto& [topic, value] : now) {
    const auto was = before.find(topic);
    out[topic] = (value - (was == before.end() ? 0 : was->second)) / seconds_passed;
  }
  return out;
}

// By nearest rank; sorts.
std::optional<double> Quantile(std::vector<double>& values, double share) {
  if (values.empty()) return std::nullopt;
  const auto at = std::min(values.size() - 1, static_cast<size_t>(share * static_cast<double>(values.size())));
  std::nth_element(values.begin(), values.begin() + static_cast<ptrdiff_t>(at), values.end());
  return values[at];
}

Json CountsJson(const absl::flat_hash_map<std::string, int64_t>& now,
                const absl::flat_hash_map<std::string, int64_t>& before) {
  std::map<std::string, int64_t> sorted;
  for (const auto& [tag, count] : now) {
    const auto was = before.find(tag);
    if (const int64_t more = count - (was == before.end() ? 0 : was->second); more != 0) sorted[tag] = more;
  }
  Json out = Json::object();
  for (const auto& [tag, count] : sorted) out[tag] = count;
  return out;
}

// Null while no partition is known.
Json HoldersOf(const TagFollower::Counts& counts, const std::string& tag) {
  if (counts.partitions.empty()) return nullptr;
  const auto found = counts.customers.find(tag);
  return found == counts.customers.end() ? 0 : found->second;
}

Json HoldersJson(const TagFollower::Counts& counts) {
  if (counts.partitions.empty()) return nullptr;
  Json out = Json::object();
  for (const auto& [tag, customers] : counts.customers) out[tag] = customers;
  return out;
}

}  // namespace

Overview::Overview(const Config& config, const Portraits& portraits, Metrics& metrics, const Health& health,
                   const Clock& clock, ResultHub& hub, const TagFollower& holders)
    : config_(config),
      portraits_(portraits),
      metrics_(metrics),
      health_(health),
      clock_(clock),
      hub_(hub),
      holders_(holders),
      started_(clock.Now()),
      sampled_(clock.Monotonic()),
      before_(ReadTotals()) {}

std::string Overview::TopicOf(const std::string& output) const {
  for (const OutputOptions& options : config_.engine.outputs) {
    if (options.output == output) return options.topic;
  }
  return output;
}

Overview::Totals Overview::ReadTotals() {
  Totals totals;
  for (const SourceOptions& source : config_.engine.sources) {
    totals.in[source.topic] = metrics_.RecordsIn(source.topic).Value();
  }
  for (const OutputDescription& output : portraits_.chain().outputs()) {
    const std::string topic = TopicOf(output.topic);
    totals.out[topic] = metrics_.RecordsOut(topic).Value();
  }
  totals.hits = metrics_.cache_hits.Value();
  totals.misses = metrics_.cache_misses.Value();
  for (const auto& bucket : metrics_.commit_seconds.Collect().histogram.bucket) {
    totals.commits.push_back(bucket.cumulative_count);
  }
  return totals;
}

// The upper bound of the bucket that it lies in.
std::optional<double> Overview::CommitP99(const Totals& now) const {
  const auto buckets = metrics_.commit_seconds.Collect().histogram.bucket;
  if (now.commits.empty() || before_.commits.size() != now.commits.size()) return std::nullopt;
  const uint64_t all = now.commits.back() - before_.commits.back();
  if (all == 0) return std::nullopt;
  for (size_t i = 0; i + 1 < now.commits.size(); ++i) {
    const auto below = static_cast<double>(now.commits[i] - before_.commits[i]);
    if (below >= 0.99 * static_cast<double>(all)) return buckets[i].upper_bound * 1000;
  }
  return std::nullopt;
}

void Overview::Sample() {
  const Duration now = clock_.Monotonic();
  const double passed = std::chrono::duration<double>(now - sampled_).count();
  if (passed <= 0) return;
  Totals totals = ReadTotals();
  rates_.in = PerSecond(totals.in, before_.in, passed);
  rates_.out = PerSecond(totals.out, before_.out, passed);
  const double looked = totals.hits + totals.misses - before_.hits - before_.misses;
  hit_rate_ = looked > 0 ? std::optional<double>((totals.hits - before_.hits) / looked) : std::nullopt;
  commit_p99_ms_ = CommitP99(totals);
  before_ = std::move(totals);
  sampled_ = now;

  const ResultCounts was = {counts_.gained, counts_.lost, counts_.alerts, counts_.results, {}};
  hub_.TakeCounts(counts_);
  p50_ms_ = Quantile(counts_.latency_ms, 0.5);
  p99_ms_ = Quantile(counts_.latency_ms, 0.99);
  counts_.latency_ms.clear();
  Json alerts = Json::object();
  for (const auto band : kBands) {
    const auto before = was.alerts.find(band);
    alerts[std::string(BandName(band))] = counts_.alerts[band] - (before == was.alerts.end() ? 0 : before->second);
  }
  history_.push_back({{"time", TimeText(clock_.Now())},
                      {"records_per_second", Sum(rates_.in)},
                      {"results_per_second", Sum(rates_.out)},
                      {"lag_records", static_cast<int64_t>(Sum(metrics_.LagByTopic()))},
                      {"latency_p99_ms", OrNull(p99_ms_)},
                      {"gained", CountsJson(counts_.gained, was.gained)},
                      {"lost", CountsJson(counts_.lost, was.lost)},
                      {"alerts", std::move(alerts)},
                      {"customers", HoldersJson(holders_.counts())}});
  if (history_.size() > kSamplesMost) history_.pop_front();
}

Json Overview::Now(int32_t partitions, const std::vector<int32_t>& here,
                   const std::vector<GroupMap::Process>& members) {
  hub_.TakeCounts(counts_);
  const Health::Report health = health_.Now();
  Json out = {{"instance", config_.engine.instance_id}, {"version", ReleaseVersion()}};
  out["time"] = TimeText(clock_.Now());
  out["started"] = TimeText(started_);
  out["ready"] = health.ready;
  out["reason"] = health.ready ? Json() : TextOrNull(health.reason);
  out["partitions"] = {{"all", partitions}, {"here", here}, {"told", here}};
  out["members"] = Json::array();
  for (const GroupMap::Process& process : members) {
    out["members"].push_back({{"instance", process.instance},
                              {"partitions", process.partitions},
                              {"address", TextOrNull(process.address)},
                              {"ready", process.instance == config_.engine.instance_id ? Json(health.ready) : Json()}});
  }
  out["now"] = {{"records_per_second", Sum(rates_.in)},
                {"results_per_second", Sum(rates_.out)},
                {"lag_records", static_cast<int64_t>(Sum(metrics_.LagByTopic()))},
                {"latency_p50_ms", OrNull(p50_ms_)},
                {"latency_p99_ms", OrNull(p99_ms_)},
                {"commit_p99_ms", OrNull(commit_p99_ms_)},
                {"cache_hit_rate", OrNull(hit_rate_)},
                {"resident_bytes", ResidentBytes()}};
  const TagFollower::Counts holders = holders_.counts();
  std::set<std::string> tags;
  const auto* rules = portraits_.tags().op != nullptr ? portraits_.tags().op->rules() : nullptr;
  if (rules != nullptr) {
    for (const auto& compiled : rules->rules()) {
      if (compiled.rule.each.empty()) tags.insert(compiled.rule.tag);
    }
  }
  for (const auto* counts : {&counts_.gained, &counts_.lost}) {
    for (const auto& [tag, count] : *counts) tags.insert(tag);
  }
  for (const auto& [tag, count] : holders.customers) tags.insert(tag);
  out["tags"] = Json::array();
  for (const std::string& tag : tags) {
    const auto gained = counts_.gained.find(tag), lost = counts_.lost.find(tag);
    out["tags"].push_back({{"tag", tag},
                           {"about", portraits_.About(tag)},
                           {"customers", HoldersOf(holders, tag)},
                           {"gained", gained == counts_.gained.end() ? 0 : gained->second},
                           {"lost", lost == counts_.lost.end() ? 0 : lost->second}});
  }
  out["bands"] = Json::array();
  for (const auto band : kBands) {
    out["bands"].push_back({{"band", std::string(BandName(band))}, {"alerts", counts_.alerts[band]}});
  }
  out["interval_seconds"] = std::chrono::duration_cast<seconds>(kInterval).count();
  out["history"] = history_;
  return out;
}

Json Overview::ChainGraph() {
  const Chain& chain = portraits_.chain();
  const auto lag = metrics_.LagByTopic();
  Json nodes = Json::array(), edges = Json::array();
  const auto rate = [](const std::map<std::string, double>& rates, const std::string& topic) -> Json {
    const auto found = rates.find(topic);
    return found == rates.end() ? Json() : Json(found->second);
  };
  for (const SourceOptions& source : config_.engine.sources) {
    const auto behind = lag.find(source.topic);
    nodes.push_back({{"id", "source:" + source.topic},
                     {"kind", "source"},
                     {"name", source.topic},
                     {"about", ""},
                     {"records_per_second", rate(rates_.in, source.topic)},
                     {"lag_records", behind == lag.end() ? Json() : Json(static_cast<int64_t>(behind->second))}});
    edges.push_back({{"from", "source:" + source.topic}, {"to", "operator:clean"}});
  }
  const auto add_operator = [&](const std::string& name, const std::string& about) {
    nodes.push_back({{"id", "operator:" + name},
                     {"kind", "operator"},
                     {"name", name},
                     {"about", about},
                     {"records_per_second", nullptr},
                     {"lag_records", nullptr}});
  };
  add_operator("clean", "validates, corrects, drops duplicates");
  std::string before = "clean";
  for (const Chain::Link& link : chain.operators()) {
    const std::string& name = link.about->name();
    add_operator(name, link.about->about());
    edges.push_back({{"from", "operator:" + before}, {"to", "operator:" + name}});
    for (const OutputDescription& output : link.about->outputs()) {
      edges.push_back({{"from", "operator:" + name}, {"to", "output:" + TopicOf(output.topic)}});
    }
    before = name;
  }
  for (const OutputDescription& output : chain.outputs()) {
    const std::string topic = TopicOf(output.topic);
    nodes.push_back({{"id", "output:" + topic},
                     {"kind", "output"},
                     {"name", topic},
                     {"about", output.meaning},
                     {"records_per_second", rate(rates_.out, topic)},
                     {"lag_records", nullptr}});
  }
  return {{"version", chain.version()}, {"nodes", std::move(nodes)}, {"edges", std::move(edges)}};
}

}  // namespace portrait::view
