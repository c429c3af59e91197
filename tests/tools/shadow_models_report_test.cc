// What models in the shadow make of stored rows, beside those in force.
#include "pipeline/tools/shadow_models_report.h"

#include <catch2/catch_approx.hpp>
#include <catch2/catch_test_macros.hpp>
#include <memory>
#include <string>
#include <utility>

#include "absl/strings/match.h"
#include "tests/operators/churn_shop.h"

namespace portrait {
namespace {

constexpr uint64_t kBegun = 5;

// Everybody is at risk after two weeks of silence.
FittedModels Gloomy() {
  FittedModels models = WithLearned(-3, {{"purchases.last", 1, 1, 3}});
  models.rhythm.log_mean = 1.5;
  models.rhythm.mean_weight = 20;
  return models;
}

// The built-in models, with Gloomy in their shadow if `shadowed`.
OperatorHarness Shop(bool shadowed) {
  ChainBuilder builder;
  builder.Add<Site>().Add<Email>().Add<Service>().Add<Purchases>().Add<Predictions>(PredictionsOptions{});
  std::unique_ptr<Churn> beside;
  if (shadowed) {
    ChurnOptions options;
    options.rhythm = Gloomy().rhythm;
    options.models_begun = kBegun;
    beside = std::make_unique<Churn>(options, MakeChurnModel(Gloomy()));
  }
  builder.Add<Churn>(ChurnOptions{}, MakeChurnModel(FittedModels{}), std::move(beside));
  return OperatorHarness(std::move(builder));
}

// Anna is in time with her orders; Ben was, and is away; Cleo only looks around.
void Live(OperatorHarness& shop) {
  for (int day = 0; day <= 200; day += 10) shop.Send(ShopOrder("anna", day));
  for (int day = 0; day <= 60; day += 10) shop.Send(ShopOrder("ben", day));
  shop.Send(ShopView("cleo", 100));
  shop.AdvanceTo(ShopDay(230));
}

nlohmann::json ReportOn(const OperatorHarness& shop, double day) {
  ShadowModelsReport report(shop.chain(), absl::UTCTimeZone());
  for (const char* customer : {"anna", "ben", "cleo"}) REQUIRE(report.Add(shop.Stored(customer), ShopDay(day)).ok());
  return report.Json();
}

TEST_CASE("the report counts customers by what both sides say of them, and adds up their probabilities") {
  OperatorHarness shop = Shop(true);
  Live(shop);
  const nlohmann::json report = ReportOn(shop, 230);
  CAPTURE(report.dump(1));
  CHECK(report["customers"] == 2);  // Cleo has not ordered
  CHECK(report["swept"] == 2);

  double in_force = 0, shadow = 0;
  for (const char* customer : {"anna", "ben"}) {
    const RowState& row = *shop.Row(customer);
    const Calendar calendar(absl::UTCTimeZone());
    const auto said =
        ChurnOfChain(shop.chain())
            ->Compare(row.states.As<v1::state::Churn>(6), FeatureReader(row, calendar.At(ShopDay(230))), ShopDay(230));
    REQUIRE(said.has_value());
    in_force += said->in_force.no_order, shadow += said->shadow.no_order;
  }
  CHECK(report["said_no_order"]["in_force"].get<double>() == Catch::Approx(in_force));
  CHECK(report["said_no_order"]["shadow"].get<double>() == Catch::Approx(shadow));

  uint64_t judged = 0;
  for (const auto& row : report["bands"]) {
    for (const auto& cell : row) judged += cell.get<uint64_t>();
  }
  CHECK(judged == 2);
  // Ben by both, Anna by the gloomy ones only.
  CHECK(report["at_risk"] == nlohmann::json({{"both", 1}, {"in_force", 0}, {"shadow", 1}}));
  // Ben's opened and worsened; by the others his and Anna's opened, high at once.
  CHECK(report["alerts"] == nlohmann::json({{"in_force", 2}, {"shadow", 2}}));
}

TEST_CASE("customers whom the sweep has not reached are judged, but have no alerts to report") {
  OperatorHarness before = Shop(false), shop = Shop(true);
  Live(before);
  for (const char* customer : {"anna", "ben", "cleo"}) shop.Load(customer, before.Stored(customer));
  shop.AdvanceTo(ShopDay(231));
  nlohmann::json report = ReportOn(shop, 231);
  CAPTURE(report.dump(1));
  CHECK(report["customers"] == 2);
  CHECK(report["swept"] == 0);
  CHECK(report["alerts"] == nlohmann::json({{"in_force", 0}, {"shadow", 0}}));

  for (const char* customer : {"anna", "ben", "cleo"}) static_cast<void>(shop.Sweep(customer));
  report = ReportOn(shop, 231);
  CHECK(report["swept"] == 2);
  // Who was at risk when the shadow began goes on with the episode that is open: no alert of since then.
  CHECK(report["alerts"]["in_force"] == 0);
}

TEST_CASE("the text says the same, with a table of bands, and a row that is none is refused") {
  OperatorHarness shop = Shop(true);
  Live(shop);
  ShadowModelsReport report(shop.chain(), absl::UTCTimeZone());
  CHECK(absl::StrContains(report.Text(), "Swept: 0 of 0 customers with an order."));
  CHECK(report.Add("no row", ShopDay(230)).code() == absl::StatusCode::kDataLoss);
  CHECK(report.customers() == 0);
  REQUIRE(report.Add(shop.Stored("ben"), ShopDay(230)).ok());
  const std::string text = report.Text();
  CAPTURE(text);
  CHECK(absl::StrContains(text, "Swept: 1 of 1 customers with an order."));
  CHECK(absl::StrContains(text, "At risk by both: 1; by those in force only: 0; by those in the shadow only: 0."));
  CHECK(absl::StrContains(text, "No order within 90 days: "));
}

}  // namespace
}  // namespace portrait
