#include "operators/models/gamma_gamma.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "operators/models/log_gamma.h"

namespace portrait {

absl::Status Validate(const GammaGammaParameters& parameters) {
  const auto& [p, q, v] = parameters;
  if (std::isfinite(p) && std::isfinite(q) && std::isfinite(v) && p > 0 && q > 1 && v > 0) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("Gamma-Gamma needs p > 0, q > 1 and v > 0: p ", p, ", q ", q, ", v ", v));
}

//   L = Γ(px + q) / (Γ(px) Γ(q)) · v^q m^(px − 1) x^(px) / (v + x m)^(px + q)
double LogLikelihood(const GammaGammaParameters& parameters, const OrderValues& values) {
  const auto& [p, q, v] = parameters;
  const auto& [x, mean] = values;
  return LogGamma(p * x + q) - LogGamma(p * x) - LogGamma(q) + q * std::log(v) + (p * x - 1) * std::log(mean) +
         p * x * std::log(x) - (p * x + q) * std::log(v + x * mean);
}

double ExpectedOrderValue(const GammaGammaParameters& parameters, double orders, double mean_value) {
  const auto& [p, q, v] = parameters;
  const double n = std::max(0.0, orders);
  return p * (v + n * std::max(0.0, mean_value)) / (p * n + q - 1);
}

}  // namespace portrait
