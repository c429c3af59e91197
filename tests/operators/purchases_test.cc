#include "operators/purchases.h"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "operators/testing/harness.h"
#include "operators/window.h"

namespace portrait {
namespace {

struct Line {
  std::string category;
  int64_t price;
};

Event OrderOf(std::string_view time, std::string id, int64_t total, const std::vector<Line>& lines = {},
              std::string channel = "") {
  Event event = EventFor("anna", At(time));
  auto* order = event.mutable_order_completed();
  order->set_order_id(std::move(id));
  order->set_total_micros(total * 1'000'000);
  order->set_channel(std::move(channel));
  for (const Line& line : lines) {
    auto* product = order->add_products();
    product->set_category(line.category);
    product->set_price_micros(line.price * 1'000'000);
  }
  return event;
}

Event Refund(std::string_view time, std::string id, int64_t amount) {
  Event event = EventFor("anna", At(time));
  event.mutable_order_refunded()->set_order_id(std::move(id));
  event.mutable_order_refunded()->set_total_micros(amount * 1'000'000);
  return event;
}

Event Cancellation(std::string_view time, std::string id, int64_t amount = 0) {
  Event event = EventFor("anna", At(time));
  event.mutable_order_cancelled()->set_order_id(std::move(id));
  event.mutable_order_cancelled()->set_total_micros(amount * 1'000'000);
  return event;
}

OperatorHarness Shop(std::string currency = "") {
  return OperatorHarness(std::move(ChainBuilder().Add<Purchases>(PurchasesOptions{std::move(currency)})));
}

std::string Told(const OperatorHarness& harness, std::initializer_list<std::string_view> names) {
  std::string out;
  for (const auto name : names) {
    absl::StrAppend(&out, out.empty() ? "" : " ", std::string(name), "=",
                    harness.Feature("anna", "purchases." + std::string(name)));
  }
  return out;
}

TEST_CASE("orders and spend are counted by window", "[purchases]") {
  OperatorHarness shop = Shop();
  shop.Send(OrderOf("2026-01-01 10:00", "1", 100));
  shop.Send(OrderOf("2026-03-01 10:00", "2", 30));
  shop.Send(OrderOf("2026-03-05 10:00", "3", 50));
  CHECK(Told(shop, {"orders", "orders_7d", "orders_30d", "orders_90d", "orders_365d"}) ==
        "orders=3 orders_7d=2 orders_30d=2 orders_90d=3 orders_365d=3");
  CHECK(Told(shop, {"spend", "spend_30d", "average_order", "occasions"}) ==
        "spend=180 spend_30d=80 average_order=60 occasions=3");
  shop.AdvanceTo("2026-03-09 10:00");
  CHECK(Told(shop, {"orders_7d", "days_since_last", "first", "last"}) ==
        "orders_7d=1 days_since_last=4 first=2026-01-01 10:00:00 last=2026-03-05 10:00:00");
}

TEST_CASE("a window knows the day on which an order leaves it", "[purchases]") {
  OperatorHarness shop = Shop();
  shop.Send(OrderOf("2026-03-01 10:00", "2", 30));  // the day 20513
  shop.Send(OrderOf("2026-03-05 10:00", "3", 50));
  shop.AdvanceTo("2026-03-09 10:00");
  for (const auto& [name, day] : {std::pair{"purchases.orders_7d", 20517 + 7}, {"purchases.spend_30d", 20513 + 30}}) {
    const FeatureRef feature = *shop.chain().features().Find(name);
    CHECK(feature.description().over_time.kind == OverTime::Kind::kOnDay);
    const FeatureReader reader(*shop.Row("anna"), {At("2026-03-09 10:00"), 20521});
    CHECK(reader.Get(feature.Next()) == Value(int64_t{day}));
  }
  CHECK((*shop.chain().features().Find("purchases.orders")).description().over_time.kind == OverTime::Kind::kStill);
}

TEST_CASE("a customer who never ordered has counts of 0 and no recency", "[purchases]") {
  OperatorHarness shop = Shop();
  shop.Send(Refund("2026-01-01", "x", 0));
  CHECK(Told(shop, {"orders", "last", "days_since_last", "gap_mean_days", "expected_next", "refund_rate"}) ==
        "orders=0 last=none days_since_last=none gap_mean_days=none expected_next=none refund_rate=none");
}

TEST_CASE("orders of one day are one purchase day, and a late one falls into its place", "[purchases]") {
  OperatorHarness shop = Shop();
  shop.Send(OrderOf("2026-01-31", "1", 10));
  shop.Send(OrderOf("2026-01-31 20:00", "2", 10));
  CHECK(Told(shop, {"orders", "occasions", "gaps", "gap_mean_days"}) ==
        "orders=2 occasions=1 gaps=0 gap_mean_days=none");
  shop.Send(OrderOf("2026-03-01", "3", 10));
  shop.Send(OrderOf("2026-01-01", "0", 10));
  CHECK(Told(shop, {"occasions", "gaps", "gap_mean_days", "first", "last"}) ==
        "occasions=3 gaps=2 gap_mean_days=29.5 first=2026-01-01 00:00:00 last=2026-03-01 00:00:00");
}

TEST_CASE("a refund lowers the spend of the day of its order", "[purchases]") {
  OperatorHarness shop = Shop();
  shop.Send(OrderOf("2026-01-01", "1", 100));
  shop.Send(OrderOf("2026-03-01", "2", 50));
  shop.Send(Refund("2026-03-02", "1", 40));
  CHECK(Told(shop, {"orders", "spend", "spend_30d", "spend_90d", "refunds", "refund_rate"}) ==
        "orders=2 spend=110 spend_30d=50 spend_90d=110 refunds=1 refund_rate=0.2667");
}

TEST_CASE("an order that is paid back in full no longer counts, but its day stays a purchase day", "[purchases]") {
  OperatorHarness shop = Shop();
  shop.Send(OrderOf("2026-01-01", "1", 100));
  shop.Send(Refund("2026-01-05", "1", 60));
  CHECK(Told(shop, {"orders", "spend"}) == "orders=1 spend=40");
  shop.Send(Refund("2026-01-06", "1", 60));  // more than is left
  CHECK(Told(shop, {"placed", "orders", "spend", "occasions", "refunds", "refund_rate"}) ==
        "placed=1 orders=0 spend=0 occasions=1 refunds=2 refund_rate=1");
}

TEST_CASE("a refund without an amount pays back what is left", "[purchases]") {
  OperatorHarness shop = Shop();
  shop.Send(OrderOf("2026-01-01", "1", 100));
  shop.Send(Refund("2026-01-06", "1", 0));
  CHECK(Told(shop, {"orders", "spend", "refund_rate"}) == "orders=0 spend=0 refund_rate=1");
}

TEST_CASE("a cancelled order never was", "[purchases]") {
  OperatorHarness shop = Shop();
  shop.Send(OrderOf("2026-01-01 08:00", "1", 100));
  shop.Send(OrderOf("2026-02-01 09:00", "2", 50));
  shop.Send(OrderOf("2026-02-01 10:00", "3", 70));
  shop.Send(Cancellation("2026-02-02", "2"));
  CHECK(Told(shop, {"orders", "spend", "occasions", "cancellations", "refunds"}) ==
        "orders=2 spend=170 occasions=2 cancellations=1 refunds=0");
  shop.Send(Cancellation("2026-02-02", "2"));  // told twice
  shop.Send(Cancellation("2026-02-02", "3"));
  CHECK(Told(shop, {"orders", "spend", "occasions", "cancellations", "last"}) ==
        "orders=1 spend=100 occasions=1 cancellations=2 last=2026-01-01 08:00:00");
}

TEST_CASE("a cancellation or refund may come before its order", "[purchases]") {
  OperatorHarness shop = Shop();
  shop.Send(Cancellation("2026-01-01", "1", 100));
  shop.Send(OrderOf("2026-01-02", "1", 100));
  CHECK(Told(shop, {"orders", "spend", "occasions"}) == "orders=0 spend=0 occasions=0");
  shop.Send(Refund("2026-01-03", "2", 30));
  shop.Send(OrderOf("2026-01-02 12:00", "2", 100));
  CHECK(Told(shop, {"orders", "spend", "occasions"}) == "orders=1 spend=70 occasions=1");
}

TEST_CASE("a refund of an order long forgotten counts on its own day", "[purchases]") {
  OperatorHarness shop = Shop();
  for (int i = 0; i < 9; ++i) shop.Send(OrderOf("2026-01-01", absl::StrCat(i), 10));
  shop.Send(Refund("2026-02-01", "0", 10));
  CHECK(Told(shop, {"orders", "spend", "spend_30d", "refunds"}) == "orders=9 spend=80 spend_30d=-10 refunds=1");
}

TEST_CASE("spend is told by category and channel, and refunds lower it", "[purchases]") {
  OperatorHarness shop = Shop();
  shop.Send(OrderOf("2026-01-01", "1", 100, {{"shoes", 70}, {"hats", 30}}, "web"));
  shop.Send(OrderOf("2026-01-02", "2", 20, {{"hats", 20}}, "app"));
  CHECK(shop.ItemsFeature("anna", "purchases.categories") ==
        "shoes(1, 70, 2026-01-01 00:00:00) hats(2, 50, 2026-01-02 00:00:00)");
  shop.Send(Refund("2026-01-03", "2", 5));
  CHECK(shop.ItemsFeature("anna", "purchases.channels") ==
        "web(1, 100, 2026-01-01 00:00:00) app(1, 15, 2026-01-02 00:00:00)");
  shop.Send(Cancellation("2026-01-03", "2"));
  CHECK(shop.ItemsFeature("anna", "purchases.channels") == "web(1, 100, 2026-01-01 00:00:00)");
  CHECK(shop.ItemsFeature("anna", "purchases.categories") ==
        "shoes(1, 70, 2026-01-01 00:00:00) hats(1, 30, 2026-01-02 00:00:00)");
}

TEST_CASE("another currency counts as an order, not as spend", "[purchases]") {
  OperatorHarness shop = Shop("EUR");
  Event euro = OrderOf("2026-01-01", "1", 10), yen = OrderOf("2026-01-02", "2", 9000, {{"hats", 9000}});
  euro.mutable_order_completed()->set_currency("EUR");
  yen.mutable_order_completed()->set_currency("JPY");
  shop.Send(euro);
  shop.Send(yen);
  CHECK(Told(shop, {"orders", "spend", "average_order", "foreign_orders"}) ==
        "orders=2 spend=10 average_order=10 foreign_orders=1");
  shop.Send(Cancellation("2026-01-03", "2"));
  CHECK(Told(shop, {"orders", "spend", "foreign_orders"}) == "orders=1 spend=10 foreign_orders=0");
}

TEST_CASE("the next order is expected by the customer's own rhythm, drawn to the population's", "[purchases]") {
  OperatorHarness shop = Shop();
  for (const char* day : {"2026-01-01", "2026-01-08", "2026-01-15", "2026-01-22", "2026-01-29", "2026-02-05",
                          "2026-02-12", "2026-02-19", "2026-02-26"}) {
    shop.Send(OrderOf(day, day, 10));
  }
  CHECK(Told(shop, {"gaps", "gap_mean_days", "gap_spread_days", "gap_log_spread"}) ==
        "gaps=8 gap_mean_days=7 gap_spread_days=0 gap_log_spread=0");
  const std::string expected = shop.Feature("anna", "purchases.expected_next");
  CHECK(expected.substr(0, 10) == "2026-03-09");  // 11 days: 8 pauses of 7 weigh as 8 : 4.35 against 26
}

TEST_CASE("purchase days are counted however many there are, in any order", "[purchases]") {
  std::mt19937 random(11);
  for (int round = 0; round < 20; ++round) {
    OperatorHarness shop = Shop();
    std::set<int64_t> days;
    std::vector<int64_t> order;
    for (int i = 0; i < 40; ++i) order.push_back(20'000 + static_cast<int64_t>(random() % 300));
    std::sort(order.begin(), order.end());
    for (int i = 0; i < 10; ++i) std::swap(order[random() % 40], order[random() % 40]);
    for (size_t i = 0; i < order.size(); ++i) {
      Event event = OrderOf("2026-01-01", absl::StrCat(i), 1);
      event.set_event_time_us(order[i] * 86'400'000'000);
      shop.Send(event);
      days.insert(order[i]);
    }
    CHECK(shop.Feature("anna", "purchases.occasions") == absl::StrCat(days.size()));
    CHECK(shop.Feature("anna", "purchases.orders") == "40");
    CHECK(shop.Feature("anna", "purchases.last") == ToText(FromMicros(*days.rbegin() * 86'400'000'000)));
    // The rhythm is that of the last nine days.
    const auto& state = shop.Row("anna")->states.As<v1::state::Purchases>(1);
    CHECK(std::vector<int64_t>(state.day().begin(), state.day().end()) ==
          std::vector<int64_t>(std::prev(days.end(), std::min<long>(9, static_cast<long>(days.size()))), days.end()));
  }
}

TEST_CASE("a row stays small, whatever is bought", "[purchases]") {
  OperatorHarness shop = Shop();
  for (const char* day : {"2026-01-01", "2026-02-08", "2026-03-15"})
    shop.Send(OrderOf(day, day, 30, {{"music", 30}}, "web"));
  CHECK(shop.RowBytes("anna") < 320);
  for (int i = 0; i < 1000; ++i) {
    std::vector<Line> lines;
    for (int j = 0; j < 5; ++j) lines.push_back({absl::StrCat(i, j, std::string(200, 'c')), 1'000'000'000});
    const std::string channel = absl::StrCat(i, std::string(90, 'k'));
    Event event = OrderOf("2026-01-01", absl::StrCat(i), INT64_MAX / 1'000'000, lines, channel);
    event.set_event_time_us(ToMicros(At("2026-04-01")) + i * int64_t{86'400'000'000});
    shop.Send(event);
    if (i % 3 == 0) {
      Event refund = Refund("2026-01-01", absl::StrCat("unknown", i), 5);
      refund.set_event_time_us(event.event_time_us());
      shop.Send(refund);
    }
  }
  CHECK(shop.RowBytes("anna") < 4000);
}

}  // namespace
}  // namespace portrait
