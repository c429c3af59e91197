// What rules say and what becomes of tags, beyond the life of a shop (tags_test.cc).
#include <catch2/catch_test_macros.hpp>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "tests/operators/tag_shop.h"

namespace portrait {
namespace {

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
    const auto& state = row.states.As<v1::state::Tags>(row.states.size() - 1);
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

}  // namespace
}  // namespace portrait
