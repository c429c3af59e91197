#include "operators/models/mbg_nbd.h"

#include <cmath>

#include "operators/models/leaves_after_orders.h"
#include "operators/models/log_gamma.h"

namespace portrait {

absl::Status Validate(const MbgNbdParameters& parameters) {
  const auto& [r, alpha, a, b] = parameters;
  return ValidateLeaving("MBG/NBD", r, alpha, a, b);
}

double ProbabilityAlive(const MbgNbdParameters& parameters, const PurchaseHistory& history) {
  const auto [x, t_x, age] = Sound(history);
  const auto& [r, alpha, a, b] = parameters;
  return 1 / (1 + a / (b + x) * std::exp((r + x) * std::log((alpha + age) / (alpha + t_x))));
}

double ProbabilityOfOrder(const MbgNbdParameters& parameters, const PurchaseHistory& history, double horizon_days) {
  const PurchaseHistory past = Sound(history);
  return ProbabilityOfOrderWhileHere(parameters.r + past.repeats, parameters.alpha_days + past.age_days, horizon_days) *
         ProbabilityAlive(parameters, past);
}

// Given the past and being here, λ ~ Gamma(r + x, α + T) and p ~ Beta(a, b + x + 1).
double ExpectedOrders(const MbgNbdParameters& parameters, const PurchaseHistory& history, double horizon_days) {
  const PurchaseHistory past = Sound(history);
  const auto& [r, alpha, a, b] = parameters;
  return ProbabilityAlive(parameters, past) *
         ExpectedOrdersWhileHere(r + past.repeats, alpha + past.age_days, a, b + past.repeats + 1, horizon_days);
}

//   L = Γ(r + x) αʳ / Γ(r) · [ B(a, b + x + 1) (α + T)^−(r + x) + B(a + 1, b + x) (α + t_x)^−(r + x) ] / B(a, b)
double LogLikelihood(const MbgNbdParameters& parameters, const PurchaseHistory& history) {
  const auto [x, t_x, age] = Sound(history);
  const auto& [r, alpha, a, b] = parameters;
  const double stayed = LogBeta(a, b + x + 1) - (r + x) * std::log(alpha + age);
  const double left = LogBeta(a + 1, b + x) - (r + x) * std::log(alpha + t_x);
  return LogGamma(r + x) - LogGamma(r) + r * std::log(alpha) + LogSum(stayed, left) - LogBeta(a, b);
}

}  // namespace portrait
