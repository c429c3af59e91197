// A shop for the tests of tags: views and orders of one customer, and rules on them.
#pragma once

#include <catch2/catch_test_macros.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "operators/purchases.h"
#include "operators/tags.h"
#include "operators/testing/harness.h"
#include "portrait/v1/row.pb.h"

namespace portrait {

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

inline Event View(std::string_view time, std::string_view category = "shoes") {
  Event event = EventFor("anna", At(time));
  event.mutable_product_viewed()->mutable_product()->set_category(std::string(category));
  return event;
}

inline Event Mail(std::string_view time) {
  Event event = EventFor("anna", At(time));
  event.mutable_email_delivered();
  return event;
}

inline Event OrderOf(std::string_view time, int64_t total) {
  Event event = EventFor("anna", At(time));
  event.mutable_order_completed()->set_order_id(absl::StrCat("order", event.event_id()));
  event.mutable_order_completed()->set_total_micros(total * 1'000'000);
  return event;
}

using rules::Rule;

inline TagsOptions With(std::vector<Rule> rules) {
  return {.rules = [rules](const FeatureRegistry&) { return rules; }};
}

inline const std::vector<Rule> kLifeCycle = {
    {.tag = "lost", .group = "life_cycle", .when = "tags.days_since_activity >= 180"},
    {.tag = "silent", .about = "Nothing for long", .group = "life_cycle", .when = "tags.days_since_activity >= 60"},
    {.tag = "new", .group = "life_cycle", .when = "tags.days_known < 30"},
    {.tag = "active", .group = "life_cycle"},
    {.tag = "returning", .when = "now - tags.returned < days(30)"},
};

inline std::vector<Rule> ShopRules() {
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

inline OperatorHarness Shop(absl::TimeZone zone = absl::UTCTimeZone()) {
  return OperatorHarness(std::move(ChainBuilder().Add<Views>().Add<Purchases>().Add<Tags>(With(ShopRules()))), zone);
}

// The changes since the last call, such as "2026-01-01 00:00:00 +new (Time since the first event: 0, less than 30)".
inline std::string Told(OperatorHarness& harness) {
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

inline std::string Held(const OperatorHarness& harness) { return harness.ItemsFeature("anna", "tags.held"); }

}  // namespace portrait
