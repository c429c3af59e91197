#include <catch2/catch_approx.hpp>
#include <catch2/catch_test_macros.hpp>
#include <cmath>
#include <limits>

#include "tests/operators/simulated_customers.h"

namespace portrait {
namespace {

using Catch::Approx;

// The integral in pareto_nbd.h by the midpoint rule over w = (B / (B + u))^q.
double FirstByQuadrature(double p, double A, double q, double B) {
  constexpr int kSteps = 200'000;
  double sum = 0;
  for (int i = 0; i < kSteps; ++i) {
    const double w = (i + 0.5) / kSteps, u = B * (std::pow(w, -1 / q) - 1);
    sum += std::pow(A / (A + u), p) / kSteps;
  }
  return sum;
}

TEST_CASE("which of two Lomax times comes first agrees with quadrature, for any scale", "[pareto_nbd]") {
  for (const double p : {0.1, 1.0, 7.5}) {
    for (const double q : {0.3, 2.0}) {
      for (const auto& [A, B] : {std::pair{1.0, 1.0}, {5.0, 1.0}, {1.0, 5.0}, {1000.0, 1.0}, {1.0, 1000.0}}) {
        INFO("p " << p << " A " << A << " q " << q << " B " << B);
        const double first = FirstOfTwoLomax(p, A, q, B);
        CHECK(first == Approx(FirstByQuadrature(p, A, q, B)).margin(2e-5));
        CHECK(first + FirstOfTwoLomax(q, B, p, A) == Approx(1).epsilon(1e-12));
      }
    }
  }
}

TEST_CASE("probabilities and counts are those of simulated customers", "[population_models]") {
  Random random(19870101);
  CheckAgainstSimulation(ParetoNbdParameters{0.55, 74, 0.61, 82}, random);
  CheckAgainstSimulation(ParetoNbdParameters{1.8, 30, 1.4, 300}, random);
  CheckAgainstSimulation(BgNbdParameters{0.24, 31, 0.79, 2.43}, random);
  CheckAgainstSimulation(BgNbdParameters{1.5, 30, 1.6, 4}, random);
}

template <class Parameters>
double ShareWithoutRepeat(const Parameters& parameters, double age, Random& random) {
  constexpr int kCustomers = 200'000;
  int none = 0;
  for (int i = 0; i < kCustomers; ++i) none += Live(parameters, age, 0, random).history.repeats == 0;
  return static_cast<double>(none) / kCustomers;
}

TEST_CASE("the likelihood of a customer without a repeat is how many have none", "[population_models]") {
  Random random(3);
  const ParetoNbdParameters pareto{0.55, 74, 0.61, 82};
  const BgNbdParameters bg{0.24, 31, 0.79, 2.43};
  const MbgNbdParameters mbg;
  for (const double age : {10.0, 100.0, 365.0}) {
    INFO("age " << age);
    CHECK(std::exp(LogLikelihood(pareto, {0, 0, age})) ==
          Approx(ShareWithoutRepeat(pareto, age, random)).margin(0.005));
    CHECK(std::exp(LogLikelihood(bg, {0, 0, age})) == Approx(ShareWithoutRepeat(bg, age, random)).margin(0.005));
    CHECK(std::exp(LogLikelihood(mbg, {0, 0, age})) == Approx(ShareWithoutRepeat(mbg, age, random)).margin(0.005));
  }
}

// P(X(age) = 1) = ∫ density of one order at t, over t.
template <class Parameters>
void CheckOneRepeat(const Parameters& parameters, double age, Random& random) {
  constexpr int kSteps = 2000, kCustomers = 200'000;
  double sum = 0;
  for (int i = 0; i < kSteps; ++i) sum += std::exp(LogLikelihood(parameters, {1, (i + 0.5) * age / kSteps, age}));
  int one = 0;
  for (int i = 0; i < kCustomers; ++i) one += Live(parameters, age, 0, random).history.repeats == 1;
  CHECK(sum * age / kSteps == Approx(static_cast<double>(one) / kCustomers).margin(0.005));
}

TEST_CASE("the likelihoods of one repeat add up to how many have one", "[population_models]") {
  Random random(4);
  CheckOneRepeat(ParetoNbdParameters{0.55, 74, 0.61, 82}, 200, random);
  CheckOneRepeat(BgNbdParameters{0.24, 31, 0.79, 2.43}, 200, random);
  CheckOneRepeat(MbgNbdParameters{}, 200, random);
}

template <class Parameters>
void CheckAlwaysANumber(const Parameters& parameters) {
  for (const double x : {-1.0, 0.0, 1.0, 50.0, 5000.0}) {
    for (const double t_x : {-5.0, 0.0, 10.0, 1e5}) {
      for (const double age : {-1.0, 0.0, 100.0, 4e4}) {
        for (const double horizon : {-1.0, 0.0, 1.0, 90.0, 1e5}) {
          const PurchaseHistory history{x, t_x, age};
          const double p = ProbabilityOfOrder(parameters, history, horizon);
          const double n = ExpectedOrders(parameters, history, horizon);
          const double alive = ProbabilityAlive(parameters, history);
          INFO(x << " " << t_x << " " << age << " " << horizon << ": " << p << " " << n << " " << alive);
          CHECK((p >= 0 && p <= 1));
          CHECK((alive >= 0 && alive <= 1));
          CHECK((std::isfinite(n) && n >= 0));
          CHECK(p <= n * (1 + 1e-9) + 1e-9);
          CHECK(std::isfinite(LogLikelihood(parameters, history)));
        }
      }
    }
  }
}

TEST_CASE("whatever the history and the scale, everything is a number that makes sense", "[population_models]") {
  CheckAlwaysANumber(ParetoNbdParameters{0.55, 74, 0.61, 82});
  CheckAlwaysANumber(ParetoNbdParameters{0.05, 1e-2, 1, 1e4});
  CheckAlwaysANumber(ParetoNbdParameters{20, 1e4, 0.05, 1e-2});
  CheckAlwaysANumber(BgNbdParameters{0.24, 31, 0.79, 2.43});
  CheckAlwaysANumber(BgNbdParameters{0.24, 31, 0.5, 0.5});  // a + b = 1, a pole of the paper's formula
}

TEST_CASE("parameters that make no sense are refused, by name", "[population_models]") {
  CHECK(Validate(BgNbdParameters{}).ok());
  CHECK(Validate(ParetoNbdParameters{}).ok());
  CHECK(Validate(BgNbdParameters{.a = -1}).message() ==
        "a parameter of BG/NBD is not positive: r 1, alpha_days 1, a -1, b 1");
  CHECK(Validate(ParetoNbdParameters{.s = std::numeric_limits<double>::quiet_NaN()}).message() ==
        "a parameter of Pareto/NBD is not positive: r 1, alpha_days 1, s nan, beta_days 1");
}

}  // namespace
}  // namespace portrait
