// Models in the shadow: what they would do is what they do in force, and nobody notices them.
#include <catch2/catch_test_macros.hpp>
#include <cmath>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "operators/tags.h"
#include "tests/operators/churn_shop.h"

namespace portrait {
namespace {

constexpr uint64_t kBegun = 5;

FittedModels Others() {
  FittedModels models = WithLearned(0.4, {{"purchases.last", 3, 1, 0.6}, {"purchases.occasions", 1, 1, -0.8}});
  models.rhythm.log_mean = 2.5;
  models.rhythm.mean_weight = 20;
  return models;
}

// Other population models, whose probability only rises while a customer is silent.
FittedModels Patient() {
  FittedModels models;
  models.name = "patient";
  models.rhythm.log_mean = 4.5;
  models.rhythm.mean_weight = 20;
  MbgNbdParameters orders;
  orders.b *= 2;
  models.orders = OrderModel(orders);
  return models;
}

// A chain by these models, with others in its shadow from the control position `begun` on; 0: with nothing there.
std::unique_ptr<Chain> ChainBy(const FittedModels& models, const FittedModels& shadow, uint64_t begun,
                               ChurnOptions churn = {}) {
  ChainBuilder builder;
  builder.Add<Site>().Add<Email>().Add<Service>().Add<Purchases>().Add<Predictions>(
      PredictionsOptions{.models = models});
  churn.rhythm = models.rhythm;
  churn.models_begun = models.begun;
  std::unique_ptr<Churn> beside;
  std::optional<FittedModels> of_examples;
  if (begun != 0) {
    ChurnOptions other = churn;
    other.rhythm = shadow.rhythm;
    other.models_begun = begun;
    beside = std::make_unique<Churn>(other, MakeChurnModel(shadow));
    of_examples = shadow;
  }
  builder.Add<Churn>(churn, MakeChurnModel(models), std::move(beside));
  builder.Add<ChurnExamples>(ChurnExamplesOptions{.every_days = 30, .home_currency = "EUR"}, models, of_examples);
  const std::vector<rules::Rule> rules = {{.tag = "in_danger", .when = "churn.probability >= 0.8"},
                                          {.tag = "leaving", .when = "churn.at_risk"},
                                          {.tag = "quiet", .when = "now - tags.last_activity > days(20)"}};
  builder.Add<Tags>(TagsOptions{.rules = [rules](const FeatureRegistry&) { return rules; }});
  return std::move(builder).Build("v").value();
}

// One customer's row under chains that change, stored and loaded after every step.
struct Customer final : OutputSink {
  explicit Customer(const Chain& its_chain) : chain(&its_chain), row(its_chain.EmptyRow()) {}

  void Add(size_t output, std::string_view, const google::protobuf::Message& result) override {
    if (result.GetDescriptor() == v1::ChurnAlert::descriptor()) {
      const auto& alert = static_cast<const v1::ChurnAlert&>(result);
      opened += alert.phase() == v1::ChurnAlert::OPENED ? 1 : 0;
      worsened += alert.phase() == v1::ChurnAlert::WORSENED ? 1 : 0;
    }
    if (result.GetDescriptor() == v1::ChurnExample::descriptor()) {
      v1::ChurnExample example = static_cast<const v1::ChurnExample&>(result);
      examples.push_back(example);
      example.clear_shadow_model(), example.clear_shadow_probability();
      absl::StrAppend(&told, output, " ", example.ShortDebugString(), "\n");
    } else {
      absl::StrAppend(&told, output, " ", result.ShortDebugString(), "\n");
    }
  }
  void AddShadowJudgement(const ShadowJudgement& said) override { judged.push_back(said); }
  void AddShadowAlert(AlertBy by, v1::ChurnAlert::Phase phase) override {
    const bool opens = phase == v1::ChurnAlert::OPENED;
    if (by == AlertBy::kModelsInForce) {
      ++(opens ? counted_opened : counted_worsened);
    } else {
      ++(opens ? shadow_opened : shadow_worsened);
    }
  }
  void Send(const Event& event, bool late = false) {
    chain->OnEvent(event, {"events", 0, 0}, late, event.customer_id(), row, calendar, *this);
    StoreAndLoad();
  }
  void AdvanceTo(Timestamp time) {
    chain->FireTimers(time, "c0", row, calendar, *this);
    StoreAndLoad();
  }
  bool GoOver(const Chain& to, Timestamp at, uint64_t position) {
    chain = &to;
    AdvanceTo(at);
    const std::string before = stored;
    const bool changes = chain->Reconsiders(at, "c0", row, calendar);
    if (changes) chain->Switch({"v2", position}, at, "c0", row, calendar, *this);
    StoreAndLoad();
    CHECK((changes || stored == before));
    return changes;
  }
  void StoreAndLoad() {
    chain->Encode(1, row, stored);
    row = chain->EmptyRow();
    REQUIRE(chain->Decode(stored, row).ok());
  }
  const v1::state::Churn& state() const { return row.states.As<v1::state::Churn>(6); }

  const Chain* chain;
  RowState row;
  Calendar calendar;
  std::string stored, told;
  std::vector<v1::ChurnExample> examples;
  std::vector<ShadowJudgement> judged;
  int opened = 0, worsened = 0;                  // that went out
  int counted_opened = 0, counted_worsened = 0;  // of those in force, as they were counted
  int shadow_opened = 0, shadow_worsened = 0;    // of those in the shadow
};

// One customer over three years, in order of time.
std::vector<Event> Life(uint32_t seed, bool with_visits) {
  std::mt19937 random(seed);
  const auto uniform = [&](double from, double to) { return std::uniform_real_distribution<>(from, to)(random); };
  const double pause = uniform(4, 90);
  std::vector<Event> events;
  int made = 0;
  for (double day = uniform(0, 5); day < 1000; day += uniform(0, pause)) {
    const double kind = uniform(0, 10);
    if (kind < 4) {
      events.push_back(ShopOrder("c0", day, 10 + static_cast<int64_t>(uniform(0, 200))));
    } else if (kind < 5) {
      events.push_back(ShopComplaint("c0", day, absl::StrCat("t", ++made)));
    } else if (kind < 6) {
      events.push_back(ShopResolution("c0", day, absl::StrCat("t", made)));
    } else if (with_visits) {
      for (int visit = 0; visit < 20; ++visit) events.push_back(ShopView("c0", day + visit));
      day += 20;
    }
  }
  return events;
}

ChurnOptions WithoutContacts() {
  ChurnOptions churn;
  churn.usual_contact_days = 1e9;  // never as many: a look more changes nothing
  return churn;
}

ChurnOptions WithProfit() {
  ChurnOptions churn = WithoutContacts();
  churn.profit.cost = 1;
  churn.profit.success = 0.1;
  churn.profit.margin = 0.3;
  churn.profit.medium = 0.5;
  churn.profit.high = 2;
  return churn;
}

TEST_CASE("models in the shadow would raise the alerts that they raise in force, at the same steps",
          "[models][shadow]") {
  int shadow = 0, in_force = 0, differing = 0;
  for (const ChurnOptions& churn : {WithoutContacts(), WithProfit()}) {
    const auto beside = ChainBy({}, Patient(), kBegun, churn), alone = ChainBy(Patient(), {}, 0, churn);
    for (uint32_t seed = 1; seed <= 60; ++seed) {
      Customer both(*beside), one(*alone);
      const auto same = [&] {
        CHECK(both.shadow_opened == one.opened);
        CHECK(both.shadow_worsened == one.worsened);
        CHECK(both.counted_opened == both.opened);
        CHECK(both.counted_worsened == both.worsened);
        CHECK((both.state().shadow().causes() != 0) == !one.state().episode_id().empty());
      };
      for (const Event& event : Life(seed, false)) {
        both.Send(event), one.Send(event);
        same();
      }
      for (int day = 1000; day < 1400; day += 7) {
        both.AdvanceTo(ShopDay(day)), one.AdvanceTo(ShopDay(day));
        same();
      }
      if (both.state().last_order_us() != 0) {
        CHECK(both.state().shadow().alerts() == static_cast<uint32_t>(one.opened + one.worsened));
        CHECK(both.state().shadow().told() == static_cast<uint32_t>(both.opened + both.worsened));
      }
      shadow += one.opened + one.worsened, in_force += both.opened + both.worsened;
      differing += one.opened + one.worsened != both.opened + both.worsened ? 1 : 0;
    }
  }
  CAPTURE(shadow, in_force);
  CHECK((shadow > 200 && in_force > 200 && differing > 20));
}

TEST_CASE("results and rows are the same with models in the shadow as without, and nothing of them stays behind",
          "[models][shadow]") {
  const auto plain = ChainBy({}, {}, 0), shadowed = ChainBy({}, Others(), kBegun),
             again = ChainBy({}, Patient(), kBegun + 2);
  int judged = 0;
  for (uint32_t seed = 1; seed <= 60; ++seed) {
    std::mt19937 random(seed);
    Customer with(*plain), without(*plain);
    const std::vector<Event> events = Life(seed, true);
    const Timestamp first_switch = ShopDay(100 + static_cast<double>(random() % 400));
    size_t switches = 0;
    const std::vector<const Chain*> chains = {shadowed.get(), again.get(), plain.get()};
    for (size_t i = 0; i < events.size(); ++i) {
      const Timestamp time = EventTime(events[i]);
      if (switches < chains.size() && time > first_switch + days(100 * switches)) {
        without.AdvanceTo(time), with.AdvanceTo(time);
        with.GoOver(*chains[switches], time, kBegun + switches);
        ++switches;
      }
      // Some come out of order.
      const bool late = random() % 8 == 0 && i > 3;
      Event event = events[i];
      if (late) event.set_event_time_us(events[i - 3].event_time_us());
      with.Send(event, late), without.Send(event, late);
      REQUIRE(with.told == without.told);
    }
    for (; switches < chains.size(); ++switches) with.GoOver(*chains[switches], ShopDay(1100), kBegun + switches);
    with.AdvanceTo(ShopDay(1100)), without.AdvanceTo(ShopDay(1100));
    CHECK(with.told == without.told);
    judged += static_cast<int>(with.judged.size());
    // Examples that are still open keep what was said of them.
    auto& open =
        *static_cast<v1::state::ChurnExamples&>(with.row.states.Change(7, v1::state::ChurnExamples::default_instance()))
             .mutable_open();
    for (auto& one : open) one.clear_shadow_model(), one.clear_shadow_log_odds();
    with.StoreAndLoad();
    without.row.states.Change(7, v1::state::ChurnExamples::default_instance());
    without.StoreAndLoad();
    const bool same_rows = with.stored == without.stored;
    CHECK(same_rows);
  }
  CHECK(judged > 500);
}

TEST_CASE("the sweep judges every customer by both, goes on with the open episode, and costs a few bytes",
          "[models][shadow]") {
  const auto plain = ChainBy({}, {}, 0), shadowed = ChainBy({}, Others(), kBegun), gone = ChainBy({}, {}, 0);
  Customer anna(*plain);
  for (const double day : {0.0, 10.0, 20.0}) anna.Send(ShopOrder("c0", day));
  anna.AdvanceTo(ShopDay(150));
  REQUIRE(anna.opened == 1);
  const size_t bytes = anna.stored.size();
  REQUIRE(anna.GoOver(*shadowed, ShopDay(150), kBegun));
  CHECK(anna.opened == 1);
  CHECK(anna.shadow_opened == 0);  // it is open already
  REQUIRE(anna.judged.size() == 1);
  const ShadowJudgement said = anna.judged[0];
  CHECK(said.in_force.no_order != said.shadow.no_order);
  CHECK(anna.stored.size() <= bytes + 32);
  CHECK_FALSE(anna.GoOver(*shadowed, ShopDay(150), kBegun));

  const auto slot = static_cast<Slot>(6);
  const auto* churn = ChurnOfChain(*shadowed);
  const auto compared = churn->Compare(anna.row.states.As<v1::state::Churn>(slot),
                                       FeatureReader(anna.row, anna.calendar.At(ShopDay(150))), ShopDay(150));
  REQUIRE(compared.has_value());
  CHECK(compared->shadow.no_order == said.shadow.no_order);
  CHECK(compared->in_force.no_order == said.in_force.no_order);

  REQUIRE(anna.GoOver(*gone, ShopDay(151), kBegun + 1));
  CHECK_FALSE(anna.state().has_shadow());
  CHECK_FALSE(anna.GoOver(*gone, ShopDay(151), kBegun + 1));
}

TEST_CASE("who has not ordered is nobody to models in the shadow", "[models][shadow]") {
  const auto shadowed = ChainBy({}, Others(), kBegun);
  Customer visitor(*shadowed);
  for (const double day : {0.0, 10.0, 20.0}) visitor.Send(ShopView("c0", day));
  CHECK(visitor.judged.empty());
  CHECK_FALSE(visitor.state().has_shadow());
}

TEST_CASE("a snapshot carries what the model in the shadow said, also when it has gone by the time it closes",
          "[models][shadow]") {
  const auto shadowed = ChainBy({}, Others(), kBegun), plain = ChainBy({}, {}, 0);
  Customer anna(*shadowed);
  anna.Send(ShopOrder("c0", 0));
  anna.AdvanceTo(ShopDay(40));
  anna.GoOver(*plain, ShopDay(40), kBegun + 1);
  anna.AdvanceTo(ShopDay(300));
  REQUIRE(anna.examples.size() > 3);
  CHECK(anna.examples[0].shadow_model() == Others().name);
  CHECK(anna.examples[0].shadow_probability() > 0);
  CHECK(anna.examples[0].shadow_probability() != anna.examples[0].probability());
  CHECK(anna.examples.back().shadow_model().empty());
}

}  // namespace
}  // namespace portrait
