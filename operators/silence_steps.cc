#include "operators/silence_steps.h"

#include <algorithm>
#include <optional>

namespace portrait {
namespace {

constexpr Duration kOldest = days(36'500);

// The least age whose days since then are not below the threshold; none: an age never reaches it, or always does.
std::optional<Duration> AgeAt(std::string_view feature, float threshold) {
  const auto reached = [&](Duration age) { return !(static_cast<float>(CountedAs(feature, InDays(age))) < threshold); };
  Duration below(0), at = kOldest;
  if (reached(below) || !reached(at)) return std::nullopt;
  while (at - below > Duration(1)) {
    const Duration middle = below + (at - below) / 2;
    (reached(middle) ? at : below) = middle;
  }
  return at;
}

}  // namespace

SilenceSteps::SilenceSteps(const LearnedChurn& learned) {
  if (!learned.trees) return;
  for (size_t i = 0; i < learned.features.size(); ++i) thresholds_.push_back(learned.trees->ThresholdsOf(i));
}

void SilenceSteps::Bind(const ChurnFeatures& reader) {
  instants_.clear(), population_.clear();
  for (size_t i = 0; i < thresholds_.size(); ++i) {
    const FeatureRef* const feature = reader.feature(i);
    if (feature == nullptr) population_ = thresholds_[i];
    if (feature == nullptr || feature->description().type != FeatureType::kTimestamp) continue;
    Instant instant{.feature = *feature, .ages = {}};
    for (const float threshold : thresholds_[i]) {
      if (const auto age = AgeAt(reader.names()[i], threshold)) instant.ages.push_back(*age);
    }
    if (!instant.ages.empty()) instants_.push_back(std::move(instant));
  }
}

std::vector<Timestamp> SilenceSteps::Between(Timestamp after, Timestamp until, ChurnFeatures::Features features,
                                             PopulationLogOdds population) const {
  std::vector<Timestamp> stops;
  for (const Instant& instant : instants_) {
    const Value value = features(instant.feature);
    const auto* const since = std::get_if<Timestamp>(&value);
    if (since == nullptr) continue;
    for (auto age = std::upper_bound(instant.ages.begin(), instant.ages.end(), after + Duration(1) - *since);
         age != instant.ages.end() && *since + *age <= until; ++age) {
      stops.push_back(*since + *age - Duration(1));
    }
  }
  if (!population_.empty()) {
    const auto from = static_cast<float>(population(after)), to = static_cast<float>(population(until));
    for (auto at = std::upper_bound(population_.begin(), population_.end(), from); at != population_.end() && *at <= to;
         ++at) {
      const Timestamp turned =
          FirstMoment(after, until, [&](Timestamp time) { return !(static_cast<float>(population(time)) < *at); });
      if (const Timestamp stop = turned - seconds(1); stop > after) stops.push_back(stop);
    }
  }
  stops.push_back(until);
  std::sort(stops.begin(), stops.end());
  stops.erase(std::unique(stops.begin(), stops.end()), stops.end());
  return stops;
}

Timestamp FirstMoment(Timestamp before, Timestamp after, absl::FunctionRef<bool(Timestamp)> holds) {
  while (after - before > seconds(1)) {
    const Timestamp middle = before + (after - before) / 2;
    (holds(middle) ? after : before) = middle;
  }
  return after;
}

}  // namespace portrait
