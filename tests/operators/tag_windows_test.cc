// Tags by windows of events that rules name: counts(…), sum(…), last(…) and so on, over the life of a customer.
#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <chrono>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "operators/window.h"
#include "tests/operators/tag_shop.h"

namespace portrait {
namespace {

OperatorHarness ShopBy(std::vector<Rule> rules, absl::TimeZone zone = absl::UTCTimeZone()) {
  return OperatorHarness(std::move(ChainBuilder().Add<Views>().Add<Purchases>().Add<Tags>(With(std::move(rules)))),
                         zone);
}

Event Page(std::string_view time, std::string_view category = "shoes", std::string_view product = "") {
  Event event = EventFor("anna", At(time));
  event.mutable_page_viewed()->set_category(std::string(category));
  event.mutable_page_viewed()->set_product_id(std::string(product));
  return event;
}

Event Cart(std::string_view time) {
  Event event = EventFor("anna", At(time));
  event.mutable_product_added()->mutable_product()->set_product_id("p");
  return event;
}

const v1::state::Tags& StateOf(const OperatorHarness& harness) {
  const RowState& row = *harness.Row("anna");
  return row.states.As<v1::state::Tags>(row.states.size() - 1);
}

TEST_CASE("events are counted by local days, and leave the window at the start of one", "[tags]") {
  OperatorHarness shop = ShopBy({{.tag = "reader", .when = "count(page_viewed, '7d') >= 2"}});
  shop.Send(Page("2026-01-01 12:00"));
  CHECK(Told(shop).empty());
  CHECK(shop.Row("anna")->timers.empty());  // what can only fall is not waited for
  shop.Send(View("2026-01-02"));            // another kind
  CHECK(Told(shop).empty());
  shop.Send(Page("2026-01-03 12:00"));
  CHECK(Told(shop) == "2026-01-03 12:00:00 +reader (count(page_viewed, \"7d\"): 2, at least 2)\n");
  shop.AdvanceTo("2026-01-07 23:59:59");
  CHECK(Told(shop).empty());
  shop.AdvanceTo("2026-12-31");
  CHECK(Told(shop) == "2026-01-08 00:00:00 -reader (count(page_viewed, \"7d\"): 1, less than 2)\n");
  CHECK(shop.Row("anna")->timers.empty());
}

TEST_CASE("windows of minutes and hours end at the minute, the quarter and the hour", "[tags]") {
  OperatorHarness shop = ShopBy({{.tag = "m", .when = "count(page_viewed, '30m') >= 1"},
                                 {.tag = "q", .when = "count(page_viewed, '24h') >= 1"},
                                 {.tag = "h", .when = "count(page_viewed, '72h') >= 1"}});
  shop.Send(Page("2026-01-01 12:07:30"));
  CHECK(Held(shop) == "h(2026-01-01 12:07:30) m(2026-01-01 12:07:30) q(2026-01-01 12:07:30)");
  Told(shop);
  shop.AdvanceTo("2026-12-31");
  CHECK(Told(shop) ==
        "2026-01-01 12:37:00 -m (count(page_viewed, \"30m\"): 0, less than 1)\n"
        "2026-01-02 12:00:00 -q (count(page_viewed, \"24h\"): 0, less than 1)\n"
        "2026-01-04 12:00:00 -h (count(page_viewed, \"72h\"): 0, less than 1)\n");
}

TEST_CASE("a filter lets those events through of which it holds", "[tags]") {
  OperatorHarness shop = ShopBy({{.tag = "shoes", .when = "count(page_viewed, '7d', category == 'shoes') >= 2"}});
  shop.Send(Page("2026-01-01"));
  shop.Send(Page("2026-01-01 01:00", "hats"));
  shop.Send(Page("2026-01-01 02:00", ""));  // no category: the filter has no value, so it does not hold
  CHECK(Told(shop).empty());
  shop.Send(Page("2026-01-01 03:00"));
  CHECK(Told(shop) ==
        "2026-01-01 03:00:00 +shoes (count(page_viewed, \"7d\", category == \"shoes\"): 2, at least 2)\n");
}

TEST_CASE("an event counts at its own time, also when it comes late", "[tags]") {
  OperatorHarness shop = ShopBy({{.tag = "a", .when = "count(page_viewed, '7d') >= 2"}});
  shop.Send(Page("2026-01-10"));
  shop.Send(Page("2026-01-02"));  // out of the window
  CHECK(Told(shop).empty());
  shop.Send(Page("2026-01-04 05:00"));
  CHECK(Told(shop) == "2026-01-10 00:00:00 +a (count(page_viewed, \"7d\"): 2, at least 2)\n");
  shop.AdvanceTo("2026-01-11");
  CHECK(Told(shop) == "2026-01-11 00:00:00 -a (count(page_viewed, \"7d\"): 1, less than 2)\n");
}

TEST_CASE("a day of a window is that of the zone", "[tags]") {
  absl::TimeZone zone;
  REQUIRE(absl::LoadTimeZone("America/New_York", &zone));
  OperatorHarness shop = ShopBy({{.tag = "a", .when = "count(page_viewed, '1d') >= 1"}}, zone);
  shop.Send(Page("2026-01-02 03:00"));  // still the first there
  Told(shop);
  shop.AdvanceTo("2026-01-03");
  CHECK(Told(shop) == "2026-01-02 05:00:00 -a (count(page_viewed, \"1d\"): 0, less than 1)\n");
}

TEST_CASE("sums are of money, of whole numbers, of lengths of time and of other fractions", "[tags]") {
  OperatorHarness shop = ShopBy({{.tag = "money", .when = "sum(order_completed.total, '30d', total >= 10) > 50.5"},
                                 {.tag = "whole", .when = "sum(product_added.quantity, '30d') == 3"},
                                 {.tag = "length", .when = "sum(page_viewed.dwell, '30d') >= minutes(2)"},
                                 {.tag = "score", .when = "sum(satisfaction_rated.score, '30d') >= 0.9"}});
  shop.Send(OrderOf("2026-01-01", 30));
  shop.Send(OrderOf("2026-01-02", 9));
  CHECK(Told(shop).empty());
  shop.Send(OrderOf("2026-01-03", 21));
  CHECK(Told(shop) ==
        "2026-01-03 00:00:00 +money (sum(order_completed.total, \"30d\", total >= 10): 51, more than 50.5)\n");
  Event three = Cart("2026-01-04");
  three.mutable_product_added()->mutable_product()->set_quantity(2);
  shop.Send(three);
  shop.Send(Cart("2026-01-04 01:00"));  // without a quantity: one
  CHECK(Told(shop) == "2026-01-04 01:00:00 +whole (sum(product_added.quantity, \"30d\"): 3, equal to 3)\n");
  for (const char* time : {"2026-01-05", "2026-01-05 01:00"}) {
    Event page = Page(time);
    page.mutable_page_viewed()->set_dwell_us(70'000'000);
    shop.Send(page);
  }
  CHECK(Told(shop).find("2026-01-05 01:00:00 +length (sum(page_viewed.dwell, \"30d\"): ") == 0);
  for (const char* time : {"2026-01-06", "2026-01-06 01:00", "2026-01-06 02:00"}) {
    Event rated = EventFor("anna", At(time));
    rated.mutable_satisfaction_rated()->set_score(0.3);
    shop.Send(rated);
  }
  CHECK(Told(shop) == "2026-01-06 02:00:00 +score (sum(satisfaction_rated.score, \"30d\"): 0.9, at least 0.9)\n");
  shop.AdvanceTo("2026-01-31");
  CHECK(Told(shop) ==
        "2026-01-31 00:00:00 -money (sum(order_completed.total, \"30d\", total >= 10): 21, at most 50.5)\n");
}

TEST_CASE("different values are counted once each", "[tags]") {
  OperatorHarness shop = ShopBy({{.tag = "a", .when = "distinct(page_viewed.product_id, '7d') >= 3"}});
  for (const char* product : {"x", "y", "x", "", "y"}) shop.Send(Page("2026-01-01", "shoes", product));
  CHECK(Told(shop).empty());
  shop.Send(Page("2026-01-03", "shoes", "z"));
  CHECK(Told(shop) == "2026-01-03 00:00:00 +a (distinct(page_viewed.product_id, \"7d\"): 3, at least 3)\n");
  shop.Send(Page("2026-01-05", "shoes", "x"));
  shop.AdvanceTo("2026-01-31");
  CHECK(Told(shop) == "2026-01-08 00:00:00 -a (distinct(page_viewed.product_id, \"7d\"): 2, less than 3)\n");
}

TEST_CASE("the first and the last time of a kind of event have no value before it came", "[tags]") {
  OperatorHarness shop = ShopBy({{.tag = "none", .when = "!has(last(page_viewed))"},
                                 {.tag = "recent", .when = "now - last(page_viewed) < days(2)"},
                                 {.tag = "regular", .when = "last(page_viewed) - first(page_viewed) > days(3)"}});
  shop.Send(View("2026-01-01"));
  CHECK(Held(shop) == "none(2026-01-01 00:00:00)");
  shop.Send(Page("2026-01-02 12:00"));
  CHECK(Held(shop) == "recent(2026-01-02 12:00:00)");
  shop.Send(Page("2026-01-06"));
  shop.Send(Page("2026-01-05"));  // late: not the last
  CHECK(Held(shop) == "recent(2026-01-06 00:00:00) regular(2026-01-06 00:00:00)");
  Told(shop);
  shop.AdvanceTo("2026-01-31");
  CHECK(Told(shop) == "2026-01-08 00:00:00 -recent (Time since: last(page_viewed): 2.0 days, at least 2.0 days)\n");
}

TEST_CASE("a cart without an order after two hours is found at that moment", "[tags]") {
  OperatorHarness shop =
      ShopBy({{.tag = "left_cart", .when = "after(product_added, '2h', absent(order_completed, total >= 5))"}});
  shop.Send(Cart("2026-01-01 10:00"));
  shop.Send(Cart("2026-01-01 11:00"));  // two hours from the last one on
  shop.AdvanceTo("2026-01-01 12:59:59");
  CHECK(Told(shop).empty());
  shop.AdvanceTo("2026-01-01 14:00");
  CHECK(Told(shop) ==
        "2026-01-01 13:00:00 +left_cart (Time since: last(product_added): 2.0 hours, at least 2.0 hours; "
        "last(order_completed, total >= 5): there is no value)\n");
  shop.Send(OrderOf("2026-01-01 15:00", 3));  // does not pass the filter
  CHECK(Told(shop).empty());
  shop.Send(OrderOf("2026-01-01 16:00", 10));
  CHECK(Told(shop).find("2026-01-01 16:00:00 -left_cart (") == 0);
  shop.Send(Cart("2026-01-02 10:00"));
  shop.Send(OrderOf("2026-01-02 11:00", 10));
  shop.AdvanceTo("2026-01-03");
  CHECK(Told(shop).empty());
  shop.Send(Cart("2026-01-03 10:00"));  // an order before it does not count
  shop.AdvanceTo("2026-01-04");
  CHECK(Told(shop).find("2026-01-03 12:00:00 +left_cart (") == 0);
}

TEST_CASE("what is kept is shared by rules and lengths, and as long as the longest needs", "[tags]") {
  OperatorHarness shop = ShopBy({{.tag = "a", .when = "count(page_viewed, '7d') >= 1"},
                                 {.tag = "b", .when = "count(page_viewed, '3d') >= 1"},
                                 {.tag = "c", .when = "count( page_viewed , \"7d\" ) >= 2"}});
  for (const char* day : {"2026-01-01", "2026-01-05", "2026-01-09"}) shop.Send(Page(day));
  REQUIRE(StateOf(shop).windows_size() == 1);
  CHECK(WindowBuckets(StateOf(shop).windows(0).counts()).size() == 2);  // the first day is of no more use
}

TEST_CASE("other rules drop windows that they do not name, and begin new ones empty", "[tags]") {
  const std::vector<Rule> pages = {{.tag = "a", .when = "count(page_viewed, '7d') >= 2"}};
  const std::vector<Rule> longer = {{.tag = "a", .when = "count(page_viewed, '30d') >= 3"}};
  const std::vector<Rule> views = {{.tag = "a", .when = "count(product_viewed, '7d') >= 2"}};
  std::string row;
  const auto judge = [&](const std::vector<Rule>& rules, const Event& event) {
    OperatorHarness shop = ShopBy(rules);
    if (!row.empty()) shop.Load("anna", row);
    shop.Send(event);
    row = shop.Stored("anna");
    return absl::StrCat(Held(shop), " with ", StateOf(shop).windows_size());
  };
  CHECK(judge({}, Page("2026-01-01")) == " with 0");
  CHECK(judge(pages, Page("2026-01-02")) == " with 1");  // the event before came before the rules
  CHECK(judge(pages, Page("2026-01-02 01:00")) == "a(2026-01-02 01:00:00) with 1");
  // A longer window of what is kept already goes on from there.
  CHECK(judge(longer, Page("2026-01-02 02:00")) == "a(2026-01-02 01:00:00) with 1");
  CHECK(judge(views, View("2026-01-03")) == " with 1");
  CHECK(judge(views, View("2026-01-03 01:00")) == "a(2026-01-03 01:00:00) with 1");
  CHECK(judge(pages, Page("2026-01-03 02:00")) == " with 1");
}

TEST_CASE("a replay from any step comes to the same row, byte for byte, also over changes of the rules", "[tags]") {
  const std::vector<std::vector<Rule>> editions = {
      {{.tag = "a", .when = "count(page_viewed, '24h', category == 'shoes') >= 3"},
       {.tag = "b", .when = "distinct(page_viewed.product_id, '30d') >= 5"},
       {.tag = "c", .when = "after(product_added, '2h', absent(order_completed))"}},
      {{.tag = "a", .when = "count(page_viewed, '24h', category == 'shoes') >= 4"},
       {.tag = "d", .when = "sum(order_completed.total, '90d') > 100"}}};
  std::vector<Event> events;
  std::mt19937 random(7);
  Timestamp time = At("2026-01-01");
  for (int i = 0; i < 120; ++i) {
    time += minutes(random() % 400);
    const Timestamp at = random() % 6 == 0 ? time - hours(random() % 50) : time;
    Event event = EventFor("anna", at);
    if (i % 9 == 0) event.mutable_order_completed()->set_total_micros(40'000'000);
    if (i % 9 == 1) event.mutable_product_added();
    if (i % 9 > 1) event.mutable_page_viewed()->set_category(random() % 2 == 0 ? "shoes" : "hats");
    if (i % 9 > 1) event.mutable_page_viewed()->set_product_id(absl::StrCat("p", random() % 9));
    events.push_back(event);
  }
  std::vector<std::string> rows = {""};
  const auto play = [&](size_t from, size_t to, std::string row) {
    for (size_t i = from; i < to;) {
      OperatorHarness shop = ShopBy(editions[i / 40 % 2]);
      if (!row.empty()) shop.Load("anna", row);
      for (const size_t stop = std::min(to, (i / 40 + 1) * 40); i < stop; ++i) shop.Send(events[i]);
      row = shop.Stored("anna");
    }
    return row;
  };
  for (size_t i = 0; i < events.size(); ++i) rows.push_back(play(i, i + 1, rows.back()));
  for (const size_t from : {0, 1, 39, 40, 41, 77, 80, 119}) CHECK(play(from, events.size(), rows[from]) == rows.back());
  CHECK(rows.back().size() > 100);
}

// Counted from all events that have come, one by one.
struct Account {
  struct Seen {
    Timestamp time;
    std::string category;  // of a view; empty: an order
    double total;
  };
  std::vector<Seen> events;

  // Of those in the last so many steps of this length that end with the one of `now`.
  template <class Visit>
  void Within(Timestamp now, Duration step, int steps, Visit visit) const {
    const auto number = [&](Timestamp time) { return ToMicros(time) / step.count(); };
    for (const Seen& seen : events) {
      if (number(seen.time) > number(now) - steps) visit(seen);
    }
  }
};

TEST_CASE("windows hold what an account of all events has", "[tags]") {
  struct Length {
    const char* text;
    Duration step;
    int steps;
  };
  const Length lengths[] = {{"30m", minutes(1), 30}, {"5h", minutes(1), 300}, {"24h", minutes(15), 96},
                            {"100h", hours(1), 100}, {"7d", days(1), 7},      {"30d", days(1), 30}};
  std::vector<Rule> rules;
  for (const Length& length : lengths) {
    const auto add = [&](const std::string& function, const std::string& filter) {
      const std::string window = absl::StrCat(function, ", '", length.text, "'", filter, ")");
      rules.push_back({.tag = absl::StrCat("t", rules.size()), .when = window + " >= 1"});
    };
    add("count(product_viewed", ", category == 'shoes'");
    add("sum(order_completed.total", "");
    add("distinct(product_viewed.category", "");
  }
  std::mt19937 random(7);
  for (int life = 0; life < 20; ++life) {
    OperatorHarness shop = ShopBy(rules);
    const auto* tags = dynamic_cast<const Tags*>(shop.chain().operators().back().op.get());
    Account account;
    Timestamp time = At("2026-01-01");
    for (int i = 0; i < 40; ++i) {
      time += random() % 3 == 0 ? Duration(hours(random() % 90)) : Duration(minutes(random() % 50));
      const Timestamp at = random() % 5 == 0 ? time - minutes(random() % 20'000) : time;
      Event event = EventFor("anna", at);
      const std::string category = random() % 2 == 0 ? "shoes" : absl::StrCat("c", random() % 5);
      const bool order = random() % 3 == 0;
      if (order) event.mutable_order_completed()->set_total_micros(1'500'000 * (i + 1));
      if (!order) event.mutable_product_viewed()->mutable_product()->set_category(category);
      account.events.push_back({at, order ? "" : category, order ? 1.5 * (i + 1) : 0});
      shop.Send(event);
      const RowState& row = *shop.Row("anna");
      const Moment now{row.time, static_cast<int32_t>(std::chrono::floor<days>(row.time).time_since_epoch().count())};
      const FeatureReader reader(row, now);
      const auto& features = tags->rules()->program().features;
      REQUIRE(features.size() == rules.size());
      for (size_t f = 0; f < features.size(); ++f) {
        INFO(features[f].description().name << " at " << ToText(row.time) << " in life " << life);
        const Length& length = lengths[f / 3];
        int64_t shoes = 0;
        double total = 0;
        std::set<std::string> categories;
        account.Within(row.time, length.step, length.steps, [&](const Account::Seen& seen) {
          shoes += seen.category == "shoes" ? 1 : 0;
          total += seen.total;
          if (!seen.category.empty()) categories.insert(seen.category);
        });
        const Value wanted = f % 3 == 0   ? Value(shoes)
                             : f % 3 == 1 ? Value(total)
                                          : Value(static_cast<int64_t>(categories.size()));
        REQUIRE(reader.Get(features[f]) == wanted);
      }
    }
  }
}

TEST_CASE("an erased customer's windows are gone", "[tags]") {
  OperatorHarness shop = ShopBy({{.tag = "a", .when = "count(page_viewed, '7d') >= 2"}});
  shop.Send(Page("2026-01-01"));
  Event erased = EventFor("anna", At("2026-01-02"));
  erased.mutable_customer_erased();
  shop.Send(erased);
  shop.Send(Page("2026-01-03"));
  CHECK(Told(shop).empty());
}

TEST_CASE("a row stays within its bounds, whatever comes", "[tags]") {
  OperatorHarness shop = ShopBy({{.tag = "a", .when = "count(page_viewed, '365d') >= 1"},
                                 {.tag = "b", .when = "sum(order_completed.total, '365d') >= 1"},
                                 {.tag = "c", .when = "distinct(page_viewed.product_id, '365d') >= 1"},
                                 {.tag = "d", .when = "has(last(page_viewed))"}});
  Timestamp time = At("2024-01-01");
  for (int i = 0; i < 3000; ++i, time += hours(7)) {
    Event page = EventFor("anna", time);
    page.mutable_page_viewed()->set_product_id(absl::StrCat("p", i));
    shop.Send(page);
    Event order = EventFor("anna", time);
    order.mutable_order_completed()->set_total_micros(123'456'789);
    shop.Send(order);
  }
  size_t bytes = 0;
  for (const auto& window : StateOf(shop).windows()) {
    CHECK(window.ByteSizeLong() <= 530);
    bytes += window.ByteSizeLong();
  }
  CHECK(StateOf(shop).windows_size() == 4);
  CHECK(bytes > 700);
}

}  // namespace
}  // namespace portrait
