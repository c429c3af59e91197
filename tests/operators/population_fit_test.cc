#include "operators/models/population_fit.h"

#include <catch2/catch_approx.hpp>
#include <catch2/catch_test_macros.hpp>
#include <cmath>
#include <vector>

#include "tests/operators/simulated_customers.h"

namespace portrait {
namespace {

using Catch::Approx;

// Customers who came over a quarter, seen over most of a year, with the times in whole days.
template <class Parameters>
std::vector<PurchaseHistory> Histories(const Parameters& parameters, int customers, Random& random) {
  std::vector<PurchaseHistory> out;
  for (int i = 0; i < customers; ++i) {
    PurchaseHistory history = Live(parameters, 180 + i % 90, 0, random).history;
    history.last_days = std::round(history.last_days);
    out.push_back(history);
  }
  return out;
}

TEST_CASE("a fit finds the parameters that customers were made with, and is likelier than they are",
          "[population_fit]") {
  Random random(5);
  {
    const ParetoNbdParameters truth{0.7, 60, 0.9, 90};
    const auto histories = Histories(truth, 8000, random);
    const auto fit = FitParetoNbd(histories);
    REQUIRE(fit.ok());
    CHECK(fit->parameters.r == Approx(truth.r).epsilon(0.15));
    CHECK(fit->parameters.alpha_days == Approx(truth.alpha_days).epsilon(0.2));
    double of_truth = 0, of_fit = 0;
    for (const auto& h : histories) of_truth += LogLikelihood(truth, h), of_fit += LogLikelihood(fit->parameters, h);
    CHECK(fit->log_likelihood == Approx(of_fit).epsilon(1e-9));
    CHECK(of_fit > of_truth);
    CHECK(of_fit < of_truth + 12);  // half a χ² of four: more would be no chance
  }
  {
    const BgNbdParameters truth{0.5, 40, 0.8, 2.4};
    const auto fit = FitBgNbd(Histories(truth, 8000, random));
    REQUIRE(fit.ok());
    CHECK(fit->parameters.r == Approx(truth.r).epsilon(0.15));
    CHECK(fit->parameters.alpha_days == Approx(truth.alpha_days).epsilon(0.2));
    CHECK(fit->parameters.a / (fit->parameters.a + fit->parameters.b) == Approx(0.25).epsilon(0.15));
  }
  {
    const MbgNbdParameters truth;
    const auto fit = FitMbgNbd(Histories(truth, 8000, random));
    REQUIRE(fit.ok());
    CHECK(fit->parameters.r == Approx(truth.r).epsilon(0.15));
    CHECK(fit->parameters.alpha_days == Approx(truth.alpha_days).epsilon(0.2));
  }
}

TEST_CASE("a fit does not depend on the unit of time", "[population_fit]") {
  Random random(6);
  auto histories = Histories(ParetoNbdParameters{0.7, 60, 0.9, 90}, 1000, random);
  const auto in_days = FitParetoNbd(histories);
  for (auto& h : histories) h.last_days *= 86'400, h.age_days *= 86'400;
  const auto in_seconds = FitParetoNbd(histories);
  REQUIRE((in_days.ok() && in_seconds.ok()));
  CHECK(in_seconds->parameters.r == Approx(in_days->parameters.r).epsilon(1e-3));
  CHECK(in_seconds->parameters.alpha_days == Approx(86'400 * in_days->parameters.alpha_days).epsilon(1e-3));
}

TEST_CASE("populations that no model fits end within bounds", "[population_fit]") {
  const std::vector<std::vector<PurchaseHistory>> odd = {
      {{0, 0, 100}},                                    // one customer, one purchase
      {{0, 0, 10}, {1, 5, 20}, {4, 90, 91}},            // three
      {{0, 0, 0}, {0, 0, 0}, {3, 0, 1e-6}},             // all at one instant
      {{500, 500, 500}, {500, 500, 500}},               // a purchase every day
      std::vector<PurchaseHistory>(50, {0, 0, 365}),    // nobody ever came back
      std::vector<PurchaseHistory>(50, {5, 365, 365}),  // everybody does the same
      {{1, 2, 3}, {NAN, 1, 1}, {1, INFINITY, INFINITY}},
  };
  for (const auto& histories : odd) {
    INFO("population " << &histories - odd.data());
    const auto pareto = FitParetoNbd(histories);
    const auto bg = FitBgNbd(histories);
    const auto mbg = FitMbgNbd(histories);
    REQUIRE(pareto.ok());
    REQUIRE(bg.ok());
    REQUIRE(mbg.ok());
    CHECK(Validate(pareto->parameters).ok());
    CHECK(Validate(bg->parameters).ok());
    CHECK(Validate(mbg->parameters).ok());
    CHECK(pareto->parameters.r < 3000);
    CHECK(std::isfinite(ExpectedOrders(pareto->parameters, histories[0], 90)));
  }
}

TEST_CASE("without a single usable customer there is an error", "[population_fit]") {
  CHECK(FitParetoNbd({}).status().message() == "no customer has a history of any length");
  const std::vector<PurchaseHistory> at_once(5, {0, 0, 0});
  CHECK(FitMbgNbd(at_once).status().code() == absl::StatusCode::kInvalidArgument);
  const std::vector<OrderValues> free = {{1, 0}, {2, -5}, {0, 10}, {1, NAN}};
  CHECK(FitGammaGamma(free).status().message() == "no customer has an order of a value above 0");
}

TEST_CASE("Gamma-Gamma finds the parameters that orders were made with, in any currency", "[population_fit]") {
  Random random(7);
  const GammaGammaParameters truth{6, 4, 15};
  std::vector<OrderValues> values;
  for (int i = 0; i < 6000; ++i) {
    const double scale = std::gamma_distribution<>(truth.q, 1 / truth.v)(random);
    const int orders = 1 + i % 5;
    double sum = 0;
    for (int n = 0; n < orders; ++n) sum += std::gamma_distribution<>(truth.p, 1 / scale)(random);
    values.push_back({static_cast<double>(orders), sum / orders});
  }
  const auto fit = FitGammaGamma(values);
  REQUIRE(fit.ok());
  CHECK(fit->parameters.p == Approx(truth.p).epsilon(0.1));
  CHECK(fit->parameters.q == Approx(truth.q).epsilon(0.1));
  CHECK(fit->parameters.v == Approx(truth.v).epsilon(0.2));
  for (auto& one : values) one.mean *= 1e9;
  const auto in_small_coin = FitGammaGamma(values);
  REQUIRE(in_small_coin.ok());
  CHECK(in_small_coin->parameters.v == Approx(1e9 * fit->parameters.v).epsilon(1e-3));
}

TEST_CASE("the spread of rhythms is found from pauses", "[population_fit]") {
  Random random(8);
  std::normal_distribution<> normal;
  std::vector<Rhythm> rhythms;
  for (int i = 0; i < 5000; ++i) {
    const double mean = 3.2 + 0.6 * normal(random);
    std::vector<int32_t> gaps;
    for (int n = 0; n < 2 + i % 7; ++n) {
      gaps.push_back(static_cast<int32_t>(std::lround(std::exp(mean + 0.8 * normal(random)))));
    }
    rhythms.push_back(RhythmOf(gaps));
  }
  const RhythmPrior prior = FitRhythms(rhythms);
  CHECK(prior.log_mean == Approx(3.2).epsilon(0.02));
  // Odd pauses are drawn in, so the spread within a customer comes out lower, and with it the weight 0.64 / 0.36.
  CHECK(prior.log_spread == Approx(0.7).epsilon(0.15));
  CHECK(prior.mean_weight == Approx(0.7 * 0.7 / 0.36).epsilon(0.3));
  const RhythmPrior kept = FitRhythms({}, {.log_mean = 1, .log_spread = 2, .mean_weight = 3, .spread_weight = 4});
  CHECK(kept.log_mean == 1);
  CHECK(kept.spread_weight == 4);
}

TEST_CASE("pauses that never differ, as of subscribers, leave a spread above zero", "[population_fit]") {
  std::vector<Rhythm> rhythms;
  for (int32_t i = 0; i < 50; ++i) rhythms.push_back(RhythmOf({7 + i % 3, 7 + i % 3, 7 + i % 3}));
  const RhythmPrior prior = FitRhythms(rhythms);
  CHECK(prior.log_spread == Approx(0.0316).epsilon(0.01));
  CHECK(std::exp(prior.log_mean) == Approx(8).epsilon(0.05));
  CHECK((prior.mean_weight > 0 && prior.mean_weight < 1));
  CHECK(prior.spread_weight > 1);
}

}  // namespace
}  // namespace portrait
