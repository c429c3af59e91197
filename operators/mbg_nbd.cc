#include "operators/mbg_nbd.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"

namespace portrait {
namespace {

constexpr int kMostTerms = 20'000;  // reached only beyond the documented horizon

// Histories come from data: nothing negative, no last purchase after now.
PurchaseHistory Sound(const PurchaseHistory& history) {
  PurchaseHistory out;
  out.repeats = std::max(0.0, history.repeats);
  out.age_days = std::max(0.0, history.age_days);
  out.last_days = out.repeats > 0 ? std::clamp(history.last_days, 0.0, out.age_days) : 0;
  return out;
}

// S with 2F1(first, ε; c; z) = 1 + ε·S, where second = 1 + ε: Σ (first)_n (1 + ε)_(n−1) / ((c)_n n!) zⁿ, n from 1.
double SeriesWithoutEpsilon(double first, double second, double c, double z) {
  double term = first / c * z, sum = term;
  for (int n = 1; n < kMostTerms; ++n) {
    term *= (first + n) * (second + n - 1) / ((c + n) * (n + 1)) * z;
    sum += term;
    if (std::abs(term) <= 1e-13 * (1 - z) * std::abs(sum)) break;
  }
  return sum;
}

}  // namespace

absl::Status Validate(const MbgNbdParameters& parameters) {
  for (const double value : {parameters.r, parameters.alpha_days, parameters.a, parameters.b}) {
    if (std::isfinite(value) && value > 0) continue;
    return absl::InvalidArgumentError(absl::StrCat("a parameter of MBG/NBD is not positive: r ", parameters.r,
                                                   ", alpha_days ", parameters.alpha_days, ", a ", parameters.a, ", b ",
                                                   parameters.b));
  }
  return absl::OkStatus();
}

double ProbabilityAlive(const MbgNbdParameters& parameters, const PurchaseHistory& history) {
  const auto [x, t_x, age] = Sound(history);
  const auto& [r, alpha, a, b] = parameters;
  return 1 / (1 + a / (b + x) * std::exp((r + x) * std::log((alpha + age) / (alpha + t_x))));
}

double ProbabilityOfOrder(const MbgNbdParameters& parameters, const PurchaseHistory& history, double horizon_days) {
  const PurchaseHistory past = Sound(history);
  const double pause = std::log1p(std::max(0.0, horizon_days) / (parameters.alpha_days + past.age_days));
  return -std::expm1(-(parameters.r + past.repeats) * pause) * ProbabilityAlive(parameters, past);
}

// The paper has, with z = t / (α + T + t),
//   E = (a + b + x) / (a − 1) · (1 − (1 − z)^(r + x) 2F1(r + x, b + x + 1; a + b + x; z)) · P(alive).
// Its series converges slowly for frequent buyers, and the formula fails at a = 1. Euler's transformation gives
//   1 − (1 − z)^ε 2F1(a + b − r, ε; a + b + x; z),  ε = a − 1,
// whose terms fall as n^−(r + x + 2 − a) zⁿ; and with 2F1 = 1 + ε·S one ε cancels, so that a = 1 is like any other.
double ExpectedOrders(const MbgNbdParameters& parameters, const PurchaseHistory& history, double horizon_days) {
  const PurchaseHistory past = Sound(history);
  const auto& [r, alpha, a, b] = parameters;
  const double t = std::max(0.0, horizon_days);
  if (t == 0) return 0;
  const double z = t / (alpha + past.age_days + t), c = a + b + past.repeats, epsilon = a - 1;
  const double log_rest = -std::log1p(t / (alpha + past.age_days));  // ln(1 − z)
  const double series = SeriesWithoutEpsilon(a + b - r, a, c, z);
  const double power = epsilon == 0 ? -log_rest : -std::expm1(epsilon * log_rest) / epsilon;
  const double while_alive = c * (power - std::exp(epsilon * log_rest) * series);
  return std::max(0.0, while_alive * ProbabilityAlive(parameters, past));
}

absl::Status Validate(const GammaGammaParameters& parameters) {
  const auto& [p, q, v] = parameters;
  if (std::isfinite(p) && std::isfinite(q) && std::isfinite(v) && p > 0 && q > 1 && v > 0) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("Gamma-Gamma needs p > 0, q > 1 and v > 0: p ", p, ", q ", q, ", v ", v));
}

double ExpectedOrderValue(const GammaGammaParameters& parameters, double orders, double mean_value) {
  const auto& [p, q, v] = parameters;
  const double n = std::max(0.0, orders);
  return p * (v + n * std::max(0.0, mean_value)) / (p * n + q - 1);
}

}  // namespace portrait
