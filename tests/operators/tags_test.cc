#include "operators/tags.h"

#include <catch2/catch_test_macros.hpp>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "operators/purchases.h"
#include "operators/site.h"
#include "operators/testing/harness.h"
#include "portrait/v1/row.pb.h"

namespace portrait {
namespace {

// Offers site.interests as the operator `site` does: views by category, here in the order of their coming; a view
// counts for 30 days. Any message that holds names and times serves as its state.
class Views final : public Operator<v1::Row> {
 public:
  static void Describe(Description& about) {
    about.Name("site").Reads({Event::kProductViewed});
    about.ItemsFeature<v1::Row>("interests",
                                {{"score", FeatureType::kNumber, "1", "Interest"},
                                 {"views_30d", FeatureType::kInteger, "views", "Views in the last 30 days"}},
                                "Categories", [](const v1::Row& s, const Moment& at) {
                                  Items out;
                                  for (const auto& category : s.operators()) {
                                    int64_t views = 0;
                                    for (const auto& timer : category.timers()) {
                                      views += timer.time_us() > at.day - 30;
                                    }
                                    out.push_back({category.operator_(), {0.5, views}});
                                  }
                                  return out;
                                });
  }
  void OnEvent(const Event& event, v1::Row& state, Context& context) const override {
    const std::string& name = event.product_viewed().product().category();
    v1::OperatorState* found = nullptr;
    for (auto& category : *state.mutable_operators()) {
      if (category.operator_() == name) found = &category;
    }
    if (found == nullptr) (found = state.add_operators())->set_operator_(name);
    found->add_timers()->set_time_us(context.DayOf(EventTime(event)));
  }
};

Event View(std::string_view time, std::string_view category = "shoes") {
  Event event = EventFor("anna", At(time));
  event.mutable_product_viewed()->mutable_product()->set_category(std::string(category));
  return event;
}

Event Mail(std::string_view time) {
  Event event = EventFor("anna", At(time));
  event.mutable_email_delivered();
  return event;
}

Event OrderOf(std::string_view time, int64_t total) {
  Event event = EventFor("anna", At(time));
  event.mutable_order_completed()->set_order_id(absl::StrCat("order", event.event_id()));
  event.mutable_order_completed()->set_total_micros(total * 1'000'000);
  return event;
}

OperatorHarness Shop(absl::TimeZone zone = absl::UTCTimeZone()) {
  return OperatorHarness(std::move(ChainBuilder().Add<Views>().Add<Purchases>().Add<Tags>()), zone);
}

// The changes since the last call, such as "2026-01-01 00:00:00 +new (first seen 0 days ago)".
std::string Told(OperatorHarness& harness) {
  std::string out;
  for (const auto& change : harness.Results<v1::TagChange>()) {
    CHECK(change.before() != change.after());
    absl::StrAppend(&out, ToText(FromMicros(change.info().event_time_us())), change.after() ? " +" : " -", change.tag(),
                    " (", change.info().reasons(0).text(), ")\n");
  }
  harness.Clear();
  return out;
}

std::string Held(const OperatorHarness& harness) { return harness.ItemsFeature("anna", "tags.held"); }

TEST_CASE("the life cycle follows activity and silence, each change at its exact moment", "[tags]") {
  OperatorHarness shop = Shop();
  shop.Send(View("2026-01-01 10:00"));
  CHECK(Told(shop) == "2026-01-01 10:00:00 +new (first seen 0 days ago)\n");
  shop.Send(View("2026-01-20"));
  shop.AdvanceTo("2026-02-10");
  CHECK(Told(shop) ==
        "2026-01-31 10:00:00 -new (known for 30 days)\n"
        "2026-01-31 10:00:00 +active (known for 30 days)\n");
  shop.AdvanceTo("2026-12-31");
  CHECK(Told(shop) ==
        "2026-03-21 00:00:00 -active (no activity for 60 days)\n"
        "2026-03-21 00:00:00 +silent (no activity for 60 days)\n"
        "2026-07-19 00:00:00 -silent (no activity for 180 days)\n"
        "2026-07-19 00:00:00 +lost (no activity for 180 days)\n");
  CHECK(shop.Row("anna")->timers.empty());  // nothing can change by time any more
}

TEST_CASE("a change says what was, what is, and why", "[tags]") {
  OperatorHarness shop = Shop();
  shop.Send(View("2026-01-01"));
  shop.AdvanceTo("2026-03-10");
  const auto changes = shop.Results<v1::TagChange>();
  const v1::TagChange& silent = changes.back();
  CHECK(silent.tag() == "silent");
  CHECK(silent.info().origin() == v1::TIMER);
  const v1::Reason& reason = silent.info().reasons(0);
  CHECK(reason.feature() == "tags.days_since_activity");
  CHECK(reason.value().number() == 60);
  CHECK(reason.comparison() == ">=");
  CHECK(reason.threshold().number() == 60);
  CHECK(absl::StrJoin(silent.tags(), " ") == "silent");
  const v1::TagChange& active = changes[changes.size() - 2];
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
        "2026-05-02 00:00:00 -silent (active again after silence)\n"
        "2026-05-02 00:00:00 +active (active again after silence)\n"
        "2026-05-02 00:00:00 +returning (active again after silence)\n");
  CHECK(Held(shop) == "active(2026-05-02 00:00:00) returning(2026-05-02 00:00:00)");
  shop.AdvanceTo("2026-06-30");
  CHECK(Told(shop) == "2026-06-01 00:00:00 -returning (back for 30 days)\n");
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
        "2026-03-11 00:00:00 -silent (there was activity, told late)\n"
        "2026-03-11 00:00:00 +active (there was activity, told late)\n");
  shop.AdvanceTo("2026-12-31");
  CHECK(Told(shop) ==
        "2026-03-21 00:00:00 -active (no activity for 60 days)\n"
        "2026-03-21 00:00:00 +silent (no activity for 60 days)\n"
        "2026-07-19 00:00:00 -silent (no activity for 180 days)\n"
        "2026-07-19 00:00:00 +lost (no activity for 180 days)\n");
}

TEST_CASE("a late event that was seen first ends being new sooner", "[tags]") {
  OperatorHarness shop = Shop();
  shop.Send(View("2026-01-10"));
  shop.Send(View("2026-01-05"));
  Told(shop);
  shop.AdvanceTo("2026-02-05");
  CHECK(Told(shop) ==
        "2026-02-04 00:00:00 -new (known for 30 days)\n"
        "2026-02-04 00:00:00 +active (known for 30 days)\n");
}

TEST_CASE("frequent buyers come by orders, and go when orders leave the window, not at once", "[tags]") {
  OperatorHarness shop = Shop();
  shop.Send(OrderOf("2026-01-01 12:00", 40));
  shop.Send(OrderOf("2026-01-11 12:00", 40));
  Told(shop);
  shop.Send(OrderOf("2026-01-21 12:00", 40));
  CHECK(Told(shop) == "2026-01-21 12:00:00 +frequent_buyer (3 orders in the last 90 days)\n");
  shop.AdvanceTo("2026-05-01");
  // Two orders would not be enough to come, but are enough to stay.
  const std::string told = Told(shop);
  CHECK(told.find("2026-04-11 00:00:00 -frequent_buyer (1 order in the last 90 days)\n") != std::string::npos);
}

TEST_CASE("high and low spenders follow the spend of a year, and do not flap", "[tags]") {
  OperatorHarness shop = Shop();
  shop.Send(OrderOf("2026-01-01", 45));
  CHECK(Told(shop).find("+low_spender (spend of 45.00 in the last 365 days)") != std::string::npos);
  shop.Send(OrderOf("2026-01-02", 10));  // 55: still below 60
  CHECK(Told(shop).empty());
  shop.Send(OrderOf("2026-01-03", 500));
  CHECK(Told(shop) ==
        "2026-01-03 00:00:00 +frequent_buyer (3 orders in the last 90 days)\n"
        "2026-01-03 00:00:00 +high_spender (spend of 555.00 in the last 365 days)\n"
        "2026-01-03 00:00:00 -low_spender (spend of 555.00 in the last 365 days)\n");
  Event refund = EventFor("anna", At("2026-01-04"));
  refund.mutable_order_refunded()->set_total_micros(100'000'000);  // 455: no longer enough to come, enough to stay
  shop.Send(refund);
  CHECK(Told(shop).empty());
  shop.Send(refund);
  CHECK(Told(shop) == "2026-01-04 00:00:00 -high_spender (spend of 355.00 in the last 365 days)\n");
}

TEST_CASE("spend that leaves the year takes high_spender with it, at that midnight, local time", "[tags]") {
  absl::TimeZone zone = absl::FixedTimeZone(2 * 3600);
  OperatorHarness shop = Shop(zone);
  shop.Send(OrderOf("2026-01-01 23:30", 450));  // already 2026-01-02 there
  shop.Send(OrderOf("2026-06-01 12:00", 100));
  Told(shop);
  shop.AdvanceTo("2027-02-01");
  CHECK(Told(shop).find("2027-01-01 22:00:00 -high_spender (spend of 100.00 in the last 365 days)\n") !=
        std::string::npos);
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
  CHECK(Told(shop) == "2026-01-04 00:00:00 +interest:shoes (5 views of shoes in the last 30 days)\n");
  shop.Send(View("2026-01-05", "hats"));
  shop.Send(View("2026-01-05", "hats"));
  CHECK(Told(shop) == "2026-01-05 00:00:00 +interest:hats (5 views of hats in the last 30 days)\n");
  shop.AdvanceTo("2026-03-01");
  const std::string told = Told(shop);
  CHECK(told.find("2026-02-02 00:00:00 -interest:shoes (1 view of shoes in the last 30 days)\n") != std::string::npos);
  CHECK(told.find("2026-02-04 00:00:00 -interest:hats (0 views of hats in the last 30 days)\n") != std::string::npos);
  CHECK(Held(shop) == "active(2026-01-31 00:00:00)");
}

TEST_CASE("every interest is found at the view that reaches the threshold, however many categories there are",
          "[tags]") {
  OperatorHarness shop = Shop();
  int views[12] = {};
  uint32_t random = 12345;
  int held = 0;
  for (int i = 0; i < 300 && held < 8; ++i) {
    random = random * 1664525 + 1013904223;
    const int category = static_cast<int>((random >> 16) % 12);
    shop.Send(View("2026-01-01", absl::StrCat("c", category)));
    const bool reached = ++views[category] == 5;
    held += reached;
    const bool told = Told(shop).find(absl::StrCat("+interest:c", category, " (")) != std::string::npos;
    REQUIRE(told == reached);
  }
  CHECK(held == 8);
}

TEST_CASE("interests of the real site operator become tags, and go with time", "[tags]") {
  OperatorHarness shop(std::move(ChainBuilder().Add<Site>().Add<Purchases>().Add<Tags>()));
  for (int i = 0; i < 4; ++i) shop.Send(View("2026-01-01", "shoes"));
  Told(shop);
  shop.Send(View("2026-01-01", "hats"));
  CHECK(Told(shop).empty());
  shop.Send(View("2026-01-01 00:01", "shoes"));
  CHECK(Told(shop) == "2026-01-01 00:01:00 +interest:shoes (5 views of shoes in the last 30 days)\n");
  shop.AdvanceTo("2026-02-10");
  CHECK(Told(shop).find("-interest:shoes (0 views of shoes in the last 30 days)\n") != std::string::npos);
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
  CHECK(Told(shop) == "2027-02-01 00:00:00 +new (first seen 0 days ago)\n");
}

TEST_CASE("who was never seen has no tag to lose", "[tags]") {
  OperatorHarness shop = Shop();
  Event erasure = EventFor("anna", At("2026-01-02"));
  erasure.mutable_customer_erased();
  shop.Send(erasure);
  CHECK(Told(shop).empty());
}

TEST_CASE("tags work without a site and without purchases", "[tags]") {
  OperatorHarness alone(std::move(ChainBuilder().Add<Tags>()));
  alone.Send(OrderOf("2026-01-01", 1000));
  CHECK(Told(alone) == "2026-01-01 00:00:00 +new (first seen 0 days ago)\n");
}

TEST_CASE("thresholds that contradict each other stop the start", "[tags]") {
  auto chain = std::move(ChainBuilder().Add<Tags>(TagsOptions{.silent_days = 60, .lost_days = 30})).Build("v");
  CHECK(chain.status().message() ==
        "operator tags: 0 < silent_days < lost_days does not hold: silent_days 60, lost_days 30");
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
