// Logarithms of the functions that likelihoods are made of. Pure; safe from any thread, which std::lgamma is not.
#pragma once

#include <algorithm>
#include <cmath>

#include "boost/math/special_functions/gamma.hpp"

namespace portrait {

// ln Γ(x), x > 0.
inline double LogGamma(double x) {
  namespace policies = boost::math::policies;
  using Policy =
      policies::policy<policies::promote_double<false>, policies::overflow_error<policies::ignore_error>,
                       policies::pole_error<policies::ignore_error>, policies::domain_error<policies::ignore_error>>;
  return boost::math::lgamma(x, Policy());
}

// ln B(a, b).
inline double LogBeta(double a, double b) { return LogGamma(a) + LogGamma(b) - LogGamma(a + b); }

// ln(eᵃ + eᵇ), however large or small both are.
inline double LogSum(double a, double b) {
  const double most = std::max(a, b), least = std::min(a, b);
  return std::isinf(most) ? most : most + std::log1p(std::exp(least - most));
}

}  // namespace portrait
