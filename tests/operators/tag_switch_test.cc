// Other rules come into force while a customer is silent: the row is asked, and changes only where they differ.
#include <catch2/catch_test_macros.hpp>
#include <memory>
#include <string>
#include <vector>

#include "tests/operators/tag_shop.h"

namespace portrait {
namespace {

struct Sink final : OutputSink {
  void Add(size_t, std::string_view, const google::protobuf::Message& result) override {
    if (result.GetDescriptor() == v1::TagChange::descriptor()) {
      changes.push_back(static_cast<const v1::TagChange&>(result));
    }
  }
  std::vector<v1::TagChange> changes;
};

// A chain with other rules takes over a row of the shop.
struct Successor {
  explicit Successor(std::vector<Rule> rules)
      : chain(std::move(ChainBuilder().Add<Views>().Add<Purchases>().Add<Tags>(With(std::move(rules))))
                  .Build("v")
                  .value()) {}

  void TakeOver(const OperatorHarness& shop) {
    REQUIRE(chain->Decode(shop.Stored("anna"), row).ok());
    stored = shop.Stored("anna");
  }
  bool Sweep(std::string_view at) {
    if (!chain->Reconsiders(At(at), "anna", row, calendar)) return false;
    chain->Switch({"v2", 7}, At(at), "anna", row, calendar, sink);
    return true;
  }
  std::string Told() {
    std::string out;
    for (const auto& change : sink.changes) absl::StrAppend(&out, change.after() ? "+" : "-", change.tag(), " ");
    return out;
  }

  std::unique_ptr<Chain> chain;
  Calendar calendar{absl::UTCTimeZone()};
  RowState row;
  std::string stored;
  Sink sink;
};

TEST_CASE("a tag that only the new rules give comes by a sweep, and says so", "[tags]") {
  OperatorHarness shop = Shop();
  shop.Send(OrderOf("2026-01-01", 300));
  std::vector<Rule> rules = ShopRules();
  rules.push_back({.tag = "spender", .about = "Spent 200", .when = "purchases.spend_365d >= 200"});
  Successor successor(rules);
  successor.TakeOver(shop);
  REQUIRE(successor.Sweep("2026-01-15"));
  CHECK(successor.Told() == "+spender ");
  const v1::ResultInfo& info = successor.sink.changes[0].info();
  CHECK(info.origin() == v1::SWEEP);
  CHECK(info.cause().rules() == "v2");
  CHECK(info.cause().timer().empty());
  CHECK(FromMicros(info.event_time_us()) == At("2026-01-15"));
  CHECK(info.reasons(0).feature() == "purchases.spend_365d");
  CHECK_FALSE(successor.Sweep("2026-01-15"));  // these rules have judged it
}

TEST_CASE("members of a rule that is gone or narrowed leave by a sweep", "[tags]") {
  OperatorHarness shop = Shop();
  for (const char* day : {"2026-01-01", "2026-01-02", "2026-01-03"}) shop.Send(OrderOf(day, 200));
  REQUIRE(Held(shop).find("frequent_buyer") != std::string::npos);
  std::vector<Rule> rules = ShopRules();
  std::erase_if(rules, [](const Rule& rule) { return rule.tag == "frequent_buyer"; });
  for (Rule& rule : rules) {
    if (rule.tag == "high_spender") rule.when = "purchases.spend_365d >= 5000", rule.until = "";
  }
  Successor successor(rules);
  successor.TakeOver(shop);
  REQUIRE(successor.Sweep("2026-01-15"));
  CHECK(successor.Told() == "-frequent_buyer -high_spender ");
}

TEST_CASE("a row for which new rules change nothing stays as it is stored", "[tags]") {
  OperatorHarness shop = Shop();
  shop.Send(OrderOf("2026-01-01", 300));
  std::vector<Rule> rules = ShopRules();
  rules.push_back({.tag = "spender", .when = "purchases.spend_365d >= 2000"});
  Successor successor(rules);
  successor.TakeOver(shop);
  CHECK_FALSE(successor.Sweep("2026-01-15"));
  std::string bytes;
  successor.chain->Encode(1, successor.row, bytes);
  v1::Row now, before;
  REQUIRE(now.ParseFromString(bytes));
  REQUIRE(before.ParseFromString(successor.stored));
  before.set_number(1);
  CHECK(now.SerializeAsString() == before.SerializeAsString());
  CHECK(successor.sink.changes.empty());
}

TEST_CASE("new rules that time will decide earlier set the timer by a sweep", "[tags]") {
  OperatorHarness shop = Shop();
  shop.Send(OrderOf("2026-01-01 10:00", 300));
  std::vector<Rule> rules = ShopRules();
  rules.push_back({.tag = "quiet", .when = "now - purchases.last > days(14)"});
  Successor successor(rules);
  successor.TakeOver(shop);
  REQUIRE(successor.Sweep("2026-01-08"));
  CHECK(successor.Told() == "");
  REQUIRE(successor.chain->FireTimers(At("2026-01-20"), "anna", successor.row, successor.calendar, successor.sink) > 0);
  CHECK(successor.Told() == "+quiet ");
  CHECK(FromMicros(successor.sink.changes[0].info().event_time_us()) == At("2026-01-15 10:00") + Duration(1));
}

}  // namespace
}  // namespace portrait
