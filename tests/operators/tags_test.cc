#include "operators/tags.h"

#include <catch2/catch_test_macros.hpp>
#include <optional>
#include <string>
#include <vector>

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
                                 {"views_30d", FeatureType::kInteger, "views", "Views in the last 30 days",
                                  OverTime::EachDay(OverTime::Trend::kFalls)}},
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

using rules::Rule;

TagsOptions With(std::vector<Rule> rules) {
  return {.rules = [rules](const FeatureRegistry&) { return rules; }};
}

const std::vector<Rule> kLifeCycle = {
    {.tag = "lost", .group = "life_cycle", .when = "tags.days_since_activity >= 180"},
    {.tag = "silent", .about = "Nothing for long", .group = "life_cycle", .when = "tags.days_since_activity >= 60"},
    {.tag = "new", .group = "life_cycle", .when = "tags.days_known < 30"},
    {.tag = "active", .group = "life_cycle"},
    {.tag = "returning", .when = "now - tags.returned < days(30)"},
};

std::vector<Rule> ShopRules() {
  std::vector<Rule> rules = kLifeCycle;
  rules.push_back({.tag = "frequent_buyer", .when = "purchases.orders_90d >= 3", .until = "purchases.orders_90d < 2"});
  rules.push_back(
      {.tag = "high_spender", .when = "purchases.spend_365d >= 500", .until = "purchases.spend_365d < 400"});
  rules.push_back({.tag = "low_spender",
                   .when = "purchases.orders_365d >= 1 && purchases.spend_365d <= 50",
                   .until = "purchases.orders_365d == 0 || purchases.spend_365d > 60"});
  rules.push_back(
      {.tag = "interest", .when = "item.views_30d >= 5", .until = "item.views_30d < 2", .each = "site.interests"});
  return rules;
}

OperatorHarness Shop(absl::TimeZone zone = absl::UTCTimeZone()) {
  return OperatorHarness(std::move(ChainBuilder().Add<Views>().Add<Purchases>().Add<Tags>(With(ShopRules()))), zone);
}

// The changes since the last call, such as "2026-01-01 00:00:00 +new (Time since the first event: 0, less than 30)".
std::string Told(OperatorHarness& harness) {
  std::string out;
  for (const auto& change : harness.Results<v1::TagChange>()) {
    CHECK(change.before() != change.after());
    absl::StrAppend(&out, ToText(FromMicros(change.info().event_time_us())), change.after() ? " +" : " -", change.tag(),
                    " (",
                    absl::StrJoin(change.info().reasons(), "; ",
                                  [](std::string* text, const auto& reason) { text->append(reason.text()); }),
                    ")\n");
  }
  harness.Clear();
  return out;
}

std::string Held(const OperatorHarness& harness) { return harness.ItemsFeature("anna", "tags.held"); }

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

TEST_CASE("rules that are no good stop the start, and say what is wrong", "[tags]") {
  const auto wrong = [](std::vector<Rule> rules) {
    return std::string(std::move(ChainBuilder().Add<Tags>(With(std::move(rules)))).Build("v").status().message());
  };
  CHECK(wrong({{.tag = "a", .when = "tags.days_knwon > 3"}})
            .find("operator tags: rule a: when: 1:1: no such feature: "
                  "tags.days_knwon; did you mean tags.days_known") == 0);
  CHECK(wrong({{.tag = "a", .when = "true"}, {.tag = "a", .when = "true"}}) ==
        "operator tags: rule a: tag: two rules for one tag");
  CHECK(wrong({{.tag = "a"}}) == "operator tags: rule a: when: is missing; only the last rule of a group goes without");
  CHECK(wrong({{.tag = "a", .group = "g", .when = "true"}}) ==
        "operator tags: rule a: when: the last rule of a group takes everybody who is left, so it has no condition: "
        "group g");
  CHECK(wrong({{.tag = "a", .when = "'b' in tags.held"}})
            .find("operator tags: rule a: when: 1:8: a rule cannot depend on "
                  "what the rules decide, which would go round in a circle: "
                  "tags.held") == 0);
  CHECK(wrong({{.tag = "a", .when = "true", .each = "tags.days_known"}}) ==
        "operator tags: rule a: each: needs a feature that is a list");
}

// One customer, judged by one set of rules after the other, as after a restart with another file.
class Rejudged {
 public:
  void Judge(std::vector<Rule> rules, const Event& event) {
    harness_.emplace(std::move(ChainBuilder().Add<Views>().Add<Purchases>().Add<Tags>(With(std::move(rules)))));
    if (!row_.empty()) harness_->Load("anna", row_);
    harness_->Send(event);
    row_ = harness_->Stored("anna");
  }
  OperatorHarness& harness() { return *harness_; }

 private:
  std::optional<OperatorHarness> harness_;
  std::string row_;
};

TEST_CASE("other rules judge a row anew: what has no rule any more goes, and what holds now comes", "[tags]") {
  Rejudged anna;
  anna.Judge(
      {{.tag = "a", .when = "true"}, {.tag = "b", .when = "purchases.orders >= 1"}, {.tag = "d", .when = "true"}},
      OrderOf("2026-01-01", 10));
  CHECK(Held(anna.harness()) == "a(2026-01-01 00:00:00) b(2026-01-01 00:00:00) d(2026-01-01 00:00:00)");
  // A page view alone would have no rule on purchases looked at.
  anna.Judge({{.tag = "c", .when = "purchases.orders == 1"},
              {.tag = "d", .when = "true"},
              {.tag = "b", .when = "purchases.orders >= 2"}},
             View("2026-01-02"));
  CHECK(Told(anna.harness()) ==
        "2026-01-02 00:00:00 -a (there is no rule for this tag any more)\n"
        "2026-01-02 00:00:00 +c (Orders kept: placed, not cancelled, not paid back in full: 1, equal to 1)\n"
        "2026-01-02 00:00:00 -b (Orders kept: placed, not cancelled, not paid back in full: 1, less than 2)\n");
  CHECK(Held(anna.harness()) == "c(2026-01-02 00:00:00) d(2026-01-01 00:00:00)");
}

TEST_CASE("the same rules with a tag of each element for one without, and the other way round", "[tags]") {
  Rejudged anna;
  anna.Judge({{.tag = "x", .when = "item.views_30d >= 1", .each = "site.interests"}}, View("2026-01-01"));
  CHECK(Held(anna.harness()) == "x:shoes(2026-01-01 00:00:00)");
  anna.Judge({{.tag = "x", .when = "true"}}, View("2026-01-02"));
  CHECK(Held(anna.harness()) == "x(2026-01-02 00:00:00)");
}

TEST_CASE("`unless` keeps a tag away and takes it; what was in the way gone, it comes", "[tags]") {
  OperatorHarness shop(std::move(ChainBuilder().Add<Views>().Add<Purchases>().Add<Tags>(
      With({{.tag = "a", .when = "purchases.orders_90d >= 1", .unless = "purchases.orders_7d >= 1"}}))));
  shop.Send(OrderOf("2026-01-01", 10));
  CHECK(Told(shop).empty());
  shop.AdvanceTo("2026-01-20");
  CHECK(Told(shop) == "2026-01-08 00:00:00 +a (Orders kept in the last 90 days: 1, at least 1)\n");
  shop.Send(OrderOf("2026-01-21", 10));
  CHECK(Told(shop) == "2026-01-21 00:00:00 -a (Orders kept in the last 7 days: 1, at least 1)\n");
  shop.AdvanceTo("2026-12-31");
  CHECK(Told(shop) ==
        "2026-01-28 00:00:00 +a (Orders kept in the last 90 days: 2, at least 1)\n"
        "2026-04-21 00:00:00 -a (Orders kept in the last 90 days: 0, less than 1)\n");
  CHECK(shop.Row("anna")->timers.empty());
}

TEST_CASE("`until` may count from when the tag came", "[tags]") {
  OperatorHarness shop(std::move(ChainBuilder().Add<Views>().Add<Purchases>().Add<Tags>(
      With({{.tag = "greet",
             .when = "purchases.orders == 1",
             .until = "now - since >= days(10) || purchases.orders > 1"}}))));
  shop.Send(OrderOf("2026-01-01", 10));
  CHECK(Held(shop) == "greet(2026-01-01 00:00:00)");
  Told(shop);
  shop.AdvanceTo("2026-01-10 23:59:59");
  CHECK(Told(shop).empty());
  shop.AdvanceTo("2026-01-11");
  CHECK(Told(shop).find("2026-01-11 00:00:00 -greet (") == 0);
}

TEST_CASE("why a tag is there, or what is missing for it, can be asked at any moment", "[tags]") {
  OperatorHarness shop = Shop();
  for (const char* day : {"2026-01-01", "2026-01-02"}) shop.Send(OrderOf(day, 100));
  const auto* tags = dynamic_cast<const Tags*>(shop.chain().operators().back().op.get());
  REQUIRE(tags != nullptr);
  const auto told = [&](std::string_view tag) {
    const RowState& row = *shop.Row("anna");
    const Moment at{row.time, static_cast<int32_t>(std::chrono::floor<days>(row.time).time_since_epoch().count())};
    const auto& state = static_cast<const v1::state::Tags&>(*row.states.back());
    const auto standing = tags->Explain(tag, state, FeatureReader(row, at), at);
    if (!standing.ok()) return std::string(standing.status().message());
    return absl::StrCat(
        standing->has ? "+" : "-",
        absl::StrJoin(standing->reasons, "; ", [](auto* text, const auto& r) { text->append(r.text()); }));
  };
  CHECK(told("frequent_buyer") == "-Orders kept in the last 90 days: 2, less than 3");
  CHECK(told("new") == "+Time since the first event: 1, less than 30");
  CHECK(told("silent") == "-Time since the last activity: 0, less than 60");
  CHECK(told("active") == "-Time since the first event: 1, less than 30");  // another one of the group comes first
  CHECK(told("interest:hats") == "-hats is not among site.interests");
  CHECK(told("interest") == "one tag for each of site.interests; ask for interest:NAME: interest");
  CHECK(told("silent:x") == "the tag has no elements; ask for silent: silent:x");
  CHECK(told("frequent_byer") == "no rule gives this tag; did you mean frequent_buyer: frequent_byer");
  shop.Send(OrderOf("2026-01-03", 100));
  CHECK(told("frequent_buyer") == "+Orders kept in the last 90 days: 3, at least 3");
  shop.AdvanceTo("2026-04-01 12:00");
  CHECK(told("frequent_buyer") == "+Orders kept in the last 90 days: 2, at least 2");  // by `until` only
}

// Counts events, and by its own timer forgets them a day after the first.
class Forgetful final : public Operator<v1::Row> {
 public:
  static void Describe(Description& about) {
    about.Name("forgetful").Reads({Event::kProductViewed}).Timer(1, "forgets");
    about.Feature<v1::Row>("count", "events", "Events", [](const v1::Row& s) -> int64_t { return s.time_us(); });
  }
  void OnEvent(const Event&, v1::Row& state, Context& context) const override {
    state.set_time_us(state.time_us() + 1);
    if (!context.TimerAt(1)) context.SetTimer(1, context.now() + days(1));
  }
  void OnTimer(const Timer&, v1::Row& state, Context&) const override { state.set_time_us(0); }
};

TEST_CASE("what another operator's timer changes is judged at once", "[tags]") {
  OperatorHarness shop(
      std::move(ChainBuilder().Add<Forgetful>().Add<Tags>(With({{.tag = "seen", .when = "forgetful.count >= 2"}}))));
  shop.Send(View("2026-01-01"));
  CHECK(Told(shop).empty());
  shop.Send(View("2026-01-01 12:00"));
  CHECK(Told(shop) == "2026-01-01 12:00:00 +seen (Events: 2, at least 2)\n");
  shop.AdvanceTo("2026-01-05");
  const auto changes = shop.Results<v1::TagChange>();
  REQUIRE(changes.size() == 1);
  CHECK(changes[0].info().cause().timer() == "forgetful/1");
  CHECK(changes[0].info().operator_() == "tags");
  CHECK(Told(shop) == "2026-01-02 00:00:00 -seen (Events: 0, less than 2)\n");
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
