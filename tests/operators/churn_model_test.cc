#include "operators/churn_model.h"

#include <catch2/catch_approx.hpp>
#include <catch2/catch_test_macros.hpp>
#include <cmath>
#include <random>
#include <string>

#include "absl/strings/str_cat.h"
#include "operators/churn.h"
#include "operators/purchases.h"
#include "operators/testing/harness.h"

namespace portrait {
namespace {

using Catch::Approx;

FittedModels Fitted(OrderModel orders) {
  FittedModels models;
  models.name = absl::StrCat(std::string(orders.form()), "/shop-7@0123456789abcdef");
  models.orders = orders;
  models.value = {4, 3, 20};
  return models;
}

const OrderModel kModels[] = {OrderModel(MbgNbdParameters{0.8, 25, 0.6, 2.2}),
                              OrderModel(ParetoNbdParameters{0.7, 30, 0.5, 60}),
                              OrderModel(ParetoNbdParameters{0.05, 400, 3, 5})};

OperatorHarness Shop(const OrderModel& orders, ChurnOptions options = {}) {
  return OperatorHarness(
      std::move(ChainBuilder().Add<Purchases>().Add<Churn>(options, MakePopulationModel(Fitted(orders)))));
}

void Order(OperatorHarness& shop, const std::string& customer, double day, int number) {
  Event event = EventFor(customer, At("2026-01-01") + Duration(static_cast<int64_t>(day * 86'400e6)));
  event.mutable_order_completed()->set_order_id(absl::StrCat(customer, number));
  event.mutable_order_completed()->set_total_micros(30'000'000);
  shop.Send(event);
}

TEST_CASE("whatever the fitted model: every alert names it, and its reasons add up to the log-odds", "[churn_model]") {
  for (const OrderModel& orders : kModels) {
    OperatorHarness shop = Shop(orders, {.contact_log_odds = 0.4, .complaint_log_odds = 0.7});
    std::mt19937 random(7);
    for (int customer = 0; customer < 60; ++customer) {
      double day = std::uniform_real_distribution<>(0, 50)(random);
      const double pause = std::uniform_real_distribution<>(2, 60)(random);
      const int repeats = std::uniform_int_distribution<>(0, 12)(random);
      for (int i = 0; i <= repeats; ++i, day += std::exponential_distribution<>(1 / pause)(random)) {
        Order(shop, absl::StrCat("c", customer), day, i);
      }
    }
    shop.AdvanceTo("2029-01-01");
    const auto alerts = shop.Results<v1::ChurnAlert>();
    REQUIRE(alerts.size() > 60);
    for (const v1::ChurnAlert& alert : alerts) {
      double sum = 0;
      for (const auto& reason : alert.info().reasons()) sum += reason.contribution();
      CHECK(std::abs(sum - alert.score()) < 1e-6);
      CHECK(alert.probability() == Approx(1 / (1 + std::exp(-alert.score()))));
      CHECK(alert.model() == Fitted(orders).name);
      CHECK(alert.value_at_risk_micros() > 0);
    }
  }
}

TEST_CASE("an alert has the probability of the fitted model", "[churn_model]") {
  for (const OrderModel& orders : kModels) {
    OperatorHarness shop = Shop(orders);
    for (int i = 0; i < 9; ++i) Order(shop, "anna", 14 * i, i);
    shop.AdvanceTo("2026-10-01");
    const v1::ChurnAlert alert = shop.Results<v1::ChurnAlert>().at(0);
    const double silent = InDays(FromMicros(alert.info().event_time_us()) - (At("2026-01-01") + days(112)));
    const PurchaseHistory history{8, 112, 112 + silent};
    CHECK(alert.probability() == Approx(1 - orders.ProbabilityOfOrder(history, 90)));
    CHECK(alert.expected_orders() == Approx(orders.ExpectedOrders(history, 90)));
  }
}

TEST_CASE("an open episode worsens at the moment when the fitted model reaches the band", "[churn_model]") {
  for (const OrderModel& orders : kModels) {
    OperatorHarness shop = Shop(orders, {.medium = 0.9, .high = 0.97});
    for (int i = 0; i < 9; ++i) Order(shop, "anna", 14 * i, i);
    shop.AdvanceTo("2036-01-01");
    int worsened = 0;
    for (const auto& alert : shop.Results<v1::ChurnAlert>()) {
      if (alert.phase() != v1::ChurnAlert::WORSENED) continue;
      ++worsened;
      CHECK(alert.probability() == Approx(alert.band() == v1::ChurnAlert::HIGH ? 0.97 : 0.9).margin(1e-6));
    }
    CHECK(worsened >= 1);
  }
}

TEST_CASE("without models of one's own those of CDNOW count, by their name", "[churn_model]") {
  CHECK(MakePopulationModel({})->name() == "mbg_nbd/cdnow");
}

TEST_CASE("models with impossible parameters stop the start", "[churn_model]") {
  FittedModels models;
  models.orders = OrderModel(ParetoNbdParameters{0.7, -30, 0.5, 60});
  CHECK_FALSE(std::move(ChainBuilder().Add<Purchases>().Add<Churn>(ChurnOptions{}, MakePopulationModel(models)))
                  .Build("x")
                  .ok());
}

TEST_CASE("alerts of customers who are held out are marked, in the share that is asked for", "[churn_model]") {
  for (const double share : {0.0, 0.25, 1.0}) {
    OperatorHarness shop = Shop(kModels[0], {.holdout = share});
    for (int customer = 0; customer < 400; ++customer) Order(shop, absl::StrCat("c", customer), 0, 0);
    shop.AdvanceTo("2026-09-01");
    int opened = 0, marked = 0;
    for (const auto& alert : shop.Results<v1::ChurnAlert>()) {
      if (alert.phase() != v1::ChurnAlert::OPENED) continue;
      ++opened, marked += alert.holdout() ? 1 : 0;
    }
    REQUIRE(opened == 400);
    CHECK(std::abs(marked - 400 * share) <= 30);
    if (share == 0 || share == 1) CHECK(marked == 400 * share);
  }
}

}  // namespace
}  // namespace portrait
