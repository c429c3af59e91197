#include "operators/rfm_features.h"

#include <algorithm>
#include <optional>
#include <string>

#include "absl/strings/str_cat.h"
#include "portrait/v1/state/predictions.pb.h"

namespace portrait {
namespace {

using State = v1::state::Predictions;
using Fifth = int (RfmBoundaries::*)(const Rfm&) const;

int32_t SilentDays(const State& state, int32_t day) { return std::max(0, day - state.last_day()); }

Rfm RfmOn(const State& state, int32_t day) { return MakeRfm(SilentDays(state, day), state.occasions(), state.spend()); }

std::optional<int64_t> FifthOn(const FittedModels& models, const State& state, int32_t day, Fifth fifth) {
  if (state.occasions() == 0 || !models.rfm) return std::nullopt;
  return ((*models.rfm).*fifth)(RfmOn(state, day));
}

std::optional<int32_t> NextRecencyDay(const FittedModels& models, const State& state, int32_t day) {
  if (state.occasions() == 0 || !models.rfm) return std::nullopt;
  const auto silence = models.rfm->NextSilence(SilentDays(state, day));
  if (!silence) return std::nullopt;
  return state.last_day() + *silence;
}

std::optional<int64_t> ClusterOn(const FittedModels& models, const State& state, int32_t day) {
  if (state.occasions() == 0 || !models.clusters) return std::nullopt;
  return models.clusters->Of(RfmOn(state, day));
}

std::optional<int32_t> NextClusterDay(const FittedModels& models, const State& state, int32_t day) {
  if (state.occasions() == 0 || !models.clusters) return std::nullopt;
  const auto silence = models.clusters->NextSilence(RfmOn(state, day));
  if (!silence) return std::nullopt;
  return state.last_day() + *silence;
}

void AddStanding(Description& about, const FittedModels* models, std::string_view name, const char* meaning,
                 Fifth fifth) {
  about.Feature<State>(name, "1", absl::StrCat(meaning, "; 1: the lowest fifth of the customers, 5: the highest"),
                       [models, fifth](const State& s) { return FifthOn(*models, s, s.last_day(), fifth); });
}

}  // namespace

void AddRfmFeatures(Description& about, const FittedModels* models) {
  about.Feature<State>(
      "rfm_recency", "1", "How lately the customer ordered; 5: the most recent fifth of the customers, 1: the last",
      [models](const State& s, const Moment& at) { return FifthOn(*models, s, at.day, &RfmBoundaries::Recency); },
      ChangesOn<State>([models](const State& s, const Moment& at) { return NextRecencyDay(*models, s, at.day); },
                       OverTime::Trend::kFalls));
  AddStanding(about, models, "rfm_frequency", "On how many days the customer ordered", &RfmBoundaries::Frequency);
  AddStanding(about, models, "rfm_monetary", "How much the customer spent", &RfmBoundaries::Monetary);
  about.Feature<State>(
      "cluster", "1", "Cluster of like customers by recency, frequency and spend; 1: the highest mean spend",
      [models](const State& s, const Moment& at) { return ClusterOn(*models, s, at.day); },
      ChangesOn<State>([models](const State& s, const Moment& at) { return NextClusterDay(*models, s, at.day); }));
}

}  // namespace portrait
