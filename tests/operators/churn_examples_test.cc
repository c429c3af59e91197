#include "operators/churn_examples.h"

#include <catch2/catch_approx.hpp>
#include <catch2/catch_test_macros.hpp>
#include <map>
#include <set>

#include "tests/operators/churn_shop.h"

namespace portrait {
namespace {

using Catch::Approx;

double ValueOf(const v1::ChurnExample& example, const std::string& name) {
  for (const auto& feature : example.features()) {
    if (feature.name() == name) return feature.value();
  }
  FAIL("no such feature: " << name);
  return 0;
}

double DayOf(const v1::ChurnExample& example) { return InDays(FromMicros(example.origin_us()) - ShopDay(0)); }

TEST_CASE("an example holds what was known at its origin, and what came within the horizon", "[churn_examples]") {
  OperatorHarness shop = ChurnShop({}, 30);
  std::vector<double> orders;
  for (int i = 0; i < 9; ++i) orders.push_back(14.0 * i);
  for (const double day : orders) shop.Send(ShopOrder("anna", day));
  shop.Send(ShopView("anna", 113));
  shop.Send(ShopComplaint("anna", 114, "t"));
  shop.AdvanceTo(ShopDay(700));
  const auto examples = shop.Results<v1::ChurnExample>();
  REQUIRE(examples.size() >= 15);
  std::set<bool> labels;
  for (const v1::ChurnExample& example : examples) {
    const double origin = DayOf(example);
    int before = 0, within = 0;
    double last = 0;
    for (const double day : orders) {
      if (day <= origin) ++before, last = day;
      if (day > origin && day <= origin + 90) ++within;
    }
    CHECK(example.no_order() == (within == 0));
    CHECK(example.spend_micros() == within * 30'000'000);
    CHECK(ValueOf(example, "purchases.occasions") == before);
    CHECK(ValueOf(example, "purchases.last") == Approx(origin - last).margin(1e-3));
    CHECK(ValueOf(example, "purchases.first") == Approx(origin).margin(1e-3));
    CHECK(ValueOf(example, "purchases.spend") == before * 30);
    CHECK(ValueOf(example, "service.open_complaints") == (origin >= 114 ? 1 : 0));
    CHECK(example.model() == "mbg_nbd/cdnow");
    CHECK(example.currency() == "EUR");
    CHECK(example.horizon_days() == 90);
    CHECK(example.info().origin() == v1::TIMER);
    CHECK(FromMicros(example.info().event_time_us()) == FromMicros(example.origin_us()) + days(90));
    // What was said is the population model's, until there is another.
    CHECK(LogOdds(example.probability()) == Approx(ValueOf(example, "population.log_odds")).margin(1e-5));
    const PurchaseHistory history{before - 1.0, last, before == 1 ? origin - last : origin};
    CHECK(example.probability() == Approx(1 - ProbabilityOfOrder(MbgNbdParameters{}, history, 90)));
    labels.insert(example.no_order());
  }
  CHECK(labels.size() == 2);
}

TEST_CASE("snapshots are spread over the days, a customer's own lie as far apart as asked for", "[churn_examples]") {
  OperatorHarness shop = ChurnShop({}, 30);
  for (int i = 0; i < 300; ++i) shop.Send(ShopOrder(absl::StrCat("c", i), 0));
  shop.AdvanceTo(ShopDay(200));
  std::map<int, int> by_day;
  std::map<std::string, double> latest;
  for (const auto& example : shop.Results<v1::ChurnExample>()) {
    const double origin = DayOf(example);
    if (origin < 30) ++by_day[static_cast<int>(origin)];
    auto [it, first] = latest.emplace(example.info().customer_id(), origin);
    if (!first) CHECK(origin - it->second == Approx(30));
    it->second = origin;
  }
  REQUIRE(latest.size() == 300);
  CHECK(by_day.size() == 30);
  for (const auto& [day, count] : by_day) CHECK(count <= 30);
}

TEST_CASE("an order that was cancelled is none", "[churn_examples]") {
  OperatorHarness shop = ChurnShop({}, 90);
  shop.Send(ShopOrder("anna", 0));
  shop.AdvanceTo(ShopDay(91));  // one snapshot is open
  REQUIRE(shop.Feature("anna", "churn_examples.open") == "1");
  shop.Send(ShopOrder("anna", 92));
  Event cancelled = EventFor("anna", ShopDay(93));
  cancelled.mutable_order_cancelled()->set_order_id("anna/92");
  shop.Send(cancelled);
  shop.AdvanceTo(ShopDay(182));
  const auto examples = shop.Results<v1::ChurnExample>();
  REQUIRE(examples.size() == 1);
  CHECK(examples[0].no_order());
  CHECK(examples[0].spend_micros() == 0);
}

TEST_CASE("the state is bounded, and who has been silent for a year gets no more snapshots until the next order",
          "[churn_examples]") {
  OperatorHarness shop = ChurnShop({}, 23);
  OperatorHarness without = ChurnShop({});
  for (auto* one : {&shop, &without}) one->Send(ShopOrder("anna", 0));
  int most = 0;
  for (int day = 1; day < 600; ++day) {
    for (auto* one : {&shop, &without}) one->AdvanceTo(ShopDay(day));
    most = std::max(most, std::stoi(shop.Feature("anna", "churn_examples.open")));
    CHECK(shop.RowBytes("anna") <= without.RowBytes("anna") + 4 * 190 + 60);
  }
  CHECK(most == 4);
  CHECK(shop.Feature("anna", "churn_examples.open") == "0");
  const auto told = shop.Results<v1::ChurnExample>();
  CHECK(DayOf(told.back()) > 340);
  CHECK(DayOf(told.back()) <= 365);
  shop.Send(ShopOrder("anna", 600));
  shop.AdvanceTo(ShopDay(624));
  CHECK(shop.Feature("anna", "churn_examples.open") == "1");
}

TEST_CASE("a snapshot that was taken under another horizon is dropped", "[churn_examples]") {
  OperatorHarness before = ChurnShop({}, 30);
  before.Send(ShopOrder("anna", 0));
  before.AdvanceTo(ShopDay(31));
  OperatorHarness after = ChurnShop({}, 30, {.horizon_days = 60});
  after.Load("anna", before.Stored("anna"));
  after.AdvanceTo(ShopDay(300));
  const auto examples = after.Results<v1::ChurnExample>();
  REQUIRE(examples.size() > 3);
  for (const auto& example : examples) {
    CHECK(DayOf(example) > 31);
    CHECK(example.horizon_days() == 60);
  }
}

TEST_CASE("snapshots too close for the horizon, or of unknown features, stop the start", "[churn_examples]") {
  const auto built = [](ChurnExamplesOptions options) {
    ChainBuilder builder;
    builder.Add<Purchases>().Add<ChurnExamples>(std::move(options), FittedModels{});
    return std::string(std::move(builder).Build("x").status().message());
  };
  ChurnExamplesOptions options;
  options.features = {"purchases.orders"};
  options.every_days = 22;
  CHECK(built(options).find("a quarter of the horizon (90 days) apart: 22") != std::string::npos);
  options.every_days = 23;
  CHECK(built(options).empty());
  options.features = {"purchases.ordres"};
  const std::string wrong = built(options);
  CHECK(wrong.find("cannot read the feature purchases.ordres") != std::string::npos);
  CHECK(wrong.find("purchases.orders_90d") != std::string::npos);
  options.features = {"purchases.categories"};
  CHECK(built(options).find("it is no number") != std::string::npos);
  options.features = {"nobody.knows"};
  CHECK(built(options).find("there are those of purchases") != std::string::npos);
}

TEST_CASE("the same events give the same examples and rows, byte for byte", "[churn_examples]") {
  const auto events = ShopLife(40, 250, 3);
  std::string first;
  for (int run = 0; run < 2; ++run) {
    OperatorHarness shop = ChurnShop(WithLearned(0.2, {{"population.log_odds", 0, 2, 0.7}}), 30);
    for (const Event& event : events) shop.Send(event);
    shop.AdvanceTo(ShopDay(400));
    std::string all;
    for (const auto& example : shop.Results<v1::ChurnExample>()) all += example.SerializeAsString();
    for (int i = 0; i < 40; ++i) all += shop.Row(absl::StrCat("c", i)) ? shop.Stored(absl::StrCat("c", i)) : "";
    REQUIRE(all.size() > 10'000);
    if (run == 0) first = all;
    CHECK(all == first);
  }
}

}  // namespace
}  // namespace portrait
