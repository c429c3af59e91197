#include "operators/learned_churn_model.h"

#include <catch2/catch_approx.hpp>
#include <catch2/catch_test_macros.hpp>
#include <cmath>

#include "tests/operators/churn_shop.h"
#include "tests/operators/random_trees.h"

namespace portrait {
namespace {

using Catch::Approx;

// A model of many features, more than are told one by one.
FittedModels ManyWeights() {
  std::mt19937 random(5);
  std::vector<LearnedWeight> weights;
  for (const std::string& name : ChurnFeatures::Examples()) {
    weights.push_back({name, std::uniform_real_distribution<>(0, 2)(random),
                       std::uniform_real_distribution<>(0.3, 2)(random),
                       std::uniform_real_distribution<>(-0.4, 0.4)(random)});
  }
  return WithLearned(0.3, weights);
}

double SumOfContributions(const v1::ChurnAlert& alert) {
  double sum = 0;
  for (const auto& reason : alert.info().reasons()) sum += reason.contribution();
  return sum;
}

// Trees of all features, as they count, and a calibration that is bent.
FittedModels ManyTrees() {
  std::mt19937 random(6);
  std::vector<Tree> trees;
  for (int i = 0; i < 60; ++i) {
    Tree& tree = trees.emplace_back(RandomTree(random, static_cast<uint32_t>(ChurnFeatures::Examples().size()), 3));
    for (TreeNode& node : tree) node.threshold += 1, node.value /= 10;
  }
  FittedModels models = WithTrees(0.5, ChurnFeatures::Examples(), trees);
  models.learned->curve = CalibrationCurve::Of({{-1, -0.7}, {0, -0.6}, {0.5, 0.6}}).value();
  return models;
}

// Reasons of alerts by these models.
void CheckReasons(const FittedModels& models) {
  OperatorHarness shop = ChurnShop(models, 0, {.contact_log_odds = 0.4, .complaint_log_odds = 0.7});
  for (const Event& event : ShopLife(150, 250, 11)) shop.Send(event);
  shop.AdvanceTo(ShopDay(700));
  const auto alerts = shop.Results<v1::ChurnAlert>();
  REQUIRE(alerts.size() > 150);
  for (const v1::ChurnAlert& alert : alerts) {
    if (alert.last_order_us() == 0) continue;
    CHECK(std::abs(SumOfContributions(alert) - alert.score()) < 1e-6);
    CHECK(alert.probability() == Approx(1 / (1 + std::exp(-alert.score()))));
    CHECK(alert.model() == "shop-7@0123456789abcdef");
    int told = 0;
    for (const auto& reason : alert.info().reasons()) told += reason.text().find(", usually ") != std::string::npos;
    CHECK(told >= 4);
  }
}

TEST_CASE("the reasons of every alert of a learned model add up to its log-odds, with values and usual ones in words",
          "[learned_churn]") {
  CheckReasons(ManyWeights());
  CheckReasons(ManyTrees());
}

TEST_CASE("when the cause of the top reason goes, the score falls by what the reason said", "[learned_churn]") {
  // Nothing that runs with time, so that two moments compare.
  const FittedModels models =
      WithLearned(-0.5, {{"service.open_complaints", 0.1, 0.3, 0.8}, {"purchases.occasions", 1, 0.5, -0.2}});
  OperatorHarness shop = ChurnShop(models);
  for (int i = 0; i < 5; ++i) shop.Send(ShopOrder("anna", 10 * i));
  shop.Send(ShopComplaint("anna", 45, "t"));
  shop.AdvanceTo(ShopDay(60));
  const v1::ChurnAlert opened = shop.Results<v1::ChurnAlert>().at(0);
  REQUIRE(opened.causes(0) == "complaints");
  const v1::Reason* top = nullptr;
  for (const auto& reason : opened.info().reasons()) {
    if (reason.feature() == "service.open_complaints") top = &reason;
  }
  REQUIRE(top != nullptr);
  const double counted = (std::log1p(1) - 0.1) / 0.3, without = (0 - 0.1) / 0.3;
  CHECK(top->contribution() == Approx(0.8 * counted));
  CHECK(top->text() == "Complaints not resolved: 1, usually 0.1");
  shop.Send(ShopResolution("anna", 61, "t"));
  const auto closed = shop.Results<v1::ChurnAlert>().back();
  REQUIRE(closed.phase() == v1::ChurnAlert::CLOSED);
  CHECK(opened.score() - closed.score() == Approx(0.8 * (counted - without)));
  CHECK(opened.score() > closed.score());
}

TEST_CASE("an open episode worsens when a window of the learned model runs empty, at that moment", "[learned_churn]") {
  // Orders of the last 90 days hold the score down; silence moves it a little.
  const FittedModels models = WithLearned(1.0, {{"purchases.orders_90d", 1, 0.5, -0.8}, {"purchases.last", 3, 1, 0.3}});
  const ChurnOptions options{.medium = 0.75, .high = 0.95};
  OperatorHarness shop = ChurnShop(models, 0, options);
  for (int i = 0; i < 9; ++i) shop.Send(ShopOrder("anna", 6.0 * i + 0.4));
  shop.AdvanceTo(ShopDay(400));
  std::vector<v1::ChurnAlert> worsened;
  for (const auto& alert : shop.Results<v1::ChurnAlert>()) {
    if (alert.phase() == v1::ChurnAlert::WORSENED) worsened.push_back(alert);
  }
  REQUIRE(worsened.size() == 2);

  // The same by looking every ten minutes.
  OperatorHarness other = ChurnShop(models, 0, options);
  for (int i = 0; i < 9; ++i) other.Send(ShopOrder("anna", 6.0 * i + 0.4));
  auto model = MakeChurnModel(models);
  REQUIRE(model->Bind(other.chain().features()).ok());
  const double thresholds[] = {LogOdds(options.medium), LogOdds(options.high)};
  for (size_t k = 0; k < 2; ++k) {
    const Timestamp opened = FromMicros(worsened[k].opened_us());
    Timestamp at = opened;
    const Calendar calendar;
    const auto score = [&](Timestamp time) {
      const FeatureReader reader(*other.Row("anna"), calendar.At(time));
      return model->Score([&](const FeatureRef& ref) { return reader.Get(ref); }, time, 90);
    };
    while (score(at) < thresholds[k]) at += minutes(10);
    const Timestamp told = FromMicros(worsened[k].info().event_time_us());
    CHECK(told <= at + seconds(1));
    CHECK(told > at - minutes(10) - seconds(1));
  }
}

// The alerts of a customer with nine orders who falls silent.
std::vector<v1::ChurnAlert> Worsened(OperatorHarness& shop) {
  for (int i = 0; i < 9; ++i) shop.Send(ShopOrder("anna", 6.0 * i + 0.4));
  shop.AdvanceTo(ShopDay(400));
  std::vector<v1::ChurnAlert> out;
  for (const auto& alert : shop.Results<v1::ChurnAlert>()) {
    if (alert.phase() == v1::ChurnAlert::WORSENED) out.push_back(alert);
  }
  return out;
}

TEST_CASE("a step of a tree is met to seconds, even if it is over before its day ends", "[learned_churn]") {
  const auto at = [](double days) { return static_cast<float>(std::log1p(days)); };
  const Tree bump{InnerOf(0, at(40), 1, 2), LeafOf(-2), InnerOf(0, at(40.25), 3, 4), LeafOf(3), LeafOf(-2)};
  OperatorHarness shop = ChurnShop(WithTrees(0, {"purchases.last"}, {bump}), 0, {.medium = 0.75, .high = 0.9});
  const auto worsened = Worsened(shop);
  REQUIRE(worsened.size() == 1);
  CHECK(worsened[0].band() == v1::ChurnAlert::HIGH);
  CHECK(worsened[0].score() == 3);
  const Timestamp told = FromMicros(worsened[0].info().event_time_us()), step = ShopDay(48.4) + days(40);
  CHECK(std::chrono::abs(told - step) <= seconds(2));
}

// Trees on what runs with time within a day, and on windows: no moment before the one told is high enough, and that one
// is.
TEST_CASE("the first moment at which trees reach the next band is told, wherever their steps lie", "[learned_churn]") {
  const std::vector<std::string> features = {std::string(kPopulationLogOdds), "purchases.last", "purchases.first",
                                             "purchases.orders_30d"};
  std::mt19937 random(12);
  int told_of = 0;
  for (int round = 0; round < 12; ++round) {
    std::vector<Tree> trees;
    for (int i = 0; i < 25; ++i) {
      Tree& tree = trees.emplace_back(RandomTree(random, 4, 3));
      for (TreeNode& node : tree) {
        if (!node.leaf())
          node.threshold = static_cast<float>(node.feature == 0 ? Drawn(random, -2, 4) : Drawn(random, 2, 5.5));
        node.value /= 2;
      }
    }
    const FittedModels models = WithTrees(0.2, features, trees);
    const ChurnOptions options{.medium = 0.7, .high = 0.9};
    OperatorHarness shop = ChurnShop(models, 0, options);
    const auto worsened = Worsened(shop);
    OperatorHarness other = ChurnShop(models, 0, options);  // as of the last order
    for (int i = 0; i < 9; ++i) other.Send(ShopOrder("anna", 6.0 * i + 0.4));
    auto model = MakeChurnModel(models);
    REQUIRE(model->Bind(other.chain().features()).ok());
    const auto score = [&](Timestamp time) {
      const FeatureReader reader(*other.Row("anna"), Calendar().At(time));
      return model->Score([&](const FeatureRef& ref) { return reader.Get(ref); }, time, 90);
    };
    for (const v1::ChurnAlert& alert : worsened) {
      const Timestamp told = FromMicros(alert.info().event_time_us());
      const double asked = LogOdds(alert.band_before() == v1::ChurnAlert::LOW ? options.medium : options.high);
      Timestamp from = FromMicros(alert.opened_us());
      for (const auto& before : worsened) {
        if (&before < &alert) from = FromMicros(before.info().event_time_us());
      }
      ++told_of;
      CHECK(score(told) >= asked);
      for (Timestamp at = from + minutes(1); at < told - seconds(2); at += minutes(20)) REQUIRE(score(at) < asked);
    }
  }
  CHECK(told_of >= 5);
}

TEST_CASE("while the learned model cannot see a rise, an open episode has one timer in thirty days",
          "[learned_churn]") {
  const FittedModels models = WithLearned(-2, {{"purchases.last", 3, 1, 0.01}});
  OperatorHarness shop = ChurnShop(models);
  for (int i = 0; i < 9; ++i) shop.Send(ShopOrder("anna", 6.0 * i));
  shop.AdvanceTo(ShopDay(200));
  const auto& timers = shop.Row("anna")->timers;
  int band = 0;
  for (const TimerEntry& timer : timers) {
    if (timer.id == 2 && timer.time > ShopDay(200)) ++band;
    CHECK(timer.time > ShopDay(200));
  }
  CHECK(band == 1);
  shop.AdvanceTo("2046-01-01");  // after ten years of silence it is left alone
  CHECK(shop.Row("anna")->timers.empty());
}

TEST_CASE("a learned model that reads what is not there stops the start, and says what there is", "[learned_churn]") {
  ChainBuilder builder;
  const FittedModels models = WithLearned(0, {{"purchases.ordres_90d", 1, 1, 1}});
  builder.Add<Purchases>().Add<Churn>(ChurnOptions{}, MakeChurnModel(models));
  const auto built = std::move(builder).Build("x");
  REQUIRE_FALSE(built.ok());
  const std::string message(built.status().message());
  INFO(message);
  CHECK(message.find("cannot read the feature purchases.ordres_90d") != std::string::npos);
  CHECK(message.find("did you mean purchases.orders_90d") != std::string::npos);
  CHECK(message.find("purchases.spend_365d") != std::string::npos);
}

TEST_CASE("predictions say the learned probability at an order, and silence moves it up to the next look",
          "[learned_churn]") {
  const FittedModels models = WithLearned(0.4, {{"site.product_views_30d", 0.5, 1, -0.9}});
  OperatorHarness shop = ChurnShop(models);
  shop.Send(ShopOrder("anna", 0));
  for (int i = 0; i < 5; ++i) shop.Send(ShopView("anna", 1 + i));
  shop.Send(ShopOrder("anna", 6.5));
  const double seen = FromLogOdds(0.4 - 0.9 * (std::log1p(5) - 0.5));
  CHECK(std::stod(shop.Feature("anna", "predictions.no_order")) == Approx(seen).margin(1e-4));
  const auto no_order = [&] { return std::stod(shop.Feature("anna", "predictions.no_order")); };
  // The views leave the window of 30 days; the look after 90 days of silence has seen it, and the population's
  // share of the silence since is added.
  shop.AdvanceTo(ShopDay(6 + 90) + hours(1));
  const double empty = FromLogOdds(0.4 + 0.9 * 0.5);
  CHECK(no_order() == Approx(empty).margin(0.03));
  shop.AdvanceTo(ShopDay(400));
  CHECK(no_order() > empty + 0.05);
}

TEST_CASE("without a learned model that of the population is in force", "[learned_churn]") {
  CHECK(MakeChurnModel({})->name() == "mbg_nbd/cdnow");
  OperatorHarness shop = ChurnShop({});
  shop.Send(ShopOrder("anna", 0));
  CHECK(std::stod(shop.Feature("anna", "predictions.no_order")) ==
        Approx(1 - ProbabilityOfOrder(MbgNbdParameters{}, {}, 90)).margin(1e-4));
}

}  // namespace
}  // namespace portrait
