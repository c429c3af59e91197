#include "pipeline/tools/backtest.h"

#include <algorithm>
#include <catch2/catch_approx.hpp>
#include <catch2/catch_test_macros.hpp>
#include <cmath>
#include <random>

#include "absl/strings/str_cat.h"
#include "operators/clean.h"
#include "operators/models/judgement.h"
#include "operators/purchases.h"
#include "pipeline/tools/local_days.h"

namespace portrait {
namespace {

using Catch::Approx;

const int32_t kStart = *ParseDay("2025-01-01");

std::unique_ptr<Chain> MakeChain() {
  ChainBuilder builder;
  builder.Cleaning(std::make_unique<Clean>(CleanOptions{.home_currency = "EUR"}));
  builder.Add<Purchases>(PurchasesOptions{.home_currency = "EUR"});
  auto chain = std::move(builder).Build("test");
  REQUIRE(chain.ok());
  return *std::move(chain);
}

Event Order(const std::string& customer, double day, double amount) {
  static int made = 0;
  Event event;
  event.set_customer_id(customer);
  event.set_event_id(absl::StrCat("e", ++made));
  event.set_event_time_us(static_cast<int64_t>((kStart + day) * 86'400e6));
  v1::Order& order = *event.mutable_order_completed();
  order.set_order_id(event.event_id());
  order.set_total_micros(static_cast<int64_t>(amount * 1e6));
  order.set_currency("EUR");
  return event;
}

// Customers with rates and values of their own, some of whom leave, over `length` days.
std::vector<Event> Shop(int customers, int length, uint64_t seed) {
  std::mt19937_64 random(seed);
  std::vector<Event> events;
  for (int i = 0; i < customers; ++i) {
    const std::string id = absl::StrCat("c", i);
    const double pause = 10 + 60 * std::gamma_distribution<>(1.0, 1.0)(random);
    const double value = std::gamma_distribution<>(4.0, 10.0)(random);
    double day = std::uniform_real_distribution<>(0, length * 0.6)(random);
    while (day < length) {
      events.push_back(Order(id, day, value * std::gamma_distribution<>(5.0, 0.2)(random)));
      if (std::bernoulli_distribution(0.15)(random)) break;
      day += 0.01 + std::exponential_distribution<>(1 / pause)(random);
    }
  }
  return events;
}

struct Outcomes {
  absl::Status status;
  std::vector<ChurnPrediction> churn;
  std::vector<NextOrderPrediction> next;
  std::string text;
};

Outcomes Run(const std::vector<Event>& events, BacktestOptions options) {
  const auto chain = MakeChain();
  History history;
  for (const Event& event : events) history.Add(event);
  Backtest backtest(std::move(options));
  absl::Status status = backtest.Read(history, *chain, absl::UTCTimeZone());
  if (status.ok()) status = backtest.Run();
  return {status, backtest.churn(), backtest.next_orders(), backtest.Text()};
}

TEST_CASE("predictions rest on nothing that comes after them", "[backtest]") {
  const std::vector<Event> all = Shop(400, 400, 1);
  const int32_t origin = kStart + 250;
  std::vector<Event> until, changed;
  for (const Event& event : all) {
    const bool before = event.event_time_us() < int64_t{origin} * 86'400'000'000;
    if (before) until.push_back(event), changed.push_back(event);
  }
  for (int i = 0; i < 400; ++i) changed.push_back(Order(absl::StrCat("c", i), 250.2, 5e5));
  const BacktestOptions options{.origins = {origin}, .horizon_days = 60};
  const Outcomes with_future = Run(all, options), without = Run(until, options), other = Run(changed, options);
  REQUIRE(with_future.status.ok());
  REQUIRE(with_future.churn.size() > 200);
  REQUIRE(without.churn.size() == with_future.churn.size());
  REQUIRE(other.churn.size() >= with_future.churn.size());
  for (size_t i = 0; i < without.churn.size(); ++i) {
    CHECK(without.churn[i].no_order == with_future.churn[i].no_order);
    CHECK(without.churn[i].spend == with_future.churn[i].spend);
    CHECK(without.churn[i].orders == with_future.churn[i].orders);
    CHECK(without.churn[i].no_order == other.churn[i].no_order);
  }
  // And of the next purchase day: those of earlier days are the same without what came later.
  for (const auto& row : Run(all, {.origins = {kStart + 200}, .horizon_days = 60}).next) {
    if (row.day >= origin) continue;
    const auto& known = Run(until, {.origins = {kStart + 200}, .horizon_days = 60, .next_to = row.day}).next;
    CHECK(std::any_of(known.begin(), known.end(), [&](const auto& one) {
      return one.customer == row.customer && one.day == row.day && one.days == row.days;
    }));
    break;
  }
}

TEST_CASE("probabilities are right on the whole, and rank customers", "[backtest]") {
  const std::vector<Event> events = Shop(3000, 400, 2);
  const int32_t origin = kStart + 310;
  const Outcomes out = Run(events, {.origins = {origin}, .horizon_days = 90});
  REQUIRE(out.status.ok());
  std::map<std::string, double> spent;
  for (const Event& event : events) {
    const double day = static_cast<double>(event.event_time_us()) / 86'400e6;
    if (day >= origin && day < origin + 90) {
      spent[event.customer_id()] += static_cast<double>(event.order_completed().total_micros()) / 1e6;
    }
  }
  std::vector<double> probabilities;
  std::vector<bool> none;
  double spend = 0, predicted = 0;
  for (const auto& row : out.churn) {
    probabilities.push_back(row.no_order);
    none.push_back(!spent.contains(row.customer));
    predicted += row.spend;
    spend += spent.contains(row.customer) ? spent[row.customer] : 0;
  }
  const Judgement judged = Judge(probabilities, none);
  INFO(out.text);
  CHECK(judged.auc > 0.75);
  CHECK(judged.calibration_error < 0.05);
  CHECK(predicted == Approx(spend).epsilon(0.15));
  CHECK(out.text.find("learned from") != std::string::npos);
  CHECK(out.text.find("AUC") != std::string::npos);
}

TEST_CASE("few customers, odd amounts and long horizons get finite answers", "[backtest]") {
  const std::vector<std::vector<Event>> odd = {
      {Order("a", 0, 10), Order("b", 1, 20), Order("c", 2, 5), Order("c", 9, 5)},
      {Order("a", 0, 0), Order("a", 3, 0), Order("b", 0, 0)},
      {Order("a", 0, 9e8), Order("a", 1, 0.01), Order("b", 0, -5), Order("b", 4, 1)},
      {Order("a", 1, 1), Order("a", 1, 1), Order("a", 1, 1), Order("b", 1, 1)},
      {Order("a", 0, 10), Order("b", 1, 20), Order("c", 2, 5)},  // nobody came back
      {Order("a", 0, 1e12), Order("b", 1, 0), Order("b", 2, -3), Order("c", 3, 1)},
  };
  for (const auto& events : odd) {
    for (const int horizon : {1, 90, 3650}) {
      const Outcomes out = Run(events, {.origins = {kStart + 12}, .horizon_days = horizon});
      INFO("population " << &events - odd.data() << ", horizon " << horizon);
      REQUIRE(out.status.ok());
      CHECK(out.churn.size() >= 1);
      for (const auto& row : out.churn) {
        CHECK((row.no_order > 0 && row.no_order < 1));
        CHECK((std::isfinite(row.spend) && row.spend >= 0));
        CHECK((std::isfinite(row.orders) && row.orders >= 0));
      }
    }
  }
}

TEST_CASE("an origin before all orders is refused", "[backtest]") {
  CHECK(Run({Order("a", 5, 1)}, {.origins = {kStart + 5}}).status.message() ==
        "no order comes before this origin, the first on 2025-01-06: 2025-01-06");
}

TEST_CASE("windows that are learned from have closed and have some history before them", "[backtest]") {
  const TrainingPlan closed = TrainingPlan::For(0, 230, 90);
  CHECK(closed.window_days == 90);
  REQUIRE_FALSE(closed.days.empty());
  for (const int32_t day : closed.days) CHECK((day + 90 <= 230 && day >= 30));
  const TrainingPlan shorter = TrainingPlan::For(0, 273, 273);
  CHECK(shorter.window_days == 91);
  for (const int32_t day : shorter.days) CHECK((day + 91 <= 273 && day >= 68));
  CHECK(TrainingPlan::For(0, 222, 90).window_days == 74);  // all customers of a look would be new
  CHECK(TrainingPlan::For(0, 10, 90).days.empty());
  const auto both = TrainingPlan::Both(0, 273, 90);
  REQUIRE(both.size() == 2);
  CHECK((both[0].window_days == 90 && both[1].window_days == 45));
  for (const int32_t day : both[1].days) CHECK((day + 45 <= 273 && day >= 68));
  CHECK(both[1].days.front() == 273 - 45);           // the latest weeks
  CHECK(TrainingPlan::Both(0, 41, 90).size() == 1);  // half of 13 days is less than a week
  CHECK(TrainingPlan::Both(0, 10, 90).front().days.empty());
}

TEST_CASE("one huge amount is nobody else's", "[backtest]") {
  const auto ordinary = Shop(1000, 300, 3);
  for (const int day : {0, 150, 235}) {         // before all windows, in some, in the latest
    for (const int horizon_days : {60, 200}) {  // windows as long, and shorter
      const BacktestOptions options{.origins = {kStart + 240}, .horizon_days = horizon_days};
      const Outcomes before = Run(ordinary, options);
      auto events = ordinary;
      events.push_back(Order("c0", day + 0.5, 9e8));  // 10⁹ is set aside by the cleaning stage
      std::stable_sort(events.begin(), events.end(),
                       [](const Event& a, const Event& b) { return a.event_time_us() < b.event_time_us(); });
      const Outcomes after = Run(events, options);
      REQUIRE(before.churn.size() > 500);
      std::map<std::string, Forecast> by_id;
      for (const auto& row : before.churn) by_id[row.customer] = {row.no_order, row.orders, row.spend};
      double worst = 0, spend = 0, spend_before = 0;
      for (const auto& row : after.churn) {
        REQUIRE(std::isfinite(row.spend));
        if (row.customer == "c0") continue;
        worst = std::max(worst, std::abs(row.no_order - by_id[row.customer].no_order));
        spend += row.spend, spend_before += by_id[row.customer].spend;
      }
      INFO("day " << day << ", horizon " << horizon_days);
      CHECK(worst < 0.05);
      CHECK(spend / spend_before < 3);
      CHECK(spend / spend_before > 1. / 3);
    }
  }
}

TEST_CASE("judging agrees with counting by hand", "[backtest]") {
  const Judgement j = Judge({0.1, 0.4, 0.4, 0.9}, {false, false, true, true});
  CHECK(j.auc == Approx(3.5 / 4));
  CHECK(j.brier == Approx((0.01 + 0.16 + 0.36 + 0.01) / 4));
  CHECK(j.happened == 2);
}

TEST_CASE("days are read strictly", "[backtest]") {
  CHECK(DayText(*ParseDay("2011-05-01")) == "2011-05-01");
  CHECK(*ParseDay("1970-01-02") == 1);
  for (const char* bad : {"2011-5-1", "2011-02-30", "today", "", "2011-05-01T00"}) CHECK_FALSE(ParseDay(bad).ok());
}

}  // namespace
}  // namespace portrait
