#include "operators/models/mbg_nbd.h"

#include <catch2/catch_approx.hpp>
#include <catch2/catch_test_macros.hpp>
#include <cmath>

#include "operators/models/gamma_gamma.h"
#include "tests/operators/simulated_customers.h"

namespace portrait {
namespace {

using Catch::Approx;

struct Expectation {
  double a;
  PurchaseHistory history;
  double horizon_days, orders, alive;
};

TEST_CASE("expected orders and P(alive) agree with numbers computed another way", "[mbg_nbd]") {
  // Quadrature over p with 40 digits (mpmath), which uses no hypergeometric function.
  const Expectation table[] = {
      {0.89135927, {0, 0, 0}, 90, 0.530432642587, 0.6442192410676},
      {0.89135927, {0, 0, 270}, 90, 0.05589639911286, 0.3905175873568},
      {0.89135927, {2, 90, 120}, 90, 0.8598785419695, 0.7083222604609},
      {0.89135927, {9, 200, 210}, 365, 8.370899673724, 0.890269732235},
      {0.89135927, {40, 350, 400}, 90, 2.032453902885, 0.2676571249223},
      {0.89135927, {0, 0, 0}, 5000, 4.973151029234, 0.6442192410676},
      {1, {0, 0, 0}, 90, 0.4964257653862, 0.6174447958112},
      {1, {0, 0, 270}, 90, 0.05179537489251, 0.3635139568032},
      {1, {2, 90, 120}, 90, 0.819250997139, 0.6840056593696},
      {1, {9, 200, 210}, 365, 7.932860428071, 0.8785202666534},
      {1, {40, 350, 400}, 90, 1.848396789706, 0.245723934416},
      {1, {0, 0, 0}, 5000, 4.076055702459, 0.6174447958112},
  };
  for (const Expectation& row : table) {
    const MbgNbdParameters parameters{.a = row.a};
    INFO("a " << row.a << " x " << row.history.repeats << " T " << row.history.age_days << " t " << row.horizon_days);
    CHECK(ExpectedOrders(parameters, row.history, row.horizon_days) == Approx(row.orders).epsilon(1e-9));
    CHECK(ProbabilityAlive(parameters, row.history) == Approx(row.alive).epsilon(1e-12));
  }
  const MbgNbdParameters other{.r = 1.2, .alpha_days = 20, .a = 1.7, .b = 0.6};
  CHECK(ExpectedOrders(other, {0, 0, 0}, 90) == Approx(0.4488428406484).epsilon(1e-9));
  CHECK(ExpectedOrders(other, {0, 0, 270}, 90) == Approx(0.00447080470881).epsilon(1e-9));
  CHECK(ExpectedOrders(other, {9, 200, 210}, 365) == Approx(5.835156809128).epsilon(1e-9));
  CHECK(ExpectedOrders(other, {40, 350, 400}, 90) == Approx(0.8570928003418).epsilon(1e-9));
  CHECK(ExpectedOrders(other, {0, 0, 0}, 5000) == Approx(0.8155072334652).epsilon(1e-9));
}

TEST_CASE("nothing special happens where the paper's formula divides by zero", "[mbg_nbd]") {
  const PurchaseHistory history{2, 90, 120};
  const double at_one = ExpectedOrders(MbgNbdParameters{.a = 1}, history, 90);
  CHECK(ExpectedOrders(MbgNbdParameters{.a = 1 + 1e-9}, history, 90) == Approx(at_one).epsilon(1e-7));
  CHECK(ExpectedOrders(MbgNbdParameters{.a = 1 - 1e-9}, history, 90) == Approx(at_one).epsilon(1e-7));
}

TEST_CASE("the probability of an order within the horizon is that of simulated customers", "[mbg_nbd]") {
  Random random(20070907);
  CheckAgainstSimulation(MbgNbdParameters{}, random);
  CheckAgainstSimulation(MbgNbdParameters{.r = 1.5, .alpha_days = 30, .a = 1.5, .b = 4}, random);
}

TEST_CASE("silence lowers the probability of an order, a repeat raises it", "[mbg_nbd]") {
  const MbgNbdParameters cdnow;
  double before = 1;
  for (const double age : {90.0, 120.0, 200.0, 400.0}) {
    const double p = ProbabilityOfOrder(cdnow, {2, 90, age}, 90);
    CHECK(p < before);
    before = p;
  }
  CHECK(ProbabilityOfOrder(cdnow, {3, 90, 120}, 90) > ProbabilityOfOrder(cdnow, {1, 90, 120}, 90));
}

TEST_CASE("whatever the history, probabilities and counts are numbers that make sense", "[mbg_nbd]") {
  const MbgNbdParameters cdnow;
  for (const double x : {-1.0, 0.0, 1.0, 50.0, 5000.0}) {
    for (const double t_x : {-5.0, 0.0, 10.0, 1e5}) {
      for (const double age : {-1.0, 0.0, 100.0, 4e4}) {
        for (const double horizon : {-1.0, 0.0, 1.0, 90.0, 1e5}) {
          const double p = ProbabilityOfOrder(cdnow, {x, t_x, age}, horizon);
          const double n = ExpectedOrders(cdnow, {x, t_x, age}, horizon);
          INFO(x << " " << t_x << " " << age << " " << horizon);
          CHECK((p >= 0 && p <= 1));
          CHECK((std::isfinite(n) && n >= 0));
          CHECK(p <= n + 1e-9);  // at least one is expected at most as often as there are orders
        }
      }
    }
  }
}

TEST_CASE("the value of an order is drawn to the population's, the less the more orders", "[mbg_nbd]") {
  const GammaGammaParameters cdnow;
  CHECK(ExpectedOrderValue(cdnow, 0, 0) == Approx(6.24957 * 15.44352 / 2.74422));
  CHECK(ExpectedOrderValue(cdnow, 1, 100) == Approx((6.24957 * (15.44352 + 100)) / (6.24957 + 2.74422)));
  CHECK(ExpectedOrderValue(cdnow, 1000, 100) == Approx(100).epsilon(0.001));
}

TEST_CASE("parameters that make no sense are refused", "[mbg_nbd]") {
  CHECK(Validate(MbgNbdParameters{}).ok());
  CHECK(Validate(MbgNbdParameters{.r = 0}).message() ==
        "a parameter of MBG/NBD is not positive: r 0, alpha_days 43.2816, a 0.891359, b 1.614");
  CHECK_FALSE(Validate(MbgNbdParameters{.b = NAN}).ok());
  CHECK(Validate(GammaGammaParameters{}).ok());
  CHECK_FALSE(Validate(GammaGammaParameters{.q = 1}).ok());
}

}  // namespace
}  // namespace portrait
