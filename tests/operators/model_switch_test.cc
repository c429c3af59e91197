// Other models come into force while a customer is silent: alerts, predictions and the tags that read them go by the
// new ones once the row is swept.
#include <catch2/catch_approx.hpp>
#include <catch2/catch_test_macros.hpp>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "operators/churn.h"
#include "operators/learned_churn_model.h"
#include "operators/predictions.h"
#include "tests/operators/tag_shop.h"

namespace portrait {
namespace {

using Catch::Approx;

const std::vector<Rule> kRules = {{.tag = "leaving", .when = "predictions.no_order >= 0.9"},
                                  {.tag = "in_danger", .when = "churn.probability >= 0.9"},
                                  {.tag = "both", .when = "predictions.no_order >= 0.9 && churn.probability < 0.9"},
                                  {.tag = "ordered", .when = "purchases.orders >= 1"}};

// A learned model by which everybody has this probability, as log-odds.
FittedModels Learned(double log_odds, uint64_t begun) {
  FittedModels models;
  models.name = absl::StrCat("learned-", begun);
  models.begun = begun;
  LearnedChurn learned;
  learned.model.intercept = log_odds;
  learned.features = {"purchases.orders"};
  learned.model.mean = {0}, learned.model.spread = {1}, learned.model.weight = {0};
  models.learned = learned;
  return models;
}

FittedModels WithRhythm(double log_mean, uint64_t begun) {
  FittedModels models;
  models.name = absl::StrCat("rhythm-", begun);
  models.begun = begun;
  models.rhythm.log_mean = log_mean;
  models.rhythm.mean_weight = 1000;  // the own pauses hardly count
  return models;
}

OperatorHarness ShopBy(const FittedModels& models, const std::vector<Rule>& rules = kRules) {
  ChainBuilder builder;
  builder.Add<Purchases>().Add<Predictions>(PredictionsOptions{.models = models});
  builder.Add<Churn>(ChurnOptions{.rhythm = models.rhythm, .models_begun = models.begun}, MakeChurnModel(models));
  return OperatorHarness(std::move(builder.Add<Tags>(With(rules))));
}

// The same customer under other models, at the same time, not yet swept.
OperatorHarness Succeeding(const OperatorHarness& before, const FittedModels& models, std::string_view now) {
  OperatorHarness after = ShopBy(models);
  after.Load("anna", before.Stored("anna"));
  after.AdvanceTo(now);
  after.Clear();
  return after;
}

// Three orders in January.
OperatorHarness JanuaryShop(const FittedModels& models = {}) {
  OperatorHarness shop = ShopBy(models);
  for (const char* day : {"2026-01-01", "2026-01-11", "2026-01-21"}) shop.Send(OrderOf(day, 30));
  return shop;
}

std::string Changes(const OperatorHarness& shop) {
  std::string out;
  for (const auto& change : shop.Results<v1::TagChange>()) {
    absl::StrAppend(&out, out.empty() ? "" : " ", change.after() ? "+" : "-", change.tag());
  }
  return out;
}

std::string Alerts(const OperatorHarness& shop) {
  std::string out;
  for (const auto& alert : shop.Results<v1::ChurnAlert>()) {
    absl::StrAppend(&out, out.empty() ? "" : ", ", v1::ChurnAlert::Phase_Name(alert.phase()), " ",
                    v1::ChurnAlert::Band_Name(alert.band()), " by ", alert.model());
  }
  return out;
}

TEST_CASE("an open episode worsens by a sweep when the new models lift its band, and its alert names them",
          "[models]") {
  OperatorHarness before = JanuaryShop(Learned(0.5, 0));  // 62 %
  before.AdvanceTo("2026-06-01");
  REQUIRE(Alerts(before) == "OPENED MEDIUM by learned-0");
  OperatorHarness after = Succeeding(before, Learned(3, 8), "2026-06-01");
  REQUIRE(after.Sweep("anna"));
  CHECK(Alerts(after) == "WORSENED HIGH by learned-8");
  const v1::ChurnAlert alert = after.Results<v1::ChurnAlert>().at(0);
  CHECK(alert.info().origin() == v1::SWEEP);
  CHECK(FromMicros(alert.info().event_time_us()) == At("2026-06-01"));
  CHECK(after.Feature("anna", "churn.probability") == ToText(Value(FromLogOdds(3))));
  CHECK_FALSE(after.Sweep("anna"));
}

TEST_CASE("an open episode whose band falls by the new models stays open, and tells nothing", "[models]") {
  OperatorHarness before = JanuaryShop(Learned(3, 0));
  before.AdvanceTo("2026-06-01");
  REQUIRE(Alerts(before) == "OPENED HIGH by learned-0");
  OperatorHarness after = Succeeding(before, Learned(-3, 8), "2026-06-01");
  REQUIRE(after.Sweep("anna"));
  CHECK(Alerts(after).empty());
  CHECK(after.Feature("anna", "churn.at_risk") == "true");
  CHECK(after.Feature("anna", "churn.probability") == ToText(Value(FromLogOdds(-3))));
}

TEST_CASE("a silence that the new rhythm allows closes its episode, one that it does not opens another", "[models]") {
  OperatorHarness strict = JanuaryShop(WithRhythm(2, 0));
  strict.AdvanceTo("2026-06-01");
  REQUIRE(strict.Feature("anna", "churn.at_risk") == "true");
  OperatorHarness patient = Succeeding(strict, WithRhythm(6, 8), "2026-06-01");
  REQUIRE(patient.Sweep("anna"));
  REQUIRE(patient.Results<v1::ChurnAlert>().size() == 1);
  const v1::ChurnAlert closed = patient.Results<v1::ChurnAlert>().at(0);
  CHECK(closed.phase() == v1::ChurnAlert::CLOSED);
  CHECK(closed.info().reasons(0).text() == "no longer holds: silence");
  CHECK(patient.Feature("anna", "churn.at_risk") == "false");
  OperatorHarness again = Succeeding(patient, WithRhythm(2, 9), "2026-06-02");
  REQUIRE(again.Results<v1::ChurnAlert>().empty());  // no timer: only the sweep knows
  REQUIRE(again.Sweep("anna"));
  REQUIRE(again.Results<v1::ChurnAlert>().size() == 1);
  CHECK(again.Results<v1::ChurnAlert>().at(0).phase() == v1::ChurnAlert::OPENED);
  CHECK(again.Results<v1::ChurnAlert>().at(0).model() == "rhythm-9");
}

TEST_CASE(
    "the learned probability is that of the new models after a sweep, and the population's again when they have none",
    "[models]") {
  OperatorHarness before = JanuaryShop();
  before.AdvanceTo("2026-02-01");
  const std::string population = before.Feature("anna", "predictions.no_order");
  OperatorHarness learned = Succeeding(before, Learned(3, 8), "2026-02-01");
  CHECK(learned.Feature("anna", "predictions.no_order") == population);  // not looked at yet
  REQUIRE(learned.Sweep("anna"));
  const auto no_order = learned.chain().features().Find("predictions.no_order").value();
  const double said = AsNumber(FeatureReader(*learned.Row("anna"), Calendar().At(At("2026-02-01"))).Get(no_order));
  CHECK(said == Approx(FromLogOdds(3)).margin(0.01));
  OperatorHarness back = Succeeding(
      learned,
      [] {
        FittedModels models;
        models.begun = 9;
        return models;
      }(),
      "2026-02-01");
  REQUIRE(back.Sweep("anna"));
  CHECK(back.Feature("anna", "predictions.no_order") == population);
}

TEST_CASE("rules that read what the models say are judged anew in the same sweep, though they are the same rules",
          "[models]") {
  OperatorHarness before = JanuaryShop(Learned(0.5, 0));
  before.AdvanceTo("2026-02-01");
  REQUIRE(Held(before).starts_with("ordered("));
  OperatorHarness after = Succeeding(before, Learned(3, 8), "2026-02-01");
  REQUIRE(after.Sweep("anna"));
  CHECK(Changes(after) == "+leaving +in_danger");  // and not `both` for a moment
  OperatorHarness back = Succeeding(after, Learned(0.5, 9), "2026-02-02");
  REQUIRE(back.Sweep("anna"));
  CHECK(Changes(back) == "-leaving -in_danger");
  CHECK(Held(back).starts_with("ordered("));
}

TEST_CASE("an event between a switch of models and the sweep leaves no rule behind", "[models]") {
  // By the new models alone, the second order changes nothing that the rule reads.
  const std::vector<Rule> rules = {{.tag = "rich", .when = "predictions.value_12m >= 1000"}};
  FittedModels poor, rich;
  rich.begun = 8;
  rich.value.v *= 1000;  // an order is worth a thousand times as much
  OperatorHarness before = ShopBy(poor, rules);
  before.Send(OrderOf("2026-01-01", 30));
  REQUIRE(Held(before).empty());
  OperatorHarness after = ShopBy(rich, rules);
  after.Load("anna", before.Stored("anna"));
  after.Send(OrderOf("2026-01-01 10:00", 0));
  after.AdvanceTo("2026-01-02");
  CHECK(Changes(after).empty());
  REQUIRE(after.Sweep("anna"));
  CHECK(Changes(after) == "+rich");
}

TEST_CASE("models that have gone before the sweep came leave nothing behind", "[models]") {
  OperatorHarness before = JanuaryShop(Learned(0.5, 0));
  OperatorHarness meanwhile = Succeeding(before, Learned(3, 8), "2026-01-22");
  meanwhile.Send(OrderOf("2026-01-22", 30));  // looked at by these, never swept
  OperatorHarness back = Succeeding(meanwhile, Learned(0.5, 9), "2026-01-22");
  REQUIRE(back.Sweep("anna"));
  OperatorHarness never = Succeeding(before, Learned(0.5, 0), "2026-01-22");
  never.Send(OrderOf("2026-01-22", 30));
  for (const char* feature : {"predictions.no_order", "churn.probability", "churn.at_risk"}) {
    CHECK(back.Feature("anna", feature) == never.Feature("anna", feature));
  }
  CHECK(Held(back).starts_with("ordered("));
}

TEST_CASE("who has never ordered, and who has first ordered since, is not asked", "[models]") {
  OperatorHarness visitor = ShopBy(Learned(0.5, 0));
  visitor.Send(Mail("2026-01-01"));
  OperatorHarness after = Succeeding(visitor, Learned(3, 8), "2026-01-02");
  CHECK_FALSE(after.Sweep("anna"));
  after.Send(OrderOf("2026-01-02", 30));
  CHECK_FALSE(after.Sweep("anna"));
  CHECK(Changes(after) == "+leaving +in_danger +ordered");
}

TEST_CASE("other rules alone do not make the models look again", "[models]") {
  OperatorHarness before = JanuaryShop(Learned(0.5, 4));
  before.AdvanceTo("2026-02-01");
  std::vector<Rule> rules = kRules;
  rules.push_back({.tag = "thrice", .when = "purchases.orders >= 3"});
  OperatorHarness after = ShopBy(Learned(0.5, 4), rules);
  after.Load("anna", before.Stored("anna"));
  after.AdvanceTo("2026-02-01");
  const std::string said = after.Feature("anna", "predictions.no_order");
  REQUIRE(after.Sweep("anna"));
  CHECK(Changes(after) == "+thrice");
  CHECK(Alerts(after).empty());
  CHECK(after.Feature("anna", "predictions.no_order") == said);
}

}  // namespace
}  // namespace portrait
