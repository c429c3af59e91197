// Rules in the shadow: judged like those in force, without anybody noticing, until they are promoted.
#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "tests/operators/tag_shop.h"

namespace portrait {
namespace {

const std::vector<Rule> kRules = [] {
  std::vector<Rule> rules = ShopRules();
  rules.push_back({.tag = "reader", .when = "count(page_viewed, '7d') >= 3"});
  return rules;
}();

// Others of every kind: narrower, gone, new, with an end of their own, with a window that both have and two that only
// these have, on silence, and of each element of a list.
const std::vector<Rule> kOthers = [] {
  std::vector<Rule> rules = kLifeCycle;
  rules[1].when = "tags.days_since_activity >= 20";
  rules.push_back({.tag = "frequent_buyer", .when = "purchases.orders_90d >= 2", .until = "purchases.orders_90d < 1"});
  rules.push_back({.tag = "high_spender",
                   .when = "purchases.spend_365d >= 700 && purchases.orders_30d >= 1",
                   .until = "purchases.orders_30d == 0 && now - since > days(40)"});
  rules.push_back({.tag = "interest", .when = "item.views_30d >= 3", .each = "site.interests"});
  rules.push_back({.tag = "reader", .when = "count(page_viewed, '7d') >= 2"});
  rules.push_back({.tag = "buyer", .when = "sum(order_completed.total, '30d') > 100.0"});
  rules.push_back({.tag = "quiet", .when = "now - last(page_viewed) > hours(30)"});
  return rules;
}();

std::unique_ptr<Chain> ChainOf(std::vector<Rule> rules, std::vector<Rule> shadow = {}, uint64_t begun = 1) {
  TagsOptions options = With(std::move(rules));
  if (!shadow.empty()) {
    options.shadow = With(std::move(shadow)).rules;
    options.shadow_begun = begun;
  }
  return std::move(ChainBuilder().Add<Views>().Add<Purchases>().Add<Tags>(std::move(options))).Build("v").value();
}

// One customer's row under chains that change, stored and loaded after every step.
struct Customer final : OutputSink {
  explicit Customer(const Chain& its_chain) : chain(&its_chain), row(its_chain.EmptyRow()) {}

  void Add(size_t, std::string_view, const google::protobuf::Message& result) override {
    if (result.GetDescriptor() == v1::TagChange::descriptor()) {
      changes.push_back(static_cast<const v1::TagChange&>(result));
    }
  }
  void AddShadow(std::string_view tag, bool comes) override {
    absl::StrAppend(&shadow_told, comes ? "+" : "-", std::string(tag), " ");
  }
  void Send(const Event& event, bool late = false) {
    chain->OnEvent(event, {"events", 0, 0}, late, "anna", row, calendar, *this);
    StoreAndLoad();
  }
  void AdvanceTo(Timestamp time) {
    chain->FireTimers(time, "anna", row, calendar, *this);
    StoreAndLoad();
  }
  // Other rules, and the sweep for their sake. False: nothing changes, so nothing is written.
  bool GoOver(const Chain& to, Timestamp at) {
    chain = &to;
    AdvanceTo(at);
    const std::string before = stored;
    const bool changes_row = chain->Reconsiders(at, "anna", row, calendar);
    if (changes_row) chain->Switch({"v2", 7}, at, "anna", row, calendar, *this);
    StoreAndLoad();
    CHECK((changes_row || stored == before));
    return changes_row;
  }
  void StoreAndLoad() {
    chain->Encode(1, row, stored);
    row = chain->EmptyRow();
    REQUIRE(chain->Decode(stored, row).ok());
  }
  const v1::state::Tags& state() const { return row.states.As<v1::state::Tags>(row.states.size() - 1); }
  static std::string Names(const google::protobuf::RepeatedPtrField<v1::state::HeldTag>& held) {
    return absl::StrJoin(held, " ", [](std::string* out, const auto& tag) {
      absl::StrAppend(out, tag.name(), "@", tag.since_us() / 1'000'000);
    });
  }
  std::string Held() const { return Names(state().held()); }
  static std::string TagsOf(const google::protobuf::RepeatedPtrField<v1::state::HeldTag>& held) {
    return absl::StrJoin(held, " ", [](std::string* out, const auto& tag) { out->append(tag.name()); });
  }
  std::string Tags() const { return TagsOf(state().held()); }
  std::string WouldHaveTags() const { return state().has_shadow() ? TagsOf(state().shadow().held()) : Tags(); }
  // What the row knows. Its own time, which nothing in the shadow moves, is left out, and the timer, which may be set
  // earlier than need be: activity does not move it.
  std::string States() const {
    v1::Row parsed;
    REQUIRE(parsed.ParseFromString(stored));
    parsed.clear_time_us();
    parsed.clear_next_timer_us();
    for (auto& op : *parsed.mutable_operators()) op.clear_timers();
    return parsed.DebugString();
  }
  std::string WouldHold() const { return state().has_shadow() ? Names(state().shadow().held()) : Held(); }
  std::string Told() {
    std::string out;
    for (const auto& change : changes) absl::StrAppend(&out, change.after() ? "+" : "-", change.tag(), " ");
    changes.clear();
    return out;
  }

  const Chain* chain;
  Calendar calendar{absl::UTCTimeZone()};
  RowState row;
  std::string stored;
  std::vector<v1::TagChange> changes;
  std::string shadow_told;
};

Event PageAt(Timestamp time) {
  Event event = EventFor("anna", time);
  event.mutable_page_viewed()->set_category("shoes");
  return event;
}

// A step of a life of some months, the same for whoever has the same generator.
class Life {
 public:
  explicit Life(uint32_t seed) : random_(seed) {}

  struct Step {
    std::optional<Event> event;  // none: time passes
    Timestamp time;
    bool late = false;
  };
  Step Next(bool with_late) {
    now_ += minutes(Pick(4) == 0 ? Pick(25 * 24 * 60) : Pick(36 * 60));
    const bool late = with_late && Pick(4) == 0;
    const Timestamp time = late ? now_ - minutes(Pick(20 * 24 * 60)) : now_;
    if (Pick(5) == 0) return {std::nullopt, now_};
    return {EventAt(time), now_, late};
  }

 private:
  int Pick(int n) { return std::uniform_int_distribution<int>(0, n - 1)(random_); }
  Event EventAt(Timestamp time) {
    const std::string at = ToText(time).substr(0, 19);
    const std::string id = absl::StrCat("e", ++events_);
    Event event = PageAt(time);
    const int kind = Pick(10);
    if (kind < 2) event = OrderOf(at, 20 + Pick(300));
    if (kind == 2 || kind == 3) event = View(at, Pick(2) == 0 ? "shoes" : "hats");
    if (kind == 4) event = Mail(at);
    if (kind == 5) {
      event.mutable_tag_pinned()->set_tag(Pick(2) == 0 ? "reader" : "silent");
      event.mutable_tag_pinned()->set_absent(Pick(2) == 0);
      event.mutable_tag_pinned()->set_until_us(ToMicros(time + hours(24 * Pick(9))));
    }
    event.set_event_id(id);
    return event;
  }

  std::mt19937 random_;
  Timestamp now_ = At("2026-01-01");
  int events_ = 0;
};

void Take(const Life::Step& step, Customer& customer) {
  if (step.event) {
    customer.Send(*step.event, step.late);
  } else {
    customer.AdvanceTo(step.time);
  }
}

TEST_CASE("nobody notices rules in the shadow: results and rows are what they are without", "[tags]") {
  const auto plain = ChainOf(kRules), shadowed = ChainOf(kRules, kOthers), again = ChainOf(kRules, kOthers, 9);
  for (uint32_t seed = 1; seed <= 150; ++seed) {
    Life life(seed);
    Customer without(*plain), with(*plain);
    bool begun = false;
    for (int n = 0; n < 60; ++n) {
      const Life::Step step = life.Next(/*with_late=*/true);
      if (n == 10 || n == 30) {
        without.GoOver(*plain, step.time);
        with.GoOver(n == 10 ? *shadowed : *again, step.time);
      }
      Take(step, without);
      Take(step, with);
      begun = begun || with.state().has_shadow();
      INFO("seed " << seed << " step " << n);
      REQUIRE(with.Held() == without.Held());
      REQUIRE(with.changes.size() == without.changes.size());
      for (size_t i = 0; i < with.changes.size(); ++i) {
        REQUIRE(with.changes[i].SerializeAsString() == without.changes[i].SerializeAsString());
      }
    }
    REQUIRE(begun);
    with.GoOver(*plain, At("2026-01-01"));
    without.GoOver(*plain, At("2026-01-01"));
    REQUIRE(with.stored == without.stored);  // and leaves no trace when it ends
  }
}

TEST_CASE("rules in the shadow decide as if they were in force, and are so, with all they know, once promoted",
          "[tags]") {
  const auto shadowed = ChainOf(kRules, kOthers), others = ChainOf(kOthers);
  int told = 0;
  for (uint32_t seed = 1; seed <= 150; ++seed) {
    Life life(seed);
    Customer in_force(*others), promoted(*shadowed);
    for (int n = 0; n < 60; ++n) {
      INFO("seed " << seed << " step " << n);
      const Life::Step step = life.Next(/*with_late=*/false);
      if (n == 40) {
        in_force.GoOver(*others, step.time);
        const std::string tags_before = promoted.Tags();
        promoted.changes.clear();
        promoted.GoOver(*others, step.time);
        told += static_cast<int>(promoted.changes.size());
        for (const v1::TagChange& change : promoted.changes) CHECK(change.info().reasons_size() > 0);
        CHECK(promoted.changes.empty() == (tags_before == promoted.Tags()));
        REQUIRE(promoted.States() == in_force.States());
        promoted.changes.clear();
        in_force.changes.clear();
      }
      Take(step, in_force);
      Take(step, promoted);
      if (n < 40) REQUIRE(promoted.WouldHold() == in_force.Held());
      if (n < 40) continue;
      REQUIRE(promoted.States() == in_force.States());
      REQUIRE(promoted.Told() == in_force.Told());
    }
  }
  CHECK(told > 100);
}

// Moments of the shadow's own lie ahead of the row's time then. Without `until`, which remembers the order of things.
TEST_CASE("rules in the shadow come to the same tags after events that come late", "[tags]") {
  std::vector<Rule> others = kOthers;
  for (Rule& rule : others) rule.until.clear();
  const auto shadowed = ChainOf(kRules, others), alone = ChainOf(others);
  for (uint32_t seed = 1; seed <= 200; ++seed) {
    Life life(seed);
    Customer in_force(*alone), shadow(*shadowed);
    for (int n = 0; n < 60; ++n) {
      const Life::Step step = life.Next(/*with_late=*/true);
      for (Customer* customer : {&in_force, &shadow}) {
        Take(step, *customer);
        customer->AdvanceTo(step.time);
      }
      INFO("seed " << seed << " step " << n);
      REQUIRE(shadow.WouldHaveTags() == in_force.Tags());
    }
  }
}

TEST_CASE("a shadow begins with the tags that are held, and counts what it would have told", "[tags]") {
  const auto plain = ChainOf({{.tag = "buyer", .when = "purchases.orders >= 1"}, {.tag = "old", .when = "true"}});
  const auto shadowed = ChainOf({{.tag = "buyer", .when = "purchases.orders >= 1"}, {.tag = "old", .when = "true"}},
                                {{.tag = "buyer", .when = "purchases.orders >= 3", .until = "purchases.orders >= 5"},
                                 {.tag = "interest", .when = "item.views_30d >= 1", .each = "site.interests"}});
  Customer anna(*plain);
  anna.Send(OrderOf("2026-01-01", 10));
  CHECK(anna.Told() == "+buyer +old ");
  REQUIRE(anna.GoOver(*shadowed, At("2026-01-02")));
  CHECK(anna.Told().empty());
  CHECK(anna.shadow_told == "-old ");
  CHECK(anna.state().shadow().held(0).since_us() == ToMicros(At("2026-01-01")));
  CHECK(anna.row.time == At("2026-01-01"));  // the sweep is no step of the customer's
  anna.Send(View("2026-01-03", "shoes"));
  anna.Send(View("2026-01-03", "hats"));
  for (int n = 0; n < 4; ++n) anna.Send(OrderOf("2026-01-04", 10));
  CHECK(anna.Told().empty());
  CHECK(anna.shadow_told == "-old +interest:* +interest:* -buyer ");
  const auto& counts = anna.state().shadow().counts();
  REQUIRE(counts.size() == 3);
  CHECK((counts[0].tag() == "buyer" && counts[0].entries() == 0 && counts[0].exits() == 1));
  CHECK((counts[1].tag() == "interest:*" && counts[1].entries() == 2 && counts[1].exits() == 0));
  CHECK((counts[2].tag() == "old" && counts[2].exits() == 1));
}

TEST_CASE("a row for which the shadow would change nothing stays as it is stored", "[tags]") {
  const auto plain = ChainOf({{.tag = "buyer", .when = "purchases.orders >= 1"}});
  const auto shadowed = ChainOf(
      {{.tag = "buyer", .when = "purchases.orders >= 1"}},
      {{.tag = "buyer", .when = "purchases.orders >= 1"}, {.tag = "frequent", .when = "purchases.orders >= 5"}});
  Customer anna(*plain);
  anna.Send(OrderOf("2026-01-01", 10));
  CHECK_FALSE(anna.GoOver(*shadowed, At("2026-01-02")));
  CHECK_FALSE(anna.state().has_shadow());
}

TEST_CASE("a shadow that comes again begins anew, and its silence is told by a timer of its own", "[tags]") {
  const std::vector<Rule> rules = {{.tag = "known", .when = "true"}};
  const std::vector<Rule> silent = {{.tag = "known", .when = "true"},
                                    {.tag = "quiet", .when = "now - tags.last_activity > days(5)"}};
  const auto plain = ChainOf(rules), first = ChainOf(rules, silent, 3), second = ChainOf(rules, silent, 8);
  Customer anna(*plain);
  anna.Send(PageAt(At("2026-01-01")));
  REQUIRE(anna.GoOver(*first, At("2026-01-02")));
  anna.AdvanceTo(At("2026-01-20"));
  CHECK(anna.shadow_told == "+quiet ");
  CHECK(anna.WouldHold() != anna.Held());
  CHECK(anna.row.time == At("2026-01-01"));
  REQUIRE(anna.GoOver(*second, At("2026-01-20")));
  CHECK(anna.shadow_told == "+quiet +quiet ");
  CHECK(anna.state().shadow().begun() == 8);
  CHECK(anna.state().shadow().counts(0).entries() == 1);
  REQUIRE(anna.GoOver(*plain, At("2026-01-21")));
  CHECK_FALSE(anna.state().has_shadow());
  CHECK(anna.row.timers.empty());
  CHECK(anna.Told() == "+known ");
}

TEST_CASE("rules that are no good in the shadow are told as such", "[tags]") {
  TagsOptions options = With({});
  options.shadow = With({{.tag = "x", .when = "purchases.ordres > 1"}}).rules;
  const auto chain = std::move(ChainBuilder().Add<Purchases>().Add<Tags>(std::move(options))).Build("v");
  CHECK(chain.status().message().find("operator tags: in the shadow: rule x: when:") == 0);
}

}  // namespace
}  // namespace portrait
