// The part of the operator `churn` that follows what models in the shadow would do. Nothing of it reaches a result, or
// what the row has of the models in force.
#include <algorithm>
#include <optional>

#include "operators/churn.h"
#include "operators/churn_assessment.h"

namespace portrait {

using State = v1::state::Churn;

bool Churn::HasStaleShadow(const State& state) const {
  return state.has_shadow() && (shadow_ == nullptr || state.shadow().begun() != shadow_->options_.models_begun);
}

bool Churn::SettleShadow(State& state, Context& context) const {
  if (HasStaleShadow(state)) {
    state.clear_shadow();
    context.CancelTimer(kShadowTimer);
  }
  if (shadow_ == nullptr || state.has_shadow()) return false;
  auto& shadow = *state.mutable_shadow();
  shadow.set_begun(shadow_->options_.models_begun);
  shadow.set_muted(state.muted());
  shadow.set_causes(state.causes());
  shadow.set_worst(state.worst());
  return true;
}

ShadowJudgement::Said Churn::SaidAt(ChurnModel::Features features, Timestamp now, uint32_t causes) const {
  ShadowJudgement::Said said;
  said.no_order = FromLogOdds(model_->Score(features, now, options_.horizon_days) + BesideModel(options_, causes));
  const double spend = options_.profit.given() ? model_->SpendAtRiskMicros(features, now, options_.horizon_days) : 0;
  said.band = BandOf(options_, said.no_order, spend);
  return said;
}

void Churn::LookInShadow(Occasion occasion, int64_t last_us, bool judge, State& state, Context& context) const {
  if (shadow_ == nullptr) return;
  auto& shadow = *state.mutable_shadow();
  const Assessment now = shadow_->Assess(state, KnownCauses(shadow), std::nullopt, context);
  context.CancelTimer(kShadowTimer);
  if (!now.customer) return state.clear_shadow();
  const bool open = shadow.causes() != 0, came_back = occasion == Occasion::kPurchase && now.CameBack(last_us);
  shadow.set_muted(MutedThen(shadow.muted(), open && came_back, now.causes));
  const uint32_t causes = now.causes & ~shadow.muted();

  const auto features = [&](const FeatureRef& ref) { return context.Get(ref); };
  std::optional<ShadowJudgement::Said> said;
  if (judge || open || causes != 0) {
    said = shadow_->SaidAt(features, now.time, now.causes);
    context.CountShadowJudgement({SaidAt(features, now.time, KnownCauses(state)), *said});
  }
  const EpisodeStep step = NextStep({open, causes, came_back, shadow.worst()}, [&] { return said->band; });
  const bool raised = step == EpisodeStep::kOpens || step == EpisodeStep::kWorsens;
  shadow.set_causes(step == EpisodeStep::kCloses ? 0 : causes);
  if (step == EpisodeStep::kCloses) shadow.clear_worst();
  if (raised) {
    shadow.set_worst(said->band);
    shadow.set_alerts(shadow.alerts() + 1);
    context.CountShadowAlert(AlertBy::kModelsInShadow,
                             step == EpisodeStep::kOpens ? v1::ChurnAlert::OPENED : v1::ChurnAlert::WORSENED);
  }
  if (const auto next = shadow_->NextInShadow(shadow, now, context)) context.SetTimer(kShadowTimer, *next);
}

std::optional<Timestamp> Churn::NextInShadow(const v1::state::ShadowChurn& shadow, Assessment now,
                                             const Context& context) const {
  std::optional<Timestamp> next = SilenceBegins(now);
  if (shadow.causes() == 0) return next;
  if (options_.profit.given()) {
    const auto features = [&](const FeatureRef& ref) { return context.Get(ref); };
    now.spend_at_risk_micros = model_->SpendAtRiskMicros(features, now.time, options_.horizon_days);
  }
  const auto worsens = Worsens(shadow.worst(), now, context);
  return worsens ? std::min(next.value_or(*worsens), *worsens) : next;
}

void Churn::CountTold(v1::ChurnAlert::Phase phase, State& state, Context& context) const {
  if (shadow_ == nullptr) return;
  state.mutable_shadow()->set_told(state.shadow().told() + 1);
  context.CountShadowAlert(AlertBy::kModelsInForce, phase);
}

std::optional<ShadowJudgement> Churn::Compare(const State& state, const FeatureReader& reader, Timestamp now) const {
  if (state.last_order_us() == 0) return std::nullopt;
  const auto features = [&](const FeatureRef& ref) { return reader.Get(ref); };
  return ShadowJudgement{SaidAt(features, now, KnownCauses(state)),
                         shadow_->SaidAt(features, now, KnownCauses(state.shadow()))};
}

}  // namespace portrait
