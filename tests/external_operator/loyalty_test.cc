#include "loyalty.h"

#include <catch2/catch_test_macros.hpp>
#include <string>
#include <string_view>

#include "operators/testing/harness.h"

namespace shop::loyalty {
namespace {

portrait::OperatorHarness MakeHarness() {
  return portrait::OperatorHarness(
      std::move(portrait::ChainBuilder().Add<Loyalty>(LoyaltyOptions{.gold_points = 100})));
}

portrait::Event OrderOf(std::string_view customer, std::string_view time, int64_t total_micros) {
  auto event = portrait::EventFor(customer, portrait::At(time));
  event.mutable_order_completed()->set_order_id(event.event_id());
  event.mutable_order_completed()->set_total_micros(total_micros);
  return event;
}

std::string Told(const portrait::OperatorHarness& harness) {
  std::string text;
  for (const auto& change : harness.Results<TierChange>()) {
    const auto& info = change.info();
    text += info.customer_id() + " is " + change.tier() + " from " +
            portrait::ToText(portrait::FromMicros(info.event_time_us())) + ": " + std::to_string(change.points()) +
            " " + info.reasons(0).comparison() + " " + std::to_string(info.reasons(0).threshold().integer()) + "\n";
  }
  return text;
}

TEST_CASE("points are counted in full units, and gold comes with the order that reaches it") {
  auto harness = MakeHarness();
  harness.Send(OrderOf("anna", "2026-01-01", 60'990'000));
  harness.Send(OrderOf("bert", "2026-01-01", 99'990'000));
  CHECK(harness.Feature("anna", "loyalty.points") == "60");
  harness.Send(OrderOf("anna", "2026-01-05 10:00", 40'000'000));
  harness.Send(OrderOf("anna", "2026-01-06", 10'000'000));
  CHECK(Told(harness) == "anna is gold from 2026-01-05 10:00:00: 100 >= 100\n");
}

TEST_CASE("a year without an order ends gold, and the points") {
  auto harness = MakeHarness();
  harness.Send(OrderOf("anna", "2026-01-01", 500'000'000));
  harness.Send(OrderOf("anna", "2026-02-01", 1'000'000));
  harness.Clear();
  harness.AdvanceTo("2027-01-31 23:59:59");
  CHECK(Told(harness).empty());
  harness.AdvanceTo("2027-02-01");
  CHECK(Told(harness) == "anna is basic from 2027-02-01 00:00:00: 0 < 100\n");
  CHECK(harness.Feature("anna", "loyalty.points") == "0");
}

}  // namespace
}  // namespace shop::loyalty
