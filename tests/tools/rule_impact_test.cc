#include "pipeline/tools/rule_impact.h"

#include <catch2/catch_test_macros.hpp>
#include <memory>
#include <string>
#include <vector>

#include "tests/operators/tag_shop.h"

namespace portrait {
namespace {

std::unique_ptr<Chain> ChainOf(std::vector<Rule> rules, std::vector<Rule> shadow = {}) {
  TagsOptions options = With(std::move(rules));
  if (!shadow.empty()) options.shadow = With(std::move(shadow)).rules;
  return std::move(ChainBuilder().Add<Views>().Add<Purchases>().Add<Tags>(std::move(options))).Build("v").value();
}

std::vector<Rule> OrdersMakeFrequent(int orders) {
  return {{.tag = "frequent", .when = absl::StrCat("purchases.orders >= ", orders)},
          {.tag = "quiet", .when = "now - purchases.last > days(10)"}};
}

// A customer with this many orders, the last on 2026-01-05, as a row under these rules.
std::string RowOf(const Chain& chain, int orders) {
  RowState row = chain.EmptyRow();
  const Calendar calendar(absl::UTCTimeZone());
  struct Nothing final : OutputSink {
    void Add(size_t, std::string_view, const google::protobuf::Message&) override {}
  } nothing;
  for (int i = 0; i < orders; ++i) {
    chain.OnEvent(OrderOf("2026-01-05", 10), {"orders", 0, i}, false, "anna", row, calendar, nothing);
  }
  std::string bytes;
  chain.Encode(1, row, bytes);
  return bytes;
}

TEST_CASE("who would come to a tag and who would lose it is counted, with examples and reasons", "[rules]") {
  const auto in_force = ChainOf(OrdersMakeFrequent(3)), to_come = ChainOf(OrdersMakeFrequent(2));
  RuleImpact loosened(*in_force, *to_come, absl::UTCTimeZone());
  for (int n = 0; n < 5; ++n) {
    REQUIRE(loosened.Add("two" + std::to_string(n), RowOf(*in_force, 2), At("2026-01-06")).ok());
  }
  REQUIRE(loosened.Add("three", RowOf(*in_force, 3), At("2026-01-06")).ok());
  CHECK(loosened.customers() == 6);
  CHECK(loosened.customers_that_change() == 5);
  const TagImpact& frequent = loosened.tags().at("frequent");
  CHECK((frequent.now == 1 && frequent.then == 6 && frequent.come == 5 && frequent.go == 0));
  REQUIRE(frequent.coming.size() == kImpactExamples);
  CHECK(frequent.coming[0].customer == "two0");
  CHECK(frequent.coming[0].why.find("2, at least 2") != std::string::npos);
  CHECK(loosened.Json()["tags"]["frequent"]["come"] == 5);
  CHECK(loosened.Text().starts_with("5 of 6 customers change; 0 tags stay as they are\n\ntag "));

  RuleImpact tightened(*to_come, *in_force, absl::UTCTimeZone());
  REQUIRE(tightened.Add("two", RowOf(*to_come, 2), At("2026-01-06")).ok());
  CHECK(tightened.tags().at("frequent").go == 1);
  CHECK(tightened.Text().find("\nfrequent\n  goes from two: ") != std::string::npos);
}

// Else the count would show what the passing of time does as the rules' doing.
TEST_CASE("what time alone has changed since the row was written is not counted", "[rules]") {
  const auto in_force = ChainOf(OrdersMakeFrequent(3)), to_come = ChainOf(OrdersMakeFrequent(2));
  RuleImpact impact(*in_force, *to_come, absl::UTCTimeZone());
  REQUIRE(impact.Add("one", RowOf(*in_force, 1), At("2026-02-06")).ok());
  CHECK(impact.customers_that_change() == 0);
  CHECK(impact.tags().at("quiet").now == 1);
  CHECK(impact.tags().at("quiet").then == 1);
  CHECK(impact.Text() == "0 of 1 customers change; 1 tag stays as it is\n");
}

TEST_CASE("a row that rules before those in force have judged is brought up first", "[rules]") {
  const auto earlier = ChainOf(OrdersMakeFrequent(1));
  const auto in_force = ChainOf(OrdersMakeFrequent(3)), to_come = ChainOf(OrdersMakeFrequent(4));
  RuleImpact impact(*in_force, *to_come, absl::UTCTimeZone());
  REQUIRE(impact.Add("two", RowOf(*earlier, 2), At("2026-01-06")).ok());
  CHECK(impact.customers_that_change() == 0);
}

TEST_CASE("the tags of a rule for each element are counted together", "[rules]") {
  std::vector<Rule> rules = ShopRules();
  const auto in_force = ChainOf(rules);
  for (Rule& rule : rules) {
    if (rule.tag == "interest") rule.when = "item.views_30d >= 1", rule.until = "";
  }
  const auto to_come = ChainOf(rules);
  OperatorHarness shop = Shop();
  for (const char* category : {"shoes", "hats", "bags", "coats"}) shop.Send(View("2026-01-01", category));
  RuleImpact impact(*in_force, *to_come, absl::UTCTimeZone());
  REQUIRE(impact.Add("anna", shop.Stored("anna"), At("2026-01-02")).ok());
  CHECK(impact.customers_that_change() == 1);
  CHECK(impact.tags().at("interest:*").come == 4);
  CHECK(impact.Text().find("  comes to anna (interest:shoes): ") != std::string::npos);
}

TEST_CASE("a tag that is pinned does not change with its rule", "[rules]") {
  const auto in_force = ChainOf(OrdersMakeFrequent(3)), to_come = ChainOf(OrdersMakeFrequent(2));
  OperatorHarness shop(std::move(ChainBuilder().Add<Views>().Add<Purchases>().Add<Tags>(With(OrdersMakeFrequent(3)))));
  for (const char* day : {"2026-01-01", "2026-01-02"}) shop.Send(OrderOf(day, 10));
  RuleImpact plain(*in_force, *to_come, absl::UTCTimeZone());
  REQUIRE(plain.Add("anna", shop.Stored("anna"), At("2026-01-03")).ok());
  CHECK(plain.customers_that_change() == 1);
  Event pin = EventFor("anna", At("2026-01-03"));
  pin.mutable_tag_pinned()->set_tag("frequent");
  pin.mutable_tag_pinned()->set_absent(true);
  shop.Send(pin);
  RuleImpact pinned(*in_force, *to_come, absl::UTCTimeZone());
  REQUIRE(pinned.Add("anna", shop.Stored("anna"), At("2026-01-03")).ok());
  CHECK(pinned.customers_that_change() == 0);
}

TEST_CASE("of rules in the shadow, what promoting them would do is counted, and what they have done", "[rules]") {
  const auto running = ChainOf(OrdersMakeFrequent(3), OrdersMakeFrequent(2)), promoted = ChainOf(OrdersMakeFrequent(2));
  RuleImpact report(*running, *promoted, absl::UTCTimeZone());
  REQUIRE(report.Add("two", RowOf(*running, 2), At("2026-01-06")).ok());
  REQUIRE(report.Add("three", RowOf(*running, 3), At("2026-01-06")).ok());
  // Judged by the rules in force before there was a shadow: it is brought up as the sweep would.
  REQUIRE(report.Add("early", RowOf(*ChainOf(OrdersMakeFrequent(3)), 2), At("2026-01-06")).ok());
  CHECK(report.customers_that_change() == 2);
  const TagImpact& frequent = report.tags().at("frequent");
  CHECK((frequent.now == 1 && frequent.then == 3 && frequent.come == 2 && frequent.go == 0));
  CHECK((frequent.entries == 3 && frequent.exits == 0));
  CHECK(frequent.coming[0].why.find("2, at least 2") != std::string::npos);
  CHECK(report.entries() == 3);
  CHECK(report.Json()["tags"]["frequent"]["entries"] == 3);
  CHECK(report.Text().find("go   entries     exits\n") != std::string::npos);
}

TEST_CASE("who is gone does not count, and what is no row is told", "[rules]") {
  const auto chain = ChainOf(OrdersMakeFrequent(3));
  RowState gone = chain->EmptyRow();
  gone.gone = true;
  std::string bytes;
  chain->Encode(7, gone, bytes);
  RuleImpact impact(*chain, *chain, absl::UTCTimeZone());
  CHECK(impact.Add("anna", bytes, At("2026-01-02")).ok());
  CHECK(impact.customers() == 0);
  CHECK(impact.Add("bert", "no row", At("2026-01-02")).code() == absl::StatusCode::kDataLoss);
}

}  // namespace
}  // namespace portrait
