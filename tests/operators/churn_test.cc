#include "operators/churn.h"

#include <catch2/catch_approx.hpp>
#include <catch2/catch_test_macros.hpp>
#include <cmath>
#include <set>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "operators/purchases.h"
#include "operators/testing/harness.h"

namespace portrait {
namespace {

using Catch::Approx;

Timestamp Day(int day) { return At("2026-01-01") + days(day); }

Event OrderOn(int day, int64_t total = 30) {
  Event event = EventFor("anna", Day(day));
  event.mutable_order_completed()->set_order_id(absl::StrCat("day", day));
  event.mutable_order_completed()->set_total_micros(total * 1'000'000);
  return event;
}

Event ViewOn(int day) {
  Event event = EventFor("anna", Day(day));
  event.mutable_page_viewed()->set_path("/");
  return event;
}

Event Complaint(int day, std::string ticket) {
  Event event = EventFor("anna", Day(day));
  event.mutable_complaint_filed()->set_ticket_id(std::move(ticket));
  return event;
}

Event Resolved(int day, std::string ticket) {
  Event event = EventFor("anna", Day(day));
  event.mutable_issue_resolved()->set_ticket_id(std::move(ticket));
  return event;
}

OperatorHarness Shop(ChurnOptions options = {}) {
  options.home_currency = "EUR";
  return OperatorHarness(std::move(ChainBuilder().Add<Purchases>().Add<Churn>(options)));
}

// Orders every `gap` days, `n` of them, from day 0 on.
void Regular(OperatorHarness& shop, int n, int gap) {
  for (int i = 0; i < n; ++i) shop.Send(OrderOn(i * gap));
}

double SumOfContributions(const v1::ChurnAlert& alert) {
  double sum = 0;
  for (const auto& reason : alert.info().reasons()) sum += reason.contribution();
  return sum;
}

// The alerts since the last call, such as "day 201.0 OPENED by silence, MEDIUM .71: no order for 61 days; ...".
std::string Told(OperatorHarness& shop) {
  std::string out;
  for (const auto& alert : shop.Results<v1::ChurnAlert>()) {
    CHECK(SumOfContributions(alert) == Approx(alert.score()).margin(1e-9));
    if (alert.last_order_us() != 0) CHECK(1 / (1 + std::exp(-alert.score())) == Approx(alert.probability()));
    absl::StrAppend(&out, absl::StrFormat("day %.1f ", InDays(FromMicros(alert.info().event_time_us()) - Day(0))),
                    v1::ChurnAlert::Phase_Name(alert.phase()), " by ", absl::StrJoin(alert.causes(), "+"), ", ",
                    v1::ChurnAlert::Band_Name(alert.band()), ": ", alert.info().reasons(0).text(), "\n");
  }
  shop.Clear();
  return out;
}

TEST_CASE("an alert opens when silence outgrows the customer's own rhythm, and closes with the next order", "[churn]") {
  OperatorHarness shop = Shop();
  Regular(shop, 9, 14);  // the last on day 112
  shop.AdvanceTo(Day(112 + 40));
  CHECK(Told(shop).empty());
  shop.AdvanceTo(Day(112 + 90));
  const auto alerts = shop.Results<v1::ChurnAlert>();
  REQUIRE(alerts.size() == 1);
  CHECK(Told(shop) ==
        "day 169.8 OPENED by silence, MEDIUM: no order for 58 days; this customer's own rhythm allows 58\n");
  CHECK(shop.Feature("anna", "churn.at_risk") == "true");
  shop.Send(OrderOn(203));
  CHECK(Told(shop) == "day 203.0 CLOSED by silence, LOW: ordered again\n");
  CHECK(shop.Feature("anna", "churn.at_risk") == "false");
}

TEST_CASE("an open alert closes when the customer is erased", "[churn]") {
  OperatorHarness shop = Shop();
  Regular(shop, 9, 14);
  shop.AdvanceTo(Day(190));
  Told(shop);
  Event erasure = EventFor("anna", Day(191));
  erasure.mutable_customer_erased();
  shop.Send(erasure);
  CHECK(Told(shop) == "day 191.0 CLOSED by silence, MEDIUM: the customer is erased\n");
  shop.AdvanceTo(Day(900));
  CHECK(Told(shop).empty());
}

TEST_CASE("an alert says how likely, how bad, why and by which model", "[churn]") {
  OperatorHarness shop = Shop();
  Regular(shop, 9, 14);
  shop.AdvanceTo(Day(190));
  const v1::ChurnAlert alert = shop.Results<v1::ChurnAlert>().at(0);
  const MbgNbdParameters cdnow;
  const double silent = InDays(FromMicros(alert.info().event_time_us()) - Day(112));
  const PurchaseHistory history{8, 112, 112 + silent};
  CHECK(alert.probability() == Approx(1 - ProbabilityOfOrder(cdnow, history, 90)));
  CHECK(alert.expected_orders() == Approx(ExpectedOrders(cdnow, history, 90)));
  // What is lost with a customer who leaves is what one who has not left would spend.
  const double value =
      ExpectedOrders(cdnow, history, 90) / ProbabilityAlive(cdnow, history) * ExpectedOrderValue({}, 9, 30);
  CHECK(static_cast<double>(alert.value_at_risk_micros()) == Approx(value * 1e6));
  CHECK(alert.horizon_days() == 90);
  CHECK(alert.currency() == "EUR");
  CHECK(alert.model() == "mbg_nbd/cdnow");
  CHECK(FromMicros(alert.last_order_us()) == Day(112));
  CHECK(FromMicros(alert.expected_order_us()) > Day(112 + 14));
  std::string reasons;
  for (const auto& reason : alert.info().reasons()) {
    absl::StrAppend(&reasons, absl::StrFormat("%+.2f ", reason.contribution()), reason.text(), "\n");
    if (!reason.feature().empty()) CHECK(shop.chain().features().Find(reason.feature()).ok());
  }
  CHECK(reasons ==
        "+2.57 no order for 58 days; this customer's own rhythm allows 58\n"
        "+0.91 71 % of all who ordered for the first time do not order within 90 days\n"
        "-3.07 9 purchase days over 112 days\n");
}

TEST_CASE("a one-time buyer is not warned about at once, whatever the probability", "[churn]") {
  OperatorHarness shop = Shop();
  shop.Send(OrderOn(0));
  CHECK(std::stod(shop.Feature("anna", "churn.probability")) > 0.7);
  shop.AdvanceTo(Day(127));
  CHECK(Told(shop).empty());
  shop.AdvanceTo(Day(1000));
  CHECK(Told(shop) ==
        "day 128.0 OPENED by silence, HIGH: no order for 128 days; this customer's own rhythm allows 128\n");
  CHECK(shop.Row("anna")->timers.empty());
}

TEST_CASE("an episode worsens once for each band, at the moment when the probability gets there", "[churn]") {
  OperatorHarness shop = Shop({.medium = 0.7});
  Regular(shop, 9, 14);
  shop.AdvanceTo(Day(3000));
  const auto alerts = shop.Results<v1::ChurnAlert>();
  REQUIRE(alerts.size() == 3);
  CHECK(alerts[1].phase() == v1::ChurnAlert::WORSENED);
  CHECK(alerts[1].band_before() == v1::ChurnAlert::LOW);
  CHECK(alerts[1].band() == v1::ChurnAlert::MEDIUM);
  CHECK(alerts[1].probability() == Approx(0.7).margin(1e-6));
  CHECK(alerts[2].band() == v1::ChurnAlert::HIGH);
  CHECK(alerts[2].probability() == Approx(0.85).margin(1e-6));
  std::set<std::string> episodes;
  for (const auto& alert : alerts) episodes.insert(alert.episode_id());
  CHECK(episodes.size() == 1);
  CHECK(alerts[2].opened_us() == alerts[0].info().event_time_us());
}

TEST_CASE("where a contact has a cost, bands go by what it brings", "[churn]") {
  // An order of 30 each fourth day: some 400 to expect in 90 days, were the customer still there.
  const ContactProfit profit{.cost = 10, .success = 0.1, .margin = 0.5, .medium = 1.4, .high = 1.6};
  OperatorHarness shop = Shop({.profit = profit});
  Regular(shop, 29, 4);
  shop.AdvanceTo(Day(3000));
  const auto alerts = shop.Results<v1::ChurnAlert>();
  REQUIRE(alerts.size() == 3);
  for (const auto& alert : alerts) {
    const double gain = alert.probability() * 0.1 * 0.5 * static_cast<double>(alert.value_at_risk_micros()) / 1e6;
    CHECK(static_cast<double>(alert.expected_profit_micros()) / 1e6 == Approx(gain - 10).margin(1e-5));
    CHECK(alert.info().reasons().rbegin()->feature() == "churn.expected_profit");
    double sum = 0;
    for (const auto& reason : alert.info().reasons()) sum += reason.contribution();
    CHECK(sum == Approx(alert.score()).margin(1e-6));
  }
  CHECK(alerts[0].band() == v1::ChurnAlert::LOW);
  CHECK(alerts[1].band() == v1::ChurnAlert::MEDIUM);
  CHECK(static_cast<double>(alerts[1].expected_profit_micros()) / 1e6 == Approx(10 * 1.4 - 10).margin(0.05));
  CHECK(alerts[2].band() == v1::ChurnAlert::HIGH);
  CHECK(static_cast<double>(alerts[2].expected_profit_micros()) / 1e6 == Approx(10 * 1.6 - 10).margin(0.05));
  CHECK(std::stod(shop.Feature("anna", "churn.expected_profit")) == Approx(10 * 1.6 - 10).margin(0.05));
}

TEST_CASE("a contact that never pays never lifts the band", "[churn]") {
  OperatorHarness shop = Shop({.profit = {.cost = 1000, .success = 0.1}});
  Regular(shop, 9, 14);
  shop.AdvanceTo(Day(3000));
  const auto alerts = shop.Results<v1::ChurnAlert>();
  REQUIRE(alerts.size() == 1);
  CHECK(alerts[0].band() == v1::ChurnAlert::LOW);
  CHECK(alerts[0].expected_profit_micros() < 0);
  CHECK(shop.Row("anna")->timers.empty());
}

TEST_CASE("the next silence is another episode", "[churn]") {
  OperatorHarness shop = Shop();
  Regular(shop, 9, 14);
  shop.Send(OrderOn(300));
  shop.AdvanceTo(Day(600));
  const auto alerts = shop.Results<v1::ChurnAlert>();
  std::set<std::string> episodes;
  for (const auto& alert : alerts) episodes.insert(alert.episode_id());
  CHECK(episodes.size() == 2);
  CHECK(alerts.back().phase() != v1::ChurnAlert::CLOSED);
}

TEST_CASE("an order that comes late closes the episode if there was no silence after all", "[churn]") {
  OperatorHarness shop = Shop();
  Regular(shop, 9, 14);
  shop.AdvanceTo(Day(175));
  Told(shop);
  shop.Send(OrderOn(70 + 1));  // long before the last: no sign of life
  CHECK(Told(shop).empty());
  shop.Send(OrderOn(160));
  CHECK(Told(shop) == "day 169.8 CLOSED by silence, LOW: ordered again\n");
}

TEST_CASE("a cancellation can take back the order that closed an episode", "[churn]") {
  OperatorHarness shop = Shop();
  Regular(shop, 9, 14);
  shop.Send(OrderOn(200));
  Told(shop);
  Event cancelled = EventFor("anna", Day(201));
  cancelled.mutable_order_cancelled()->set_order_id("day200");
  shop.Send(cancelled);
  CHECK(Told(shop).find("day 201.0 OPENED by silence") == 0);
}

TEST_CASE("an episode of a customer whose only order is cancelled closes", "[churn]") {
  OperatorHarness shop = Shop();
  shop.Send(OrderOn(0));
  shop.AdvanceTo(Day(130));
  Told(shop);
  Event cancelled = EventFor("anna", Day(131));
  cancelled.mutable_order_cancelled()->set_order_id("day0");
  shop.Send(cancelled);
  CHECK(Told(shop) == "day 131.0 CLOSED by silence, NONE: no order is left\n");
  CHECK(shop.Row("anna")->timers.empty());
}

TEST_CASE("an alert opens when contacts drop against the customer's own usual", "[churn]") {
  OperatorHarness shop = Shop();
  shop.Send(OrderOn(0));
  for (int day = 0; day <= 90; day += 3) shop.Send(ViewOn(day)), shop.Send(ViewOn(day));
  CHECK(shop.Feature("anna", "churn.contact_days_30d") == "10");
  shop.AdvanceTo(Day(127));
  // Ten days with contact in 30 are usual, and three days are left when that of day 81 leaves the last 30.
  CHECK(Told(shop) == "day 111.0 OPENED by contacts, HIGH: 3 days with contact in the last 30, usually 10.2\n");
  shop.AdvanceTo(Day(140));  // silence joins in, without another alert
  CHECK(Told(shop).empty());
  shop.Send(OrderOn(141));
  CHECK(Told(shop) == "day 141.0 CLOSED by silence+contacts, MEDIUM: ordered again\n");
}

TEST_CASE("contacts must recover well before their drop is over, so that alerts do not flap", "[churn]") {
  OperatorHarness shop = Shop();
  shop.Send(OrderOn(0));
  for (int day = 0; day <= 90; day += 3) shop.Send(ViewOn(day));
  shop.AdvanceTo(Day(111));
  Told(shop);
  for (int day = 112; day <= 115; ++day) shop.Send(ViewOn(day));
  CHECK(Told(shop).empty());  // six days, twice what was too few
  shop.Send(ViewOn(116));
  CHECK(Told(shop) == "day 116.0 CLOSED by contacts, HIGH: no longer holds: contacts\n");
}

TEST_CASE("someone who seldom comes is not missed", "[churn]") {
  OperatorHarness shop = Shop();
  shop.Send(OrderOn(0));
  for (int day = 0; day <= 90; day += 10) shop.Send(ViewOn(day));
  shop.AdvanceTo(Day(127));
  CHECK(Told(shop).empty());
}

TEST_CASE("a complaint that stands unresolved opens an episode, its resolution closes it", "[churn]") {
  OperatorHarness shop = Shop();
  shop.Send(OrderOn(0));
  shop.Send(Complaint(10, "t1"));
  shop.Send(Complaint(12, "t2"));
  shop.AdvanceTo(Day(16));
  CHECK(Told(shop).empty());
  shop.AdvanceTo(Day(20));
  CHECK(Told(shop) == "day 17.0 OPENED by complaints, MEDIUM: 1 complaint unresolved, for up to 7 days\n");
  shop.Send(Resolved(21, "t1"));
  CHECK(Told(shop).empty());  // the other one stands
  shop.Send(Resolved(22, "t2"));
  CHECK(Told(shop) == "day 22.0 CLOSED by complaints, MEDIUM: no longer holds: complaints\n");
}

TEST_CASE("a complaint resolved in time is nobody's business, even when told in the wrong order", "[churn]") {
  OperatorHarness shop = Shop();
  shop.Send(OrderOn(0));
  shop.Send(Resolved(11, "t1"));
  shop.Send(Complaint(10, "t1"));
  shop.Send(Complaint(12, ""));
  shop.Send(Resolved(13, ""));
  shop.AdvanceTo(Day(100));
  CHECK(Told(shop).empty());
  CHECK(shop.Feature("anna", "churn.open_complaints") == "0");
}

TEST_CASE("a complaint is forgotten in the end", "[churn]") {
  OperatorHarness shop = Shop({.first_silence_days = 1000});
  shop.Send(OrderOn(0));
  shop.Send(Complaint(10, "t1"));
  shop.AdvanceTo(Day(300));
  CHECK(Told(shop) ==
        "day 17.0 OPENED by complaints, MEDIUM: 1 complaint unresolved, for up to 7 days\n"
        "day 59.8 WORSENED by complaints, HIGH: 1 complaint unresolved, for up to 50 days\n"
        "day 100.0 CLOSED by complaints, HIGH: no longer holds: complaints\n");
}

TEST_CASE("who orders in spite of a complaint is not warned about for the same cause again", "[churn]") {
  OperatorHarness shop = Shop();
  shop.Send(OrderOn(0));
  shop.Send(Complaint(10, "t1"));
  shop.Send(OrderOn(20));
  Told(shop);
  shop.Send(ViewOn(21));
  shop.Send(ViewOn(30));
  shop.AdvanceTo(Day(60));
  CHECK(Told(shop).empty());
}

TEST_CASE("log-odds for a cause that the model does not know enter score, probability and its reason", "[churn]") {
  const auto alert_with = [](double log_odds) {
    OperatorHarness shop = Shop({.complaint_log_odds = log_odds});
    Regular(shop, 5, 14);
    shop.Send(Complaint(60, "t"));
    shop.AdvanceTo(Day(70));
    return shop.Results<v1::ChurnAlert>().at(0);
  };
  const auto without = alert_with(0), with = alert_with(1.5);
  CHECK(with.score() == Approx(without.score() + 1.5));
  CHECK(with.info().reasons(0).contribution() == 1.5);
  CHECK(with.probability() > without.probability());
  CHECK(SumOfContributions(with) == Approx(with.score()));
}

TEST_CASE("nobody is warned about a visitor who never ordered", "[churn]") {
  OperatorHarness shop = Shop();
  for (int day = 0; day <= 90; day += 2) shop.Send(ViewOn(day));
  shop.Send(Complaint(91, "t"));
  shop.AdvanceTo(Day(500));
  CHECK(Told(shop).empty());
  CHECK(shop.Row("anna")->timers.empty());
}

// A model of somebody else: reads one feature and knows nothing of time.
class Constant final : public ChurnModel {
 public:
  std::string_view name() const override { return "constant/1"; }
  absl::Status Bind(const FeatureRegistry& features) override { return features.Find("purchases.orders").status(); }
  ChurnForecast Forecast(Features, Timestamp, double) const override {
    ChurnForecast out;
    out.score = 2.5;
    out.reasons.emplace_back().set_contribution(2.5);
    return out;
  }
  double Score(Features, Timestamp, double) const override { return 2.5; }
  double SpendAtRiskMicros(Features, Timestamp, double) const override { return 0; }
  std::optional<Timestamp> Reaches(double, const Context&, double, Duration) const override { return std::nullopt; }
};

TEST_CASE("another model can take the place of MBG/NBD", "[churn]") {
  OperatorHarness shop(
      std::move(ChainBuilder().Add<Purchases>().Add<Churn>(ChurnOptions{}, std::make_unique<Constant>())));
  shop.Send(OrderOn(0));
  shop.AdvanceTo(Day(500));
  const auto alerts = shop.Results<v1::ChurnAlert>();
  REQUIRE(alerts.size() == 1);
  CHECK(alerts[0].model() == "constant/1");
  CHECK(alerts[0].score() == 2.5);
  CHECK(alerts[0].band() == v1::ChurnAlert::HIGH);
}

TEST_CASE("a contact's profit with bands in the wrong order, or that no contact can bring, is refused", "[churn]") {
  const auto builds = [](const ContactProfit& profit) {
    return std::move(ChainBuilder().Add<Purchases>().Add<Churn>(ChurnOptions{.profit = profit})).Build("v").ok();
  };
  CHECK(builds({.cost = 1, .success = 0.1}));
  CHECK_FALSE(builds({.cost = 1}));
  CHECK_FALSE(builds({.cost = 1, .success = 0.1, .margin = 0}));
  CHECK_FALSE(builds({.cost = 1, .success = 0.1, .medium = 3, .high = 2}));
}

TEST_CASE("without purchases, or with bands in the wrong order, the chain is refused", "[churn]") {
  CHECK_FALSE(std::move(ChainBuilder().Add<Churn>()).Build("v").ok());
  CHECK_FALSE(
      std::move(ChainBuilder().Add<Purchases>().Add<Churn>(ChurnOptions{.medium = 0.9, .high = 0.8})).Build("v").ok());
}

TEST_CASE("alerts are the same in every run, and the state stays small", "[churn]") {
  const auto run = [] {
    OperatorHarness shop = Shop();
    for (int i = 0; i < 1500; ++i) {
      Event event = i % 40 == 0 ? OrderOn(i) : i % 11 == 0 ? Complaint(i, absl::StrCat(i)) : ViewOn(i % 7 ? i : i - 20);
      event.set_event_id(absl::StrCat(i));
      if (i % 500 > 300) continue;
      shop.Send(event);
    }
    shop.AdvanceTo(Day(2000));
    std::string out;
    for (const auto& alert : shop.Results<v1::ChurnAlert>()) out += alert.SerializeAsString();
    CHECK(!out.empty());
    const auto& state = shop.Row("anna")->states.As<v1::state::Churn>(2);
    CHECK(state.ByteSizeLong() < 450);
    return out;
  };
  CHECK(run() == run());
}

}  // namespace
}  // namespace portrait
