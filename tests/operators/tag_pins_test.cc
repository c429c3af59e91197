// Tags that somebody pins: they count in place of the rules, and the rules decide again when the pin ends.
#include <catch2/catch_get_random_seed.hpp>
#include <catch2/catch_test_macros.hpp>
#include <random>
#include <set>
#include <string>

#include "operators/clean.h"
#include "tests/operators/tag_shop.h"

namespace portrait {
namespace {

Event Pin(std::string_view time, std::string_view tag, std::string_view until = "") {
  Event event = EventFor("anna", At(time));
  v1::TagPin& pin = *event.mutable_tag_pinned();
  pin.set_tag(std::string(tag));
  pin.set_author("kim");
  pin.set_reason("asked for it");
  if (!until.empty()) pin.set_until_us(ToMicros(At(until)));
  return event;
}

Event PinAbsent(std::string_view time, std::string_view tag) {
  Event event = Pin(time, tag);
  event.mutable_tag_pinned()->set_absent(true);
  return event;
}

Event Unpin(std::string_view time, std::string_view tag, std::string_view reason = "") {
  Event event = EventFor("anna", At(time));
  event.mutable_tag_unpinned()->set_tag(std::string(tag));
  event.mutable_tag_unpinned()->set_author("lou");
  event.mutable_tag_unpinned()->set_reason(std::string(reason));
  return event;
}

std::string Why(const OperatorHarness& shop, std::string_view tag) {
  const TagsOfChain tags(shop.chain());
  const RowState& row = *shop.Row("anna");
  const Moment moment = Calendar(absl::UTCTimeZone()).At(row.time);
  const auto standing =
      tags.op->Explain(tag, row.states.As<v1::state::Tags>(tags.slot), FeatureReader(row, moment), moment);
  if (!standing.ok()) return std::string(standing.status().message());
  return absl::StrCat(standing->has ? "has: " : "has not: ", standing->reasons.at(0).text());
}

TEST_CASE("a tag that is pinned comes at once, says who and why, and goes when it is unpinned", "[tags]") {
  OperatorHarness shop = Shop();
  shop.Send(OrderOf("2026-01-01", 100));
  Told(shop);
  shop.Send(Pin("2026-01-02", "high_spender"));
  const auto changes = shop.Results<v1::TagChange>();
  CHECK(Told(shop) == "2026-01-02 00:00:00 +high_spender (high_spender is PINNED by kim: asked for it)\n");
  CHECK(changes.at(0).info().cause().event_kind() == "tag_pinned");
  CHECK(Why(shop, "high_spender") == "has: high_spender is PINNED by kim: asked for it");
  shop.AdvanceTo("2026-01-20");
  shop.Send(OrderOf("2026-01-20", 10));
  CHECK(Told(shop).empty());
  shop.Send(Unpin("2026-01-21", "high_spender", "a mistake"));
  CHECK(Told(shop) ==
        "2026-01-21 00:00:00 -high_spender (high_spender is no longer PINNED, by lou: a mistake; Spend, less what was "
        "paid "
        "back, in the last 365 days: 110, less than 500)\n");
  CHECK(Why(shop, "high_spender").starts_with("has not: Spend"));
}

TEST_CASE("a tag that is pinned absent goes, does not come by its rule, and comes when the pin is taken away",
          "[tags]") {
  OperatorHarness shop = Shop();
  shop.Send(OrderOf("2026-01-01", 1000));
  Told(shop);
  shop.Send(PinAbsent("2026-01-02", "high_spender"));
  CHECK(Told(shop) == "2026-01-02 00:00:00 -high_spender (high_spender is PINNED absent by kim: asked for it)\n");
  shop.Send(OrderOf("2026-01-03", 1000));
  CHECK(Told(shop).empty());
  CHECK(Why(shop, "high_spender") == "has not: high_spender is PINNED absent by kim: asked for it");
  shop.Send(Unpin("2026-01-04", "high_spender"));
  CHECK(Told(shop).starts_with("2026-01-04 00:00:00 +high_spender (high_spender is no longer PINNED, by lou; "));
}

TEST_CASE("a pin ends at its time, though nothing happens, and at no time before", "[tags]") {
  OperatorHarness shop = Shop();
  shop.Send(OrderOf("2026-01-01", 100));
  shop.Send(Pin("2026-01-02", "frequent_buyer", "2026-01-05 12:00"));
  CHECK(Told(shop).find("+frequent_buyer (frequent_buyer is PINNED by kim until 2026-01-05 12:00:00: ") !=
        std::string::npos);
  shop.AdvanceTo("2026-01-05 11:59:59");
  CHECK(Told(shop).empty());
  shop.AdvanceTo("2026-01-06");
  CHECK(Told(shop).starts_with(
      "2026-01-05 12:00:00 -frequent_buyer (frequent_buyer is no longer PINNED: kim pinned it until 2026-01-05 "
      "12:00:00; "));
  shop.Send(Pin("2026-01-07", "frequent_buyer", "2026-01-06"));  // over before it came
  CHECK(Told(shop).empty());
}

// "until" keeps a tag that its rule gave; not one that only a pin brought.
TEST_CASE("what a pin kept stays by its rule, and what it brought has to earn its place", "[tags]") {
  OperatorHarness shop = Shop();
  for (const char* day : {"2026-01-01", "2026-01-02", "2026-01-03"}) shop.Send(OrderOf(day, 10));
  REQUIRE(Held(shop).find("frequent_buyer") != std::string::npos);
  shop.Send(Pin("2026-01-04", "frequent_buyer"));
  shop.Send(Unpin("2026-01-05", "frequent_buyer"));
  CHECK(Held(shop).find("frequent_buyer") != std::string::npos);

  OperatorHarness other = Shop();
  for (const char* day : {"2026-01-01", "2026-01-02"})
    other.Send(OrderOf(day, 10));  // enough to keep it, not to get it
  other.Send(Pin("2026-01-04", "frequent_buyer"));
  other.Send(Unpin("2026-01-05", "frequent_buyer"));
  CHECK(Held(other).find("frequent_buyer") == std::string::npos);
}

TEST_CASE("a customer has exactly one tag of a group, whatever is pinned", "[tags]") {
  OperatorHarness shop = Shop();
  shop.Send(View("2026-01-01"));
  Told(shop);
  shop.Send(Pin("2026-01-02", "lost"));
  CHECK(Told(shop) ==
        "2026-01-02 00:00:00 +lost (lost is PINNED by kim: asked for it)\n"
        "2026-01-02 00:00:00 -new (lost is PINNED by kim: asked for it)\n");
  shop.Send(Pin("2026-01-03", "silent"));  // the later one counts
  CHECK(Held(shop) == "silent(2026-01-03 00:00:00)");
  CHECK(Why(shop, "new") == "has not: silent is PINNED by kim: asked for it");
  shop.Send(Unpin("2026-01-04", "silent"));
  CHECK(Held(shop) == "lost(2026-01-04 00:00:00)");
  shop.Send(Unpin("2026-01-05", "lost"));
  CHECK(Held(shop) == "new(2026-01-05 00:00:00)");
  shop.Send(PinAbsent("2026-01-06", "new"));
  CHECK(Held(shop) == "active(2026-01-06 00:00:00)");
  shop.Send(PinAbsent("2026-01-07", "active"));  // nothing else is left
  CHECK(Held(shop) == "active(2026-01-06 00:00:00)");
  shop.AdvanceTo("2026-06-01");
  CHECK(Held(shop) == "silent(2026-03-02 00:00:00)");
}

TEST_CASE("the tag of an element is pinned by its name, whether the list has the element or not", "[tags]") {
  OperatorHarness shop = Shop();
  for (int i = 0; i < 5; ++i) shop.Send(View("2026-01-01", "shoes"));
  shop.Send(Pin("2026-01-02", "interest:hats"));
  shop.Send(PinAbsent("2026-01-02", "interest:shoes"));
  CHECK(Held(shop).starts_with("interest:hats("));
  CHECK(Held(shop).find("interest:shoes") == std::string::npos);
  shop.Send(View("2026-01-03", "shoes"));
  CHECK(Held(shop).find("interest:shoes") == std::string::npos);
  CHECK(Why(shop, "interest:hats") == "has: interest:hats is PINNED by kim: asked for it");
  Told(shop);
  shop.Send(Unpin("2026-01-04", "interest:hats"));
  CHECK(Told(shop) ==
        "2026-01-04 00:00:00 -interest:hats (interest:hats is no longer PINNED, by lou; hats is no longer among "
        "site.interests)\n");
  shop.Send(Unpin("2026-01-05", "interest:shoes"));
  CHECK(Held(shop).find("interest:shoes") != std::string::npos);
}

TEST_CASE("a pin stays when the rules change, and lies idle while no rule gives its tag", "[tags]") {
  OperatorHarness shop = Shop();
  shop.Send(OrderOf("2026-01-01", 10));
  shop.Send(Pin("2026-01-02", "high_spender"));
  std::vector<Rule> rules = ShopRules();
  std::erase_if(rules, [](const Rule& rule) { return rule.tag == "high_spender"; });
  const auto chain_of = [](const std::vector<Rule>& given) {
    return OperatorHarness(std::move(ChainBuilder().Add<Views>().Add<Purchases>().Add<Tags>(With(given))));
  };
  OperatorHarness without = chain_of(rules);
  without.Load("anna", shop.Stored("anna"));
  without.Send(View("2026-01-03"));
  CHECK(Told(without).find("-high_spender (there is no rule for this tag any more)\n") != std::string::npos);
  CHECK(Why(without, "high_spender").starts_with("no rule gives this tag"));
  rules.push_back({.tag = "high_spender", .when = "purchases.spend_365d >= 9000"});
  OperatorHarness again = chain_of(rules);
  again.Load("anna", without.Stored("anna"));
  again.Send(View("2026-01-04"));
  CHECK(Told(again).find("+high_spender (high_spender is PINNED by kim: asked for it)\n") != std::string::npos);
}

TEST_CASE("a pin that comes with other rules is judged by them as a whole", "[tags]") {
  OperatorHarness shop = Shop();
  shop.Send(OrderOf("2026-01-01", 10));
  std::vector<Rule> rules = ShopRules();
  rules.push_back({.tag = "ordered", .when = "purchases.orders >= 1"});
  OperatorHarness other(std::move(ChainBuilder().Add<Views>().Add<Purchases>().Add<Tags>(With(rules))));
  other.Load("anna", shop.Stored("anna"));
  other.Send(Pin("2026-01-02", "high_spender"));
  CHECK(Held(other).find("ordered(") != std::string::npos);
  CHECK(Held(other).find("high_spender(") != std::string::npos);
}

TEST_CASE("erasure takes the pins with it", "[tags]") {
  OperatorHarness shop = Shop();
  shop.Send(OrderOf("2026-01-01", 10));
  shop.Send(Pin("2026-01-02", "high_spender", "2026-03-01"));
  Event erasure = EventFor("anna", At("2026-01-03"));
  erasure.mutable_customer_erased();
  shop.Send(erasure);
  CHECK(Told(shop).find("-high_spender (the customer is erased)\n") != std::string::npos);
  CHECK(shop.RowBytes("anna") < 10);
  shop.Send(OrderOf("2026-01-04", 10));
  CHECK(Held(shop).find("high_spender") == std::string::npos);
}

TEST_CASE("a pin is no activity of the customer's, and a row has room for so many", "[tags]") {
  OperatorHarness shop = Shop();
  shop.Send(View("2026-01-01"));
  shop.AdvanceTo("2026-04-01");
  const std::string returned = shop.Feature("anna", "tags.returned");  // never
  for (int i = 0; i < rules::kMostPins + 10; ++i) shop.Send(Pin("2026-04-01", absl::StrCat("interest:c", i)));
  CHECK(shop.Feature("anna", "tags.last_activity") == "2026-01-01 00:00:00");
  CHECK(shop.Feature("anna", "tags.returned") == returned);
  const TagsOfChain tags(shop.chain());
  CHECK(shop.Row("anna")->states.As<v1::state::Tags>(tags.slot).pins_size() == rules::kMostPins);
  CHECK(Held(shop).find("interest:c31(") != std::string::npos);
  CHECK(Held(shop).find("interest:c32(") == std::string::npos);
}

TEST_CASE("a pin that does not say who, what and why is set aside", "[tags]") {
  const Clean clean;
  const auto refused = [&](Event event) {
    const auto rejection = clean.Check(event, {At("2026-01-02")});
    return rejection ? absl::StrCat(rejection->code, ": ", rejection->text) : std::string();
  };
  CHECK(refused(Pin("2026-01-02", "silent")).empty());
  CHECK(refused(Unpin("2026-01-02", "silent")).empty());
  CHECK(refused(Pin("2026-01-02", "")) == "missing_field: a pin must say of which tag: tag");
  CHECK(refused(Pin("2026-01-02", std::string(300, 'x'))).starts_with("id_too_long: "));
  Event event = Pin("2026-01-02", "silent");
  event.mutable_tag_pinned()->clear_author();
  CHECK(refused(event) == "missing_field: a pin must say who decided: author");
  event = Pin("2026-01-02", "silent");
  event.mutable_tag_pinned()->clear_reason();
  CHECK(refused(event) == "missing_field: a pin must say why: reason");
  event = Pin("2026-01-02", "silent");
  event.mutable_tag_pinned()->set_until_us(INT64_MAX);
  CHECK(refused(event).starts_with("bad_time: until is no time"));
}

// Against a model that knows nothing of units, timers and changes: who is pinned has what the pins say; all else is as
// a shop without pins.
TEST_CASE("with random pins, pinned tags are as pinned and the others as without", "[tags]") {
  std::mt19937 random(Catch::getSeed());
  INFO("replay with --rng-seed " << Catch::getSeed());
  const auto below = [&](uint32_t n) { return random() % n; };
  std::vector<Rule> rules = ShopRules();
  for (Rule& rule : rules) rule.until = "";  // what a tag was before must not matter
  const std::vector<std::string> tags = {"lost",           "silent",       "new",          "active",
                                         "frequent_buyer", "high_spender", "interest:hats"};
  const std::set<std::string> group = {"lost", "silent", "new", "active"};
  struct Pinned {
    bool absent;
    Timestamp until;
    int number;
  };
  for (int life = 0; life < 40; ++life) {
    OperatorHarness shop(std::move(ChainBuilder().Add<Views>().Add<Purchases>().Add<Tags>(With(rules))));
    OperatorHarness plain(std::move(ChainBuilder().Add<Views>().Add<Purchases>().Add<Tags>(With(rules))));
    std::map<std::string, Pinned> pins;
    Timestamp now = At("2026-01-01");
    const auto has = [](const OperatorHarness& of, const std::string& tag) {
      return (" " + Held(of)).find(" " + tag + "(") != std::string::npos;
    };
    for (int i = 0; i < 60; ++i) {
      now += hours(1 + below(below(4) == 0 ? 800 : 40));
      shop.AdvanceTo(now), plain.AdvanceTo(now);
      std::erase_if(pins, [&](const auto& pin) { return pin.second.until <= now; });
      Event event = EventFor("anna", now);
      const std::string& tag = tags[below(static_cast<uint32_t>(tags.size()))];
      switch (i == 0 ? 0 : below(4)) {
        case 0: event.mutable_product_viewed()->mutable_product()->set_category("hats"); break;
        case 1:
          event.mutable_order_completed()->set_order_id(event.event_id());
          event.mutable_order_completed()->set_total_micros((1 + below(300)) * int64_t{1'000'000});
          break;
        case 2: {
          const bool forever = below(2) == 0;
          v1::TagPin& pin = *event.mutable_tag_pinned();
          pin.set_tag(tag);
          pin.set_author("kim");
          pin.set_reason("so");
          pin.set_absent(below(2) == 0);
          const Timestamp until = now + hours(1 + below(500));
          if (!forever) pin.set_until_us(ToMicros(until));
          // One that says the same stays where it was in the order.
          const auto old = pins.find(tag);
          const int number = old != pins.end() && old->second.absent == pin.absent() ? old->second.number : i;
          pins[tag] = {pin.absent(), forever ? Timestamp::max() : until, number};
          break;
        }
        default:
          event.mutable_tag_unpinned()->set_tag(tag);
          event.mutable_tag_unpinned()->set_author("lou");
          pins.erase(tag);
      }
      shop.Send(event);
      if (!event.has_tag_pinned() && !event.has_tag_unpinned()) plain.Send(event);
      INFO("life " << life << " step " << i << ": " << event.ShortDebugString() << "\nheld " << Held(shop) << "\nplain "
                   << Held(plain));
      int of_group = 0;
      std::string latest;
      for (const auto& [name, pin] : pins) {
        if (group.contains(name) && !pin.absent && (latest.empty() || pin.number > pins.at(latest).number))
          latest = name;
      }
      for (const std::string& name : tags) {
        const auto pin = pins.find(name);
        if (group.contains(name)) {
          of_group += has(shop, name);
          if (!latest.empty()) REQUIRE(has(shop, name) == (name == latest));
          if (has(shop, name) && pin != pins.end() && pin->second.absent) REQUIRE(name == "active");
          const bool no_pins =
              std::none_of(pins.begin(), pins.end(), [&](const auto& p) { return group.contains(p.first); });
          if (no_pins) REQUIRE(has(shop, name) == has(plain, name));
        } else {
          REQUIRE(has(shop, name) == (pin != pins.end() ? !pin->second.absent : has(plain, name)));
        }
      }
      REQUIRE(of_group == 1);
    }
  }
}

}  // namespace
}  // namespace portrait
