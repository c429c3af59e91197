#include "operators/models/bg_nbd.h"

#include <cmath>

#include "operators/models/leaves_after_orders.h"
#include "operators/models/log_gamma.h"

namespace portrait {

absl::Status Validate(const BgNbdParameters& parameters) {
  const auto& [r, alpha, a, b] = parameters;
  return ValidateLeaving("BG/NBD", r, alpha, a, b);
}

//   L = Γ(r + x) αʳ / (Γ(r) B(a, b)) ·
//     { B(a, b + x) (α + T)^−(r + x) + [x > 0] B(a + 1, b + x − 1) (α + t_x)^−(r + x) }
double LogLikelihood(const BgNbdParameters& parameters, const PurchaseHistory& history) {
  const auto [x, t_x, age] = Sound(history);
  const auto& [r, alpha, a, b] = parameters;
  double sum = LogBeta(a, b + x) - (r + x) * std::log(alpha + age);
  if (x > 0) sum = LogSum(sum, LogBeta(a + 1, b + x - 1) - (r + x) * std::log(alpha + t_x));
  return LogGamma(r + x) - LogGamma(r) + r * std::log(alpha) + sum - LogBeta(a, b);
}

double ProbabilityAlive(const BgNbdParameters& parameters, const PurchaseHistory& history) {
  const auto [x, t_x, age] = Sound(history);
  if (x == 0) return 1;
  const auto& [r, alpha, a, b] = parameters;
  return 1 / (1 + a / (b + x - 1) * std::exp((r + x) * std::log((alpha + age) / (alpha + t_x))));
}

double ProbabilityOfOrder(const BgNbdParameters& parameters, const PurchaseHistory& history, double horizon_days) {
  const PurchaseHistory past = Sound(history);
  return ProbabilityOfOrderWhileHere(parameters.r + past.repeats, parameters.alpha_days + past.age_days, horizon_days) *
         ProbabilityAlive(parameters, past);
}

// Given the past and being here, λ ~ Gamma(r + x, α + T) and p ~ Beta(a, b + x).
double ExpectedOrders(const BgNbdParameters& parameters, const PurchaseHistory& history, double horizon_days) {
  const PurchaseHistory past = Sound(history);
  const auto& [r, alpha, a, b] = parameters;
  return ProbabilityAlive(parameters, past) *
         ExpectedOrdersWhileHere(r + past.repeats, alpha + past.age_days, a, b + past.repeats, horizon_days);
}

}  // namespace portrait
