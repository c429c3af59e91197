#include "operators/tags.h"

#include <catch2/catch_test_macros.hpp>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "operators/site.h"
#include "tests/operators/tag_shop.h"

namespace portrait {
namespace {

TEST_CASE("the life cycle follows activity and silence, each change at its exact moment", "[tags]") {
  OperatorHarness shop = Shop();
  shop.Send(View("2026-01-01 10:00"));
  CHECK(Told(shop) == "2026-01-01 10:00:00 +new (Time since the first event: 0, less than 30)\n");
  shop.Send(View("2026-01-20"));
  shop.AdvanceTo("2026-02-10");
  CHECK(Told(shop) ==
        "2026-01-31 10:00:00 -new (Time since the first event: 30, at least 30)\n"
        "2026-01-31 10:00:00 +active (Time since the first event: 30, at least 30)\n");
  shop.AdvanceTo("2026-12-31");
  CHECK(Told(shop) ==
        "2026-03-21 00:00:00 +silent (Time since the last activity: 60, at least 60)\n"
        "2026-03-21 00:00:00 -active (Time since the last activity: 60, at least 60)\n"
        "2026-07-19 00:00:00 +lost (Time since the last activity: 180, at least 180)\n"
        "2026-07-19 00:00:00 -silent (Time since the last activity: 180, at least 180)\n");
  CHECK(shop.Row("anna")->timers.empty());  // nothing can change by time any more
}

TEST_CASE("a change says what was, what is, and why", "[tags]") {
  OperatorHarness shop = Shop();
  shop.Send(View("2026-01-01"));
  shop.AdvanceTo("2026-03-10");
  const auto changes = shop.Results<v1::TagChange>();
  const v1::TagChange& silent = changes[changes.size() - 2];
  CHECK(silent.tag() == "silent");
  CHECK(silent.info().origin() == v1::TIMER);
  const v1::Reason& reason = silent.info().reasons(0);
  CHECK(reason.feature() == "tags.days_since_activity");
  CHECK(reason.value().number() == 60);
  CHECK(reason.comparison() == ">=");
  CHECK(reason.threshold().number() == 60);
  CHECK(absl::StrJoin(silent.tags(), " ") == "silent");
  CHECK(silent.about() == "Nothing for long");
  CHECK(silent.rules().size() == 12);
  const v1::TagChange& active = changes.back();
  CHECK(active.tag() == "active");
  CHECK(absl::StrJoin(active.tags(), " ") == "silent");  // one tag of the life cycle at any time, in every change
  CHECK(FromMicros(active.held_since_us()) == At("2026-01-31"));
  for (const auto& feature : {"tags.days_since_activity", "tags.days_known", "tags.last_activity", "tags.returned"}) {
    CHECK(shop.chain().features().Find(feature).ok());
  }
}

TEST_CASE("activity does not move the timer of silence with every event", "[tags]") {
  OperatorHarness shop = Shop();
  shop.Send(View("2026-01-01"));
  const auto timer = shop.Row("anna")->timers.next();
  for (const char* day : {"2026-01-02", "2026-01-09", "2026-01-12"}) {
    shop.Send(View(day, "hats"));
    CHECK(shop.Row("anna")->timers.next() == timer);
  }
}

TEST_CASE("mails merely delivered are no activity, opened ones are", "[tags]") {
  OperatorHarness shop = Shop();
  shop.Send(View("2026-01-01"));
  for (const char* day : {"2026-01-15", "2026-02-01", "2026-02-15", "2026-03-01"}) shop.Send(Mail(day));
  Told(shop);
  shop.AdvanceTo("2026-03-02");
  CHECK(Told(shop).find("+silent") != std::string::npos);
  Event opened = EventFor("anna", At("2026-03-03"));
  opened.mutable_email_opened();
  shop.Send(opened);
  CHECK(Told(shop).find("+active") != std::string::npos);
}

TEST_CASE("a customer who comes back is returning for a month", "[tags]") {
  OperatorHarness shop = Shop();
  shop.Send(View("2026-01-01"));
  shop.AdvanceTo("2026-05-01");
  Told(shop);
  shop.Send(View("2026-05-02"));
  CHECK(Told(shop) ==
        "2026-05-02 00:00:00 -silent (Time since the last activity: 0, less than 60)\n"
        "2026-05-02 00:00:00 +active (Time since the last activity: 0, less than 60)\n"
        "2026-05-02 00:00:00 +returning (Time since: When the customer last came back from a long silence "
        "(tags.silent): 0.0 days, less than 30.0 days)\n");
  CHECK(Held(shop) == "active(2026-05-02 00:00:00) returning(2026-05-02 00:00:00)");
  shop.AdvanceTo("2026-06-30");
  CHECK(Told(shop) ==
        "2026-06-01 00:00:00 -returning (Time since: When the customer last came back from a long silence "
        "(tags.silent): 30.0 days, at least 30.0 days)\n");
}

TEST_CASE("a late event is no return: it counts as first seen, or shows that there was no silence", "[tags]") {
  OperatorHarness shop = Shop();
  shop.Send(View("2026-01-10"));
  shop.AdvanceTo("2026-04-01");
  Told(shop);
  shop.Send(View("2026-01-05"));
  CHECK(Told(shop).empty());
  CHECK(shop.Feature("anna", "tags.first_seen") == "2026-01-05 00:00:00");
  shop.Send(View("2026-01-20"));
  CHECK(Told(shop) ==
        "2026-03-11 00:00:00 -silent (Time since the last activity: 50, less than 60)\n"
        "2026-03-11 00:00:00 +active (Time since the last activity: 50, less than 60)\n");
  shop.AdvanceTo("2026-12-31");
  CHECK(Told(shop) ==
        "2026-03-21 00:00:00 +silent (Time since the last activity: 60, at least 60)\n"
        "2026-03-21 00:00:00 -active (Time since the last activity: 60, at least 60)\n"
        "2026-07-19 00:00:00 +lost (Time since the last activity: 180, at least 180)\n"
        "2026-07-19 00:00:00 -silent (Time since the last activity: 180, at least 180)\n");
}

TEST_CASE("a late event that was seen first ends being new sooner", "[tags]") {
  OperatorHarness shop = Shop();
  shop.Send(View("2026-01-10"));
  shop.Send(View("2026-01-05"));
  Told(shop);
  shop.AdvanceTo("2026-02-05");
  CHECK(Told(shop) ==
        "2026-02-04 00:00:00 -new (Time since the first event: 30, at least 30)\n"
        "2026-02-04 00:00:00 +active (Time since the first event: 30, at least 30)\n");
}

TEST_CASE("frequent buyers come by orders, and go when orders leave the window, not at once", "[tags]") {
  OperatorHarness shop = Shop();
  shop.Send(OrderOf("2026-01-01 12:00", 40));
  shop.Send(OrderOf("2026-01-11 12:00", 40));
  Told(shop);
  shop.Send(OrderOf("2026-01-21 12:00", 40));
  CHECK(Told(shop) == "2026-01-21 12:00:00 +frequent_buyer (Orders kept in the last 90 days: 3, at least 3)\n");
  shop.AdvanceTo("2026-05-01");
  // Two orders would not be enough to come, but are enough to stay.
  const std::string told = Told(shop);
  CHECK(told.find("2026-04-11 00:00:00 -frequent_buyer (Orders kept in the last 90 days: 1, less than 2)\n") !=
        std::string::npos);
}

TEST_CASE("high and low spenders follow the spend of a year, and do not flap", "[tags]") {
  OperatorHarness shop = Shop();
  shop.Send(OrderOf("2026-01-01", 45));
  CHECK(
      Told(shop).find("+low_spender (Orders kept in the last 365 days: 1, at least 1; Spend, less what was paid back, "
                      "in the last 365 days: 45, at most 50)") != std::string::npos);
  shop.Send(OrderOf("2026-01-02", 10));  // 55: still below 60
  CHECK(Told(shop).empty());
  shop.Send(OrderOf("2026-01-03", 500));
  CHECK(Told(shop) ==
        "2026-01-03 00:00:00 +frequent_buyer (Orders kept in the last 90 days: 3, at least 3)\n"
        "2026-01-03 00:00:00 +high_spender (Spend, less what was paid back, in the last 365 days: 555, at least 500)\n"
        "2026-01-03 00:00:00 -low_spender (Spend, less what was paid back, in the last 365 days: 555, more than 60)\n");
  Event refund = EventFor("anna", At("2026-01-04"));
  refund.mutable_order_refunded()->set_total_micros(100'000'000);  // 455: no longer enough to come, enough to stay
  shop.Send(refund);
  CHECK(Told(shop).empty());
  shop.Send(refund);
  CHECK(
      Told(shop) ==
      "2026-01-04 00:00:00 -high_spender (Spend, less what was paid back, in the last 365 days: 355, less than 400)\n");
}

TEST_CASE("spend that leaves the year takes high_spender with it, at that midnight, local time", "[tags]") {
  absl::TimeZone zone = absl::FixedTimeZone(2 * 3600);
  OperatorHarness shop = Shop(zone);
  shop.Send(OrderOf("2026-01-01 23:30", 450));  // already 2026-01-02 there
  shop.Send(OrderOf("2026-06-01 12:00", 100));
  Told(shop);
  shop.AdvanceTo("2027-02-01");
  CHECK(Told(shop).find("2027-01-01 22:00:00 -high_spender (Spend, less what was paid back, in the last 365 days: 100, "
                        "less than 400)\n") != std::string::npos);
  shop.AdvanceTo("2028-01-01");
  CHECK(shop.Row("anna")->timers.empty());
}

TEST_CASE("an interest comes by views, and goes by their absence", "[tags]") {
  OperatorHarness shop = Shop();
  shop.Send(View("2026-01-01"));
  Told(shop);
  for (const char* day : {"2026-01-02", "2026-01-03", "2026-01-03"}) shop.Send(View(day, "hats")), shop.Send(View(day));
  CHECK(Told(shop).empty());
  shop.Send(View("2026-01-04"));
  CHECK(Told(shop) == "2026-01-04 00:00:00 +interest:shoes (shoes: Views in the last 30 days: 5, at least 5)\n");
  shop.Send(View("2026-01-05", "hats"));
  shop.Send(View("2026-01-05", "hats"));
  CHECK(Told(shop) == "2026-01-05 00:00:00 +interest:hats (hats: Views in the last 30 days: 5, at least 5)\n");
  shop.AdvanceTo("2026-03-01");
  const std::string told = Told(shop);
  CHECK(told.find("2026-02-02 00:00:00 -interest:shoes (shoes: Views in the last 30 days: 1, less than 2)\n") !=
        std::string::npos);
  CHECK(told.find("2026-02-04 00:00:00 -interest:hats (hats: Views in the last 30 days: 0, less than 2)\n") !=
        std::string::npos);
  CHECK(Held(shop) == "active(2026-01-31 00:00:00)");
}

TEST_CASE("every interest is found at the view that reaches the threshold, however many categories there are",
          "[tags]") {
  OperatorHarness shop = Shop();
  int views[12] = {};
  uint32_t random = 12345;
  int held = 0;
  for (int i = 0; i < 300 && held < 12; ++i) {
    random = random * 1664525 + 1013904223;
    const int category = static_cast<int>((random >> 16) % 12);
    shop.Send(View("2026-01-01", absl::StrCat("c", category)));
    const bool reached = ++views[category] == 5;
    held += reached;
    const bool told = Told(shop).find(absl::StrCat("+interest:c", category, " (")) != std::string::npos;
    REQUIRE(told == reached);
  }
  CHECK(held == 12);
}

TEST_CASE("interests of the real site operator become tags, and go with time", "[tags]") {
  OperatorHarness shop(std::move(ChainBuilder().Add<Site>().Add<Purchases>().Add<Tags>(With(ShopRules()))));
  for (int i = 0; i < 4; ++i) shop.Send(View("2026-01-01", "shoes"));
  Told(shop);
  shop.Send(View("2026-01-01", "hats"));
  CHECK(Told(shop).empty());
  shop.Send(View("2026-01-01 00:01", "shoes"));
  CHECK(Told(shop) ==
        "2026-01-01 00:01:00 +interest:shoes (shoes: Views in the last 30 days, give or take 2: 5, at least 5)\n");
  shop.AdvanceTo("2026-02-10");
  CHECK(Told(shop).find("-interest:shoes (shoes: Views in the last 30 days, give or take 2: 0, less than 2)\n") !=
        std::string::npos);
}

TEST_CASE("when a customer is erased every tag goes, with the reason, and nothing comes by time", "[tags]") {
  OperatorHarness shop = Shop();
  shop.Send(OrderOf("2026-01-01", 1000));
  Told(shop);
  Event erasure = EventFor("anna", At("2026-01-02"));
  erasure.mutable_customer_erased()->set_reason("asked for it");
  shop.Send(erasure);
  const auto changes = shop.Results<v1::TagChange>();
  CHECK(Told(shop) ==
        "2026-01-02 00:00:00 -high_spender (the customer is erased: asked for it)\n"
        "2026-01-02 00:00:00 -new (the customer is erased: asked for it)\n");
  CHECK(changes.back().info().origin() == v1::ERASURE);
  CHECK(changes.back().tags().empty());
  shop.AdvanceTo("2027-01-01");
  CHECK(Told(shop).empty());
  CHECK(shop.RowBytes("anna") < 10);
  shop.Send(View("2027-02-01", "shoes"));
  CHECK(Told(shop) == "2027-02-01 00:00:00 +new (Time since the first event: 0, less than 30)\n");
}

TEST_CASE("who was never seen has no tag to lose", "[tags]") {
  OperatorHarness shop = Shop();
  Event erasure = EventFor("anna", At("2026-01-02"));
  erasure.mutable_customer_erased();
  shop.Send(erasure);
  CHECK(Told(shop).empty());
}

TEST_CASE("tags work without a site and without purchases", "[tags]") {
  OperatorHarness alone(std::move(ChainBuilder().Add<Tags>(With(kLifeCycle))));
  alone.Send(OrderOf("2026-01-01", 1000));
  CHECK(Told(alone) == "2026-01-01 00:00:00 +new (Time since the first event: 0, less than 30)\n");
}

TEST_CASE("the same events give the same tag changes", "[tags]") {
  const auto run = [] {
    OperatorHarness shop = Shop();
    for (int i = 0; i < 20; ++i) {
      Event event = i % 3 == 0 ? OrderOf("2026-01-01", 70) : View("2026-01-01", i % 2 ? "hats" : "shoes");
      event.set_event_id(absl::StrCat(i));
      event.set_event_time_us(event.event_time_us() + i * (7 * int64_t{86'400'000'000} / 2));
      if (event.has_order_completed()) event.mutable_order_completed()->set_order_id(absl::StrCat(i));
      shop.Send(event);
    }
    shop.AdvanceTo("2027-01-01");
    std::string out;
    for (const auto& change : shop.Results<v1::TagChange>()) out += change.SerializeAsString();
    CHECK(shop.RowBytes("anna") < 1000);
    return out;
  };
  CHECK(run() == run());
}

}  // namespace
}  // namespace portrait
