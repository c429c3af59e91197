#include "operators/models/forecaster.h"

#include <algorithm>
#include <catch2/catch_approx.hpp>
#include <catch2/catch_test_macros.hpp>
#include <cmath>
#include <random>

namespace portrait {
namespace {

using Catch::Approx;

constexpr double kHorizon = 60;

CustomerSummary Customer(double repeats, double silent, double age, double day_value) {
  CustomerSummary out{.customer = true};
  out.history = {repeats, repeats > 0 ? age - silent : 0, repeats > 0 ? age : silent};
  out.silent_days = silent;
  out.day_value = day_value;
  out.spend = day_value * (repeats + 1);
  out.window_orders = {silent < 7 ? 1.0 : 0.0, silent < 30 ? 1 + repeats / 4 : 0, silent < 90 ? 1 + repeats / 2 : 0};
  for (size_t i = 0; i < 3; ++i) out.window_spend[i] = out.window_orders[i] * day_value;
  out.rhythm = {static_cast<int>(std::min(8.0, repeats)), repeats > 0 ? std::log(age / (repeats + 1)) : 0, 0.5};
  return out;
}

// Customers who order `lift` times as often as the population models say, at a price `worth` times as high.
std::vector<ClosedWindow> Windows(const PopulationModels& population, const std::vector<int>& days, double length,
                                  double lift, double worth, uint64_t seed) {
  std::mt19937_64 random(seed);
  std::vector<ClosedWindow> out;
  for (const int day : days) {
    for (int i = 0; i < 1500; ++i) {
      const double age = 60 + static_cast<double>(random() % 200), silent = 1 + static_cast<double>(random() % 59);
      ClosedWindow window{day, Customer(static_cast<double>(random() % 6), silent, age, 10 + (random() % 50))};
      const PopulationForecast said = ForecastOf(population, window.customer, length);
      window.orders = std::poisson_distribution<>(lift * said.orders)(random);
      window.spend = window.orders * worth * said.spend / said.orders;
      out.push_back(window);
    }
  }
  return out;
}

std::vector<CustomerSummary> CustomersOf(const std::vector<ClosedWindow>& windows) {
  std::vector<CustomerSummary> out;
  for (const ClosedWindow& window : windows) out.push_back(window.customer);
  return out;
}

struct Total {
  double orders = 0, spend = 0;
};

Total TotalOf(const Forecaster& forecaster, const std::vector<CustomerSummary>& customers) {
  Total out;
  for (const CustomerSummary& customer : customers) {
    const Forecast forecast = forecaster.Predict(customer);
    out.orders += forecast.orders, out.spend += forecast.spend;
  }
  return out;
}

Total SaidOf(const PopulationModels& population, const std::vector<CustomerSummary>& customers, double horizon) {
  return TotalOf(Forecaster(population, horizon), customers);
}

TEST_CASE("closed windows teach how many orders come", "[forecaster]") {
  const PopulationModels population;
  const auto windows = Windows(population, {10, 20, 30}, kHorizon, 1.5, 1.2, 1);
  const auto today = CustomersOf(windows);
  Forecaster forecaster(population, kHorizon);
  forecaster.Learn(windows, kHorizon, today);
  const Total said = SaidOf(population, today, kHorizon), learned = TotalOf(forecaster, today);
  // A part of the population's says remains.
  CHECK(learned.orders / said.orders == Approx(std::pow(1.5, 0.85)).epsilon(0.06));
  CHECK(learned.spend / said.spend == Approx(std::pow(1.5 * 1.2, 0.85)).epsilon(0.06));
}

TEST_CASE("the latest windows count more for the level", "[forecaster]") {
  const PopulationModels population;
  const auto early = Windows(population, {10, 20, 30}, kHorizon, 1, 1, 1);
  const auto level = [&](double lift) {
    auto windows = early;
    const auto latest = Windows(population, {40}, kHorizon, lift, 1, 2);
    windows.insert(windows.end(), latest.begin(), latest.end());
    Forecaster forecaster(population, kHorizon);
    forecaster.Learn(windows, kHorizon, {});
    return TotalOf(forecaster, CustomersOf(early)).orders;
  };
  // Of a lift of 2, the windows' mean would have 1.25.
  CHECK(level(2) / level(1) > 1.35);
  CHECK(level(2) / level(1) < 2);
}

TEST_CASE("shorter windows tell customers apart, not how many orders come in longer ones", "[forecaster]") {
  const PopulationModels population;
  const auto windows = Windows(population, {10, 20, 30}, kHorizon / 3, 1.5, 1.2, 3);
  const auto today = CustomersOf(windows);
  Forecaster forecaster(population, kHorizon);
  forecaster.Learn(windows, kHorizon / 3, today);
  REQUIRE(forecaster.churn());
  const Total said = SaidOf(population, today, kHorizon), learned = TotalOf(forecaster, today);
  CHECK(learned.orders == Approx(said.orders).epsilon(1e-9));
  CHECK(learned.spend / said.spend == Approx(1.2).epsilon(0.03));
}

TEST_CASE("more windows than needed teach the same, and one huge amount moves all alike", "[forecaster]") {
  const PopulationModels population;
  auto windows = Windows(population, {10, 20}, kHorizon, 1, 1, 4);
  const CustomerSummary anna = Customer(3, 5, 120, 30), bert = Customer(0, 50, 120, 30);
  Forecaster before(population, kHorizon), after(population, kHorizon);
  before.Learn(windows, kHorizon, {});
  windows[7].orders = 1, windows[7].spend = 1e12;
  after.Learn(windows, kHorizon, {});
  const double ratio = before.Predict(anna).spend / before.Predict(bert).spend;
  CHECK(after.Predict(anna).spend / after.Predict(bert).spend == Approx(ratio).epsilon(0.05));
  CHECK(std::isfinite(after.Predict(anna).spend));

  std::vector<ClosedWindow> many;
  while (many.size() <= Forecaster::kMostWindows) many.insert(many.end(), windows.begin() + 8, windows.end());
  Forecaster thinned(population, kHorizon);
  thinned.Learn(many, kHorizon, {});
  CHECK(thinned.windows() <= Forecaster::kMostWindows);
  CHECK(thinned.Predict(anna).no_order == Approx(before.Predict(anna).no_order).margin(0.02));
}

TEST_CASE("few windows leave the population models alone", "[forecaster]") {
  const PopulationModels population;
  auto windows = Windows(population, {10}, kHorizon, 3, 1, 5);
  windows.resize(199);
  Forecaster forecaster(population, kHorizon);
  forecaster.Learn(windows, kHorizon, {});
  CHECK_FALSE(forecaster.churn());
  const CustomerSummary anna = Customer(3, 5, 120, 30);
  CHECK(forecaster.Predict(anna).orders == Approx(ForecastOf(population, anna, kHorizon).orders));
}

TEST_CASE("the more pauses were learned from, the less the rhythm alone counts", "[forecaster]") {
  const RhythmPrior prior;
  const CustomerSummary anna = Customer(5, 1, 180, 30);
  const double alone = NextOrderModel(prior, 90).Predict(anna);
  double last = alone;
  for (const size_t pauses : {60, 600, 6000}) {
    std::vector<ClosedPause> closed;
    for (size_t i = 0; i < pauses; ++i) closed.push_back({Customer(2 + i % 6, 1, 60 + i % 150, 30), 5});
    NextOrderModel model(prior, 90);
    model.Learn(closed);
    CHECK(model.Predict(anna) < last);
    last = model.Predict(anna);
    closed.resize(NextOrderModel::kLeastPauses - 1);
    model.Learn(closed);
    CHECK(model.Predict(anna) == alone);
  }
  CHECK(last == Approx(5 * 2 / 3. + alone / 3).margin(1));  // a third of the rhythm stays
}

TEST_CASE("the rhythm alone answers with the median of the pauses that the limit leaves", "[forecaster]") {
  RhythmPrior prior;
  prior.log_mean = std::log(60), prior.log_spread = 1;
  const CustomerSummary nobody{.customer = true};  // without a pause: the population's
  std::mt19937_64 random(7);
  std::normal_distribution<> normal(prior.log_mean, Shrunk({}, prior).log_spread);
  for (const double limit : {10.0, 90.0, 3650.0}) {
    std::vector<double> within;
    while (within.size() < 20'000) {
      const double pause = std::exp(normal(random));
      if (pause <= limit) within.push_back(pause);
    }
    std::nth_element(within.begin(), within.begin() + 10'000, within.end());
    CHECK(NextOrderModel(prior, limit).Predict(nobody) == Approx(within[10'000]).epsilon(0.03));
  }
  // A limit that all but no pause is within, or an odd spread, still gets an answer in range.
  prior.log_mean = std::log(1e9), prior.log_spread = 0.01;
  const double rare = NextOrderModel(prior, 30).Predict(nobody);
  CHECK((rare >= 1 && rare <= 30));
}

TEST_CASE("forecasters of several windows are averaged, on their scales", "[forecaster]") {
  const PopulationModels population;
  std::vector<Forecaster> two(2, Forecaster(population, kHorizon));
  two[0].Learn(Windows(population, {10, 20}, kHorizon, 1, 1, 8), kHorizon, {});
  const auto half = Windows(population, {10, 20}, kHorizon / 2, 2, 1, 9);
  two[1].Learn(half, kHorizon / 2, CustomersOf(half));
  const CustomerSummary anna = Customer(3, 5, 120, 30);
  const Forecast a = two[0].Predict(anna), b = two[1].Predict(anna), both = AverageOf(two, anna);
  const auto odds = [](const Forecast& of) { return of.no_order / (1 - of.no_order); };
  CHECK(a.no_order != b.no_order);
  CHECK(odds(both) == Approx(std::sqrt(odds(a) * odds(b))));
  CHECK(both.orders == Approx(std::sqrt(a.orders * b.orders)));
  CHECK(both.spend == Approx(std::sqrt(a.spend * b.spend)));
  CHECK(AverageOf({two.data(), 1}, anna).no_order == Approx(a.no_order));
}

}  // namespace
}  // namespace portrait
