#include "operators/models/pareto_nbd.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <utility>

#include "absl/strings/str_cat.h"
#include "boost/math/tools/fraction.hpp"
#include "operators/models/log_gamma.h"

namespace portrait {
namespace {

constexpr std::uintmax_t kMostTerms = 100'000;

// 2F1(1, b; c; z) = 1/(1 − d₁z/(1 − d₂z/(1 − …))) with
//   d_(2k+1) = (b + k)(c + k − 1) / ((c + 2k − 1)(c + 2k)),  d_(2k) = k (c − b + k − 1) / ((c + 2k − 2)(c + 2k − 1))
// (Gauss; NIST Digital Library of Mathematical Functions, 15.7.5).
class GaussFraction {
 public:
  using result_type = std::pair<double, double>;  // numerator and denominator, as Boost.Math wants them
  GaussFraction(double b, double c, double z) : b_(b), c_(c), z_(z) {}
  result_type operator()() {
    const int n = n_++;
    if (n == 0) return {1, 1};
    const double k = n / 2;
    const double d = n % 2 == 1 ? (b_ + k) * (n == 1 ? 1 / c_ : (c_ + k - 1) / ((c_ + 2 * k - 1) * (c_ + 2 * k)))
                                : k * (c_ - b_ + k - 1) / ((c_ + 2 * k - 2) * (c_ + 2 * k - 1));
    return {-d * z_, 1};
  }

 private:
  double b_, c_, z_;
  int n_ = 0;
};

double HypergeometricOfOne(double b, double c, double z) {
  if (z <= 0) return 1;
  GaussFraction fraction(b, c, z);
  std::uintmax_t terms = kMostTerms;
  return boost::math::tools::continued_fraction_a(fraction, 1e-14, terms);
}

// ln of (α + u)^−(r + x) (β + u)^−s: that neither an order nor leaving has come by u, but for a constant.
double LogNeither(const ParetoNbdParameters& p, double x, double u) {
  return -(p.r + x) * std::log(p.alpha_days + u) - p.s * std::log(p.beta_days + u);
}

// ln of what P(alive) has below the line: left at some moment since t_x, or still here.
double LogPast(const ParetoNbdParameters& p, double x, double t_x, double age) {
  const double left_after_last = FirstOfTwoLomax(p.r + x, p.alpha_days + t_x, p.s, p.beta_days + t_x);
  const double order_first = FirstOfTwoLomax(p.s, p.beta_days + age, p.r + x, p.alpha_days + age);
  return LogSum(LogNeither(p, x, t_x) + std::log(left_after_last), LogNeither(p, x, age) + std::log(order_first));
}

}  // namespace

double FirstOfTwoLomax(double p, double A, double q, double B) {
  const double scale = q / (p + q);
  if (A >= B) return scale * HypergeometricOfOne(p, p + q + 1, (A - B) / A);
  return scale * A / B * HypergeometricOfOne(q + 1, p + q + 1, (B - A) / B);
}

absl::Status Validate(const ParetoNbdParameters& parameters) {
  for (const double value : {parameters.r, parameters.alpha_days, parameters.s, parameters.beta_days}) {
    if (std::isfinite(value) && value > 0) continue;
    return absl::InvalidArgumentError(absl::StrCat("a parameter of Pareto/NBD is not positive: r ", parameters.r,
                                                   ", alpha_days ", parameters.alpha_days, ", s ", parameters.s,
                                                   ", beta_days ", parameters.beta_days));
  }
  return absl::OkStatus();
}

//   L = Γ(r + x) αʳ βˢ / Γ(r) · [ N(t_x) W(t_x) + N(T) (1 − W(T)) ],  N(u) = (α + u)^−(r + x) (β + u)^−s,
// where W(u) is the chance to leave before the next order, as of u.
double LogLikelihood(const ParetoNbdParameters& parameters, const PurchaseHistory& history) {
  const auto [x, t_x, age] = Sound(history);
  const auto& [r, alpha, s, beta] = parameters;
  return LogGamma(r + x) - LogGamma(r) + r * std::log(alpha) + s * std::log(beta) + LogPast(parameters, x, t_x, age);
}

double ProbabilityAlive(const ParetoNbdParameters& parameters, const PurchaseHistory& history) {
  const auto [x, t_x, age] = Sound(history);
  return std::min(1.0, std::exp(LogNeither(parameters, x, age) - LogPast(parameters, x, t_x, age)));
}

double ProbabilityOfOrder(const ParetoNbdParameters& parameters, const PurchaseHistory& history, double horizon_days) {
  const PurchaseHistory past = Sound(history);
  const double shape = parameters.r + past.repeats, h = std::max(0.0, horizon_days);
  const double rate = parameters.alpha_days + past.age_days, beta = parameters.beta_days + past.age_days;
  const double neither = std::exp(-shape * std::log1p(h / rate) - parameters.s * std::log1p(h / beta));
  const double order = FirstOfTwoLomax(parameters.s, beta, shape, rate) -
                       neither * FirstOfTwoLomax(parameters.s, beta + h, shape, rate + h);
  return std::clamp(order, 0.0, 1.0) * ProbabilityAlive(parameters, past);
}

//   E = (r + x)(β + T) / ((α + T)(s − 1)) · (1 − ((β + T) / (β + T + h))^(s − 1)) · P(alive)
double ExpectedOrders(const ParetoNbdParameters& parameters, const PurchaseHistory& history, double horizon_days) {
  const PurchaseHistory past = Sound(history);
  const double beta = parameters.beta_days + past.age_days, epsilon = parameters.s - 1;
  const double length = std::log1p(std::max(0.0, horizon_days) / beta);
  const double time = beta * (epsilon == 0 ? length : -std::expm1(-epsilon * length) / epsilon);
  return (parameters.r + past.repeats) / (parameters.alpha_days + past.age_days) * time *
         ProbabilityAlive(parameters, past);
}

}  // namespace portrait
