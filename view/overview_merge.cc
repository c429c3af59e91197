#include "view/overview_merge.h"

#include <algorithm>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "pipeline/tools/times.h"

namespace portrait::view {
namespace {

// What is null counts for nothing; null where all are.
void AddNumber(Json& sum, const Json& more) {
  if (more.is_null()) return;
  if (sum.is_null()) {
    sum = more;
  } else if (sum.is_number_integer() && more.is_number_integer()) {
    sum = sum.get<int64_t>() + more.get<int64_t>();
  } else {
    sum = sum.get<double>() + more.get<double>();
  }
}

void TakeWorst(Json& worst, const Json& other) {
  if (!other.is_null() && (worst.is_null() || other.get<double>() > worst.get<double>())) worst = other;
}

// Numbers by name; either may be null.
void AddNumbers(Json& sum, const Json& more) {
  if (more.is_null()) return;
  if (sum.is_null()) sum = Json::object();
  for (const auto& [name, number] : more.items()) AddNumber(sum[name], number);
}

// Of two lists of objects, those with the same `key` become one, with the `numbers` added.
void AddByName(Json& sums, const Json& more, const char* key, const std::vector<const char*>& numbers) {
  std::map<std::string, size_t> places;
  for (size_t i = 0; i < sums.size(); ++i) places[sums[i].at(key).get<std::string>()] = i;
  for (const Json& one : more) {
    const auto place = places.find(one.at(key).get<std::string>());
    if (place == places.end()) {
      sums.push_back(one);
      continue;
    }
    for (const char* number : numbers) AddNumber(sums[place->second].at(number), one.at(number));
  }
}

void AddRates(Json& sum, const Json& more) {
  for (const char* rate : {"records_per_second", "results_per_second", "lag_records"}) {
    AddNumber(sum.at(rate), more.at(rate));
  }
  TakeWorst(sum.at("latency_p99_ms"), more.at("latency_p99_ms"));
}

void AddSample(Json& sum, const Json& more) {
  AddRates(sum, more);
  for (const char* counts : {"gained", "lost", "alerts", "customers"}) AddNumbers(sum.at(counts), more.at(counts));
}

double HitsOf(const Json& now) {
  return now.at("cache_hit_rate").is_null()
             ? 0
             : now.at("cache_hit_rate").get<double>() * now.at("records_per_second").get<double>();
}

void AddNow(Json& sum, const Json& more) {
  const double hits = HitsOf(sum) + HitsOf(more);
  const bool known = !sum.at("cache_hit_rate").is_null() || !more.at("cache_hit_rate").is_null();
  AddRates(sum, more);
  for (const char* latency : {"latency_p50_ms", "commit_p99_ms"}) TakeWorst(sum.at(latency), more.at(latency));
  AddNumber(sum.at("resident_bytes"), more.at("resident_bytes"));
  const double records = sum.at("records_per_second").get<double>();
  sum["cache_hit_rate"] = known && records > 0 ? Json(hits / records) : Json();
}

int64_t IntervalOf(const Json& sample, Duration interval) {
  const auto time = ParseTimestamp(sample.at("time").get<std::string>(), {});
  return time.ok() ? ToMicros(*time) / ToMicros(Timestamp(interval)) : 0;
}

// The samples of one process, by interval. Two of the same, which a late one makes, count one after the other.
std::map<int64_t, Json> ByInterval(const Json& history, Duration interval) {
  std::map<int64_t, Json> out;
  for (const Json& sample : history) {
    int64_t at = IntervalOf(sample, interval);
    if (!out.empty() && out.rbegin()->first >= at) at = out.rbegin()->first + 1;
    out.emplace(at, sample);
  }
  return out;
}

// Adds all but the history.
void AddProcess(Json& sum, const Json& other) {
  AddNow(sum.at("now"), other.at("now"));
  AddByName(sum.at("tags"), other.at("tags"), "tag", {"customers", "gained", "lost"});
  AddByName(sum.at("bands"), other.at("bands"), "band", {"alerts"});
  auto told = sum.at("partitions").at("told").get<std::set<int32_t>>();
  told.merge(other.at("partitions").at("here").get<std::set<int32_t>>());
  sum["partitions"]["told"] = told;
  for (Json& member : sum.at("members")) {
    if (member.at("instance") == other.at("instance")) member["ready"] = other.at("ready").get<bool>();
  }
}

}  // namespace

OverviewMerge::OverviewMerge(Json own, Duration interval) : interval_(interval) {
  all_.sum = std::move(own);
  AddHistory(all_.sum.at("history"), all_);
}

void OverviewMerge::AddHistory(const Json& history, All& all) const {
  const auto samples = ByInterval(history, interval_);
  if (samples.empty()) return;
  all.last = std::min(all.last, samples.rbegin()->first);
  for (const auto& [at, sample] : samples) {
    const auto [place, first] = all.samples.emplace(at, sample);
    if (!first) AddSample(place->second, sample);
  }
}

absl::Status OverviewMerge::Add(std::string_view text) {
  const Json other = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  All all = all_;  // so that one that turns out to be something else halfway leaves no trace
  try {
    AddProcess(all.sum, other);
    AddHistory(other.at("history"), all);
  } catch (const Json::exception& error) {
    return absl::InvalidArgumentError(error.what());
  }
  all_ = std::move(all);
  ++others_;
  return absl::OkStatus();
}

Json OverviewMerge::Take() && {
  if (others_ == 0) return std::move(all_.sum);
  Json& tags = all_.sum["tags"];
  std::sort(tags.begin(), tags.end(),
            [](const Json& a, const Json& b) { return a["tag"].get<std::string>() < b["tag"].get<std::string>(); });
  Json history = Json::array();
  for (auto& [at, sample] : all_.samples) {
    if (at <= all_.last) history.push_back(std::move(sample));
  }
  all_.sum["history"] = std::move(history);
  return std::move(all_.sum);
}

}  // namespace portrait::view
