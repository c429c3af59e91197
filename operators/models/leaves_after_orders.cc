#include "operators/models/leaves_after_orders.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "absl/strings/str_cat.h"

namespace portrait {
namespace {

constexpr int kMostTerms = 20'000;  // reached only beyond the documented horizon

// c·S with 2F1(first, ε; c; z) = 1 + ε·S, where second = 1 + ε:
//   S = Σ (first)_n (1 + ε)_(n−1) / ((c)_n n!) zⁿ, n from 1.
// c itself is a factor of every denominator, so c·S has no pole where c goes through 0.
double SeriesWithoutEpsilon(double first, double second, double c, double z) {
  double term = first * z, sum = term;
  for (int n = 1; n < kMostTerms; ++n) {
    term *= (first + n) * (second + n - 1) / ((c + n) * (n + 1)) * z;
    sum += term;
    if (std::abs(term) <= 1e-13 * (1 - z) * std::abs(sum)) break;
  }
  return sum;
}

}  // namespace

absl::Status ValidateLeaving(std::string_view model, double r, double alpha_days, double a, double b) {
  for (const double value : {r, alpha_days, a, b}) {
    if (std::isfinite(value) && value > 0) continue;
    return absl::InvalidArgumentError(absl::StrCat("a parameter of ", std::string(model), " is not positive: r ", r,
                                                   ", alpha_days ", alpha_days, ", a ", a, ", b ", b));
  }
  return absl::OkStatus();
}

double ProbabilityOfOrderWhileHere(double shape, double rate, double t) {
  return -std::expm1(-shape * std::log1p(std::max(0.0, t) / rate));
}

// The papers have, with z = t / (rate + t) and c = a + b − 1,
//   E = c / (a − 1) · (1 − (1 − z)^shape 2F1(shape, b; c; z)).
// Its series converges slowly for frequent buyers, and the formula fails at a = 1. Euler's transformation gives
//   1 − (1 − z)^ε 2F1(c − shape, ε; c; z),  ε = a − 1,
// whose terms fall as n^−(shape + 2 − a) zⁿ; and with 2F1 = 1 + ε·S one ε cancels, so that a = 1 is like any other.
double ExpectedOrdersWhileHere(double shape, double rate, double a, double b, double t) {
  if (t <= 0) return 0;
  const double z = t / (rate + t), c = a + b - 1, epsilon = a - 1;
  const double log_rest = -std::log1p(t / rate);  // ln(1 − z)
  const double series = SeriesWithoutEpsilon(c - shape, a, c, z);
  const double power = epsilon == 0 ? -log_rest : -std::expm1(epsilon * log_rest) / epsilon;
  return std::max(0.0, c * power - std::exp(epsilon * log_rest) * series);
}

}  // namespace portrait
