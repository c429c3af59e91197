#include "loyalty.h"

#include <utility>

namespace shop::loyalty {
namespace {

constexpr uint32_t kExpiry = 1;
constexpr int64_t kMicrosPerUnit = 1'000'000;

}  // namespace

void Loyalty::Describe(portrait::Description& about) {
  about.Name("loyalty")
      .About("Loyalty points and tiers")
      .Reads({portrait::Event::kOrderCompleted})
      .Writes<TierChange>("tier-changes", "a customer moves to another tier")
      .Timer(kExpiry, "a year without an order");
  about.Feature<LoyaltyState>("points", "points", "Loyalty points",
                              [](const LoyaltyState& state) { return state.points(); });
  about.Feature<LoyaltyState>("gold", "1", "Is in the gold tier",
                              [](const LoyaltyState& state) { return state.gold(); });
}

void Loyalty::OnEvent(const portrait::Event& event, LoyaltyState& state, portrait::Context& context) const {
  state.set_points(state.points() + event.order_completed().total_micros() / kMicrosPerUnit);
  context.SetTimer(kExpiry, context.now() + options_.valid);
  if (!state.gold() && state.points() >= options_.gold_points) MoveTo(true, state, context);
}

void Loyalty::OnTimer(const portrait::Timer&, LoyaltyState& state, portrait::Context& context) const {
  state.set_points(0);
  if (state.gold()) MoveTo(false, state, context);
}

void Loyalty::MoveTo(bool gold, LoyaltyState& state, portrait::Context& context) const {
  state.set_gold(gold);
  TierChange change;
  change.set_tier(gold ? "gold" : "basic");
  change.set_points(state.points());
  auto& reason = *change.mutable_info()->add_reasons();
  reason.set_feature("loyalty.points");
  reason.mutable_value()->set_integer(state.points());
  reason.set_comparison(gold ? ">=" : "<");
  reason.mutable_threshold()->set_integer(options_.gold_points);
  context.Emit(std::move(change));
}

}  // namespace shop::loyalty
