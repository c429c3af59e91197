#include "operators/predictions.h"

#include <catch2/catch_approx.hpp>
#include <catch2/catch_test_macros.hpp>
#include <cmath>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "operators/holdout.h"
#include "operators/purchases.h"
#include "operators/tags.h"
#include "operators/testing/harness.h"

namespace portrait {
namespace {

using Catch::Approx;

Timestamp Day(int day) { return At("2026-01-01") + days(day); }

Event OrderOn(int day, double total = 30, const std::string& customer = "anna") {
  Event event = EventFor(customer, Day(day) + hours(12));
  event.mutable_order_completed()->set_order_id(absl::StrCat(customer, day, "-", total));
  event.mutable_order_completed()->set_total_micros(static_cast<int64_t>(total * 1e6));
  return event;
}

OperatorHarness Shop(PredictionsOptions options = {}) {
  return OperatorHarness(std::move(ChainBuilder().Add<Purchases>().Add<Predictions>(std::move(options))));
}

// The feature that a row would have on a day, without anything happening.
Value On(const OperatorHarness& shop, const std::string& name, int day) {
  const auto feature = shop.chain().features().Find("predictions." + name);
  REQUIRE(feature.ok());
  return FeatureReader(*shop.Row("anna"), Calendar().At(Day(day) + hours(1))).Get(*feature);
}

// … at the row's own time.
double Number(const OperatorHarness& shop, const std::string& name) {
  const auto feature = shop.chain().features().Find("predictions." + name);
  REQUIRE(feature.ok());
  return AsNumber(FeatureReader(*shop.Row("anna"), Calendar().At(shop.Row("anna")->time)).Get(*feature), NAN);
}

const std::vector<OrderModel>& Models() {
  static const auto* const all = new std::vector<OrderModel>{
      OrderModel(), OrderModel(ParetoNbdParameters{0.5533, 74.04, 0.6062, 81.68}),
      OrderModel(MbgNbdParameters{5, 60, 0.2, 3}), OrderModel(ParetoNbdParameters{0.05, 400, 3, 5})};
  return *all;
}

TEST_CASE("after an order, predictions are those of the models", "[predictions]") {
  for (const OrderModel& orders : Models()) {
    PredictionsOptions options{.models = {}, .horizon_days = 60, .discount = 0};
    options.models.orders = orders;
    OperatorHarness shop = Shop(options);
    for (const int day : {0, 20, 45}) shop.Send(OrderOn(day, day == 45 ? 60 : 30));
    const PurchaseHistory history{2, 45, 45};
    const double value = ExpectedOrderValue({}, 3, 40);
    CHECK(Number(shop, "no_order") == Approx(1 - orders.ProbabilityOfOrder(history, 60)));
    CHECK(Number(shop, "orders") == Approx(orders.ExpectedOrders(history, 60)));
    CHECK(Number(shop, "spend") == Approx(orders.ExpectedOrders(history, 60) * value));
    CHECK(Number(shop, "value_12m") == Approx(orders.ExpectedOrders(history, 365) * value));
    for (const int length : {7, 14, 30}) {
      CHECK(Number(shop, absl::StrCat("order_", length, "d")) == Approx(orders.ProbabilityOfOrder(history, length)));
    }
  }
}

TEST_CASE("nobody who has not ordered has predictions, and a cancelled only order takes them away", "[predictions]") {
  OperatorHarness shop = Shop();
  Event view = EventFor("anna", Day(0));
  view.mutable_page_viewed()->set_path("/");
  shop.Send(view);
  CHECK_FALSE(HasValue(On(shop, "no_order", 0)));
  CHECK(shop.Feature("anna", "predictions.holdout") == "false");
  shop.Send(OrderOn(1));
  CHECK(Number(shop, "no_order") > 0.5);
  Event cancelled = EventFor("anna", Day(2));
  cancelled.mutable_order_cancelled()->set_order_id("anna1-30");
  shop.Send(cancelled);
  for (const char* name : {"no_order", "orders", "spend", "value_12m", "order_7d", "next", "next_from", "next_until"}) {
    CHECK_FALSE(HasValue(On(shop, name, 3)));
  }
}

TEST_CASE("a discount makes what comes later worth less", "[predictions]") {
  OperatorHarness full = Shop({.models = {}, .discount = 0}), half = Shop({.models = {}, .discount = 1});
  for (const int day : {0, 10, 20}) full.Send(OrderOn(day)), half.Send(OrderOn(day));
  CHECK(Number(half, "value_12m") < Number(full, "value_12m"));
  CHECK(Number(half, "value_12m") > 0.5 * Number(full, "value_12m"));
}

TEST_CASE("silence raises the probability of no order in steps, to the day, and all else falls with it",
          "[predictions]") {
  for (const OrderModel& orders : Models()) {
    PredictionsOptions options;
    options.models.orders = orders;
    OperatorHarness shop = Shop(options);
    for (const int day : {0, 14, 28, 43, 55}) shop.Send(OrderOn(day));
    const auto exact = [&](int day) { return 1 - orders.ProbabilityOfOrder({4, 55, static_cast<double>(day)}, 90); };
    int changes = 0;
    for (int day = 56; day < 900; ++day) {
      INFO(std::string(orders.form()) << " day " << day);
      const double now = AsNumber(On(shop, "no_order", day)), before = AsNumber(On(shop, "no_order", day - 1));
      REQUIRE(now <= exact(day) + 1e-12);
      REQUIRE(now > exact(day) - 0.025);
      REQUIRE(now >= before);
      for (const char* name : {"orders", "spend", "value_12m", "order_7d", "order_14d", "order_30d"}) {
        REQUIRE((AsNumber(On(shop, name, day)) < AsNumber(On(shop, name, day - 1))) == (now > before));
      }
      if (now > before) {
        ++changes;
        // As on that day, and the step was not reached on the day before.
        REQUIRE(now == Approx(exact(day)));
        if (now < 0.975) REQUIRE(std::floor(exact(day) * 40) > std::floor(exact(day - 1) * 40));
      }
    }
    CHECK(changes > 3);
    CHECK(changes < 44);
  }
}

TEST_CASE("the day of the next change is known beforehand, for every feature that changes by time", "[predictions]") {
  OperatorHarness shop = Shop();
  for (const int day : {0, 14, 28, 43, 55}) shop.Send(OrderOn(day));
  for (const FeatureRef& feature : shop.chain().features().all()) {
    const std::string& name = feature.description().name;
    const bool stands = feature.description().over_time.kind == OverTime::Kind::kStill;
    if (!name.starts_with("predictions.") || stands) continue;
    INFO(name);
    const Calendar calendar;
    Moment at = calendar.At(Day(56));
    int changes = 0;
    for (;;) {
      const FeatureReader now(*shop.Row("anna"), at);
      const Value next = now.Get(feature.Next());
      if (!HasValue(next)) break;
      const auto day = static_cast<int32_t>(AsNumber(next));
      REQUIRE(day > at.day);
      const Value before = now.Get(feature);
      const FeatureReader eve(*shop.Row("anna"), calendar.At(calendar.StartOf(day) - Duration(1)));
      const FeatureReader morning(*shop.Row("anna"), calendar.At(calendar.StartOf(day)));
      REQUIRE(ToText(eve.Get(feature)) == ToText(before));
      // Dates are at most ten years off, so the last ones are equal; then there is none.
      const Value after = morning.Get(feature);
      if (name.starts_with("predictions.next")) {
        REQUIRE((after >= before || !HasValue(after)));
      } else {
        REQUIRE(after != before);
      }
      at = calendar.At(calendar.StartOf(day));
      ++changes;
    }
    CHECK(changes > (name == "predictions.rfm_recency" ? 3 : name == "predictions.cluster" ? 0 : 5));
    CHECK(changes < 60);
  }
}

OperatorHarness ShopWithTag(const std::string& when) {
  const rules::RuleSource source = [when](const FeatureRegistry&) -> absl::StatusOr<std::vector<rules::Rule>> {
    return std::vector<rules::Rule>{
        {.tag = "tagged", .about = "", .group = "", .when = when, .unless = "", .until = "", .each = ""}};
  };
  return OperatorHarness(std::move(
      ChainBuilder().Add<Purchases>().Add<Predictions>(PredictionsOptions{}).Add<Tags>(TagsOptions{.rules = source})));
}

TEST_CASE("a rule that reads a prediction acts in silence, on the very day, by few timers", "[predictions]") {
  OperatorHarness shop = ShopWithTag("predictions.no_order >= 0.8");
  for (int i = 0; i < 9; ++i) shop.Send(OrderOn(14 * i));
  int day = 112;
  while (1 - ProbabilityOfOrder(MbgNbdParameters{}, {8, 112, static_cast<double>(day)}, 90) < 0.8) ++day;
  shop.AdvanceTo(Day(day) - Duration(1));
  CHECK(shop.Results<v1::TagChange>().empty());
  CHECK_FALSE(shop.Row("anna")->timers.empty());
  shop.AdvanceTo(Day(day));
  REQUIRE(shop.Results<v1::TagChange>().size() == 1);
  CHECK(FromMicros(shop.Results<v1::TagChange>()[0].info().event_time_us()) == Day(day));
  CHECK(shop.Row("anna")->timers.empty());
}

std::string Text(const OperatorHarness& shop, const std::string& name, int day) {
  return std::string(ToText(On(shop, name, day)));
}

TEST_CASE("a customer stands where the boundaries and the centres in force say", "[predictions]") {
  PredictionsOptions options;
  options.models.rfm = {.silent_days = {10, 20, 20, 90}, .purchase_days = {1, 1, 2, 4}, .spend = {10, 59.99, 60, 200}};
  OperatorHarness shop = Shop(options);
  for (const int day : {0, 4, 9}) shop.Send(OrderOn(day, day == 9 ? 10 : 25 + day));
  CHECK(Text(shop, "rfm_frequency", 9) == "4");  // three purchase days
  CHECK(Text(shop, "rfm_monetary", 9) == "4");   // 25 + 29 + 10
  for (const auto& [day, fifth] :
       {std::pair{9, "5"}, {19, "5"}, {20, "4"}, {29, "4"}, {30, "2"}, {99, "2"}, {100, "1"}}) {
    INFO(day);
    CHECK(Text(shop, "rfm_recency", day) == fifth);
  }
  const CustomerClusters clusters;
  for (int day = 9; day < 900; ++day) {
    INFO(day);
    REQUIRE(Text(shop, "cluster", day) == absl::StrCat(clusters.Of(MakeRfm(day - 9, 3, 64))));
  }
}

TEST_CASE("without boundaries and centres in force, or without an order, nobody stands anywhere", "[predictions]") {
  PredictionsOptions options;
  options.models.rfm.reset(), options.models.clusters.reset();
  OperatorHarness without = Shop(options), shop = Shop();
  without.Send(OrderOn(0));
  Event view = EventFor("anna", Day(0));
  view.mutable_page_viewed()->set_path("/");
  shop.Send(view);
  for (const char* name : {"rfm_recency", "rfm_frequency", "rfm_monetary", "cluster"}) {
    CHECK_FALSE(HasValue(On(without, name, 3)));
    CHECK_FALSE(HasValue(On(shop, name, 3)));
    const auto feature = without.chain().features().Find(absl::StrCat("predictions.", name));
    REQUIRE(feature.ok());
  }
  for (const char* name : {"rfm_recency", "cluster"}) {
    const auto feature = without.chain().features().Find(absl::StrCat("predictions.", name));
    CHECK_FALSE(HasValue(FeatureReader(*without.Row("anna"), Calendar().At(Day(3))).Get(feature->Next())));
  }
}

TEST_CASE("a rule that reads a fifth or a cluster acts in silence, on the very day, by few timers", "[predictions]") {
  OperatorHarness recent = ShopWithTag("predictions.rfm_recency <= 3");
  recent.Send(OrderOn(0));
  const auto lasts = static_cast<int>(RfmBoundaries().silent_days[1]);
  recent.AdvanceTo(Day(lasts + 1) - Duration(1));
  CHECK(recent.Results<v1::TagChange>().empty());
  CHECK_FALSE(recent.Row("anna")->timers.empty());
  recent.AdvanceTo(Day(lasts + 1));
  REQUIRE(recent.Results<v1::TagChange>().size() == 1);
  CHECK(recent.Row("anna")->timers.empty());

  const CustomerClusters clusters;
  const int first = clusters.Of(MakeRfm(0, 1, 30));
  int day = 1;
  while (clusters.Of(MakeRfm(day, 1, 30)) == first) ++day;
  OperatorHarness moved = ShopWithTag(absl::StrCat("predictions.cluster != ", first));
  moved.Send(OrderOn(0));
  moved.AdvanceTo(Day(day) - Duration(1));
  CHECK(moved.Results<v1::TagChange>().empty());
  moved.AdvanceTo(Day(day));
  REQUIRE(moved.Results<v1::TagChange>().size() == 1);
  CHECK(FromMicros(moved.Results<v1::TagChange>()[0].info().event_time_us()) == Day(day));
}

TEST_CASE("the interval of the next order holds four of five orders that come", "[predictions]") {
  std::mt19937_64 random(11);
  PredictionsOptions options;
  options.models.rhythm = {.log_mean = 3, .log_spread = 0.5, .mean_weight = 4, .spread_weight = 20};
  int customers = 0, within = 0, below = 0;
  for (int i = 0; i < 3000; ++i) {
    OperatorHarness shop = Shop(options);
    const double own = std::normal_distribution<>(3, 0.25)(random);
    std::lognormal_distribution<> pause(own, 0.5);
    double day = 0;
    for (int order = 0; order < 7; ++order, day += std::max(1.0, pause(random))) {
      shop.Send(OrderOn(static_cast<int>(day)));
    }
    const double came = std::floor(day) + 0.5;  // orders come at noon
    const auto at = [&](const char* name) { return InDays(std::get<Timestamp>(On(shop, name, 0)) - Day(0)); };
    ++customers;
    within += came >= at("next_from") && came <= at("next_until") ? 1 : 0;
    below += came < at("next") ? 1 : 0;
  }
  CHECK(static_cast<double>(within) / customers == Approx(0.8).margin(0.03));
  CHECK(static_cast<double>(below) / customers == Approx(0.5).margin(0.04));
}

TEST_CASE("the expected date of the next order moves on when it has passed", "[predictions]") {
  OperatorHarness shop = Shop();
  for (int i = 0; i < 9; ++i) shop.Send(OrderOn(14 * i));
  for (int day = 113; day < 1500; day += 3) {
    const auto at = [&](const char* name) { return std::get<Timestamp>(On(shop, name, day)); };
    INFO(day);
    REQUIRE(at("next") > Day(day) - days(1));
    REQUIRE(at("next_from") < at("next"));
    REQUIRE(at("next") < at("next_until"));
  }
}

TEST_CASE("quantiles of pauses: of log-normal ones, given the silence so far", "[predictions]") {
  const Rhythm rhythm{.gaps = 8, .log_mean = 3, .log_spread = 0.5};
  CHECK(PauseQuantile(rhythm, 0, 0.5) == Approx(std::exp(3)));
  CHECK(PauseQuantile(rhythm, 0, 0.9) == Approx(std::exp(3 + 1.2815515655 * 0.5)));
  // Half of the pauses that are longer than the median are longer than the upper quartile.
  CHECK(PauseQuantile(rhythm, std::exp(3), 0.5) == Approx(std::exp(3 + 0.6744897502 * 0.5)));
  double before = 0;
  for (double silent = 0; silent < 20'000; silent = silent * 1.2 + 1) {
    for (const double share : {0.001, 0.1, 0.5, 0.9, 0.999}) {
      const double pause = PauseQuantile(rhythm, silent, share);
      CHECK(std::isfinite(pause));
      CHECK(pause >= silent);
      CHECK(pause >= (share > 0.001 ? before : 0));
      before = pause;
    }
  }
  CHECK(std::isfinite(PauseQuantile({.gaps = 8, .log_mean = 1, .log_spread = 0.01}, 3000, 0.5)));
}

TEST_CASE("odd customers get finite answers", "[predictions]") {
  for (const OrderModel& orders : Models()) {
    PredictionsOptions options;
    options.models.orders = orders;
    OperatorHarness shop = Shop(options);
    const auto check = [&] {
      for (const int day : {0, 1, 400, 4000, 40'000}) {
        for (const char* name : {"no_order", "orders", "spend", "value_12m", "order_7d"}) {
          INFO(name << " on day " << day);
          const double value = AsNumber(On(shop, name, day), NAN);
          REQUIRE(std::isfinite(value));
          REQUIRE(value >= 0);
        }
      }
    };
    shop.Send(OrderOn(0, 0));
    check();
    shop.Send(OrderOn(0, 1e9));
    check();
    for (int day = 1; day < 400; ++day) shop.Send(OrderOn(day, 5));
    check();
  }
}

TEST_CASE("an event without a purchase changes nothing in the row, and the state stays small", "[predictions]") {
  OperatorHarness shop = Shop(), without(std::move(ChainBuilder().Add<Purchases>()));
  for (int i = 0; i < 30; ++i) {
    shop.Send(OrderOn(11 * i, 30 + i));
    without.Send(OrderOn(11 * i, 30 + i));
  }
  CHECK(shop.RowBytes("anna") - without.RowBytes("anna") < 90);
  const std::string before = shop.Stored("anna");
  Event view = EventFor("anna", Day(329));
  view.mutable_page_viewed()->set_path("/");
  shop.Send(view);
  CHECK(shop.Stored("anna").size() == before.size());
}

TEST_CASE("customers are held out by their id alone, evenly", "[predictions]") {
  int held = 0, held_less = 0;
  for (int i = 0; i < 20'000; ++i) {
    const uint32_t point = HoldoutPoint(absl::StrCat("customer-", i));
    CHECK(point == HoldoutPoint(absl::StrCat("customer-", i)));
    held += HeldOut(point, 0.1) ? 1 : 0;
    held_less += HeldOut(point, 0.05) ? 1 : 0;
    if (HeldOut(point, 0.05)) CHECK(HeldOut(point, 0.1));
    CHECK_FALSE(HeldOut(point, 0));
    CHECK(HeldOut(point, 1));
  }
  CHECK(std::abs(held - 2000) < 5 * 43);
  CHECK(std::abs(held_less - 1000) < 5 * 31);
  OperatorHarness all = Shop({.models = {}, .holdout = 1}), none = Shop();
  all.Send(OrderOn(0)), none.Send(OrderOn(0));
  CHECK(all.Feature("anna", "predictions.holdout") == "true");
  CHECK(none.Feature("anna", "predictions.holdout") == "false");
}

TEST_CASE("options that make no sense stop the start", "[predictions]") {
  for (const PredictionsOptions& options :
       {PredictionsOptions{.models = {}, .horizon_days = 0}, PredictionsOptions{.models = {}, .discount = NAN},
        PredictionsOptions{.models = {}, .holdout = 1.5}}) {
    CHECK_FALSE(std::move(ChainBuilder().Add<Purchases>().Add<Predictions>(options)).Build("x").ok());
  }
}

}  // namespace
}  // namespace portrait
