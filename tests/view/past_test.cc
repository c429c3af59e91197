// A customer as of a moment that has passed: against the engine itself, stopped at that moment.
#include "view/past.h"

#include <catch2/catch_test_macros.hpp>
#include <set>
#include <string>
#include <vector>

#include "operators/testing/harness.h"
#include "pipeline/config/default_chain.h"
#include "view/portrait.h"

namespace portrait::view {
namespace {

struct Sink final : OutputSink {
  void Add(size_t, std::string_view, const google::protobuf::Message& result) override {
    if (result.GetDescriptor() == v1::TagChange::descriptor()) {
      results.changes.push_back(static_cast<const v1::TagChange&>(result));
    }
    if (result.GetDescriptor() == v1::ChurnAlert::descriptor()) {
      results.alerts.push_back(static_cast<const v1::ChurnAlert&>(result));
    }
  }
  ResultHub::Remembered results;
};

std::set<std::string> NamesOf(const Json& tags) {
  std::set<std::string> out;
  for (const Json& tag : tags) out.insert(tag["name"].get<std::string>());
  return out;
}

// A customer who orders, falls silent, and orders again.
class Shop {
 public:
  Shop() : chain_(BuildDefaultChain(config_).value()), portraits(*chain_, config_), row_(chain_->EmptyRow()) {}

  void Until(Timestamp time) {
    for (const char* day : {"2026-01-01", "2026-01-11", "2026-01-21", "2026-09-15", "2026-09-20"}) {
      if (At(day) <= done_ || At(day) > time) continue;
      chain_->FireTimers(At(day), "anna", row_, calendar_, sink_);
      Event event = EventFor("anna", At(day));
      event.mutable_order_completed()->set_order_id(day);
      event.mutable_order_completed()->set_total_micros(20'000'000);
      chain_->OnEvent(event, {"purchase-events", 0, ++number_}, false, "anna", row_, calendar_, sink_);
    }
    chain_->FireTimers(time, "anna", row_, calendar_, sink_);
    done_ = time;
    std::string bytes;
    chain_->Encode(7, row_, bytes);
    anna = *std::move(portraits.Read(bytes).value());
  }

  // Results from `since` on are remembered.
  Json Then(Timestamp at, Timestamp since) const {
    ResultHub::Remembered results{.since = since};
    for (const auto& change : sink_.results.changes) {
      if (FromMicros(change.info().event_time_us()) >= since) results.changes.push_back(change);
    }
    for (const auto& alert : sink_.results.alerts) {
      if (FromMicros(alert.info().event_time_us()) >= since) results.alerts.push_back(alert);
    }
    return Past(portraits, anna, at, done_, results, false).value();
  }

  std::set<std::string> Tags() const { return NamesOf(portraits.Customer(anna, done_, false)["tags"]); }
  bool AtRisk() const {
    const Json churn = portraits.Customer(anna, done_, false)["churn"];
    return !churn.is_null() && churn["at_risk"].get<bool>();
  }

 private:
  const Config config_;
  const std::unique_ptr<Chain> chain_;

 public:
  Portraits portraits;
  Portraits::Row anna;

 private:
  RowState row_;
  const Calendar calendar_;
  Sink sink_;
  int64_t number_ = 0;
  Timestamp done_ = At("2025-12-31");
};

const std::vector<const char*> kMoments = {"2026-01-02", "2026-01-22", "2026-03-01", "2026-04-15", "2026-06-01",
                                           "2026-09-14", "2026-09-16", "2026-09-21", "2026-11-30"};

TEST_CASE("with all results remembered, the tags and the risk of a moment are those that the engine had then") {
  Shop whole;
  whole.Until(At("2026-12-01"));
  Shop step;
  bool risk = false, none = false;
  for (const char* moment : kMoments) {
    CAPTURE(moment);
    step.Until(At(moment));
    const Json then = whole.Then(At(moment), At("2025-12-31"));
    CHECK(then["history"]["complete"].get<bool>());
    CHECK(NamesOf(then["tags"]) == step.Tags());
    CHECK(then["churn"]["at_risk"].get<bool>() == step.AtRisk());
    (step.AtRisk() ? risk : none) = true;
    for (const Json& tag : then["tags"]) CHECK(tag["since"].get<std::string>() <= then["at"].get<std::string>());
  }
  CHECK((risk && none));
}

TEST_CASE("with few results remembered, what is told of a moment held then, and it says that there may be more") {
  Shop whole;
  whole.Until(At("2026-12-01"));
  Shop step;
  for (const char* moment : kMoments) {
    CAPTURE(moment);
    step.Until(At(moment));
    const Json then = whole.Then(At(moment), At("2026-11-01"));
    CHECK(then["history"]["complete"].get<bool>() == (At(moment) >= At("2026-11-01")));
    const std::set<std::string> held = step.Tags();
    for (const std::string& tag : NamesOf(then["tags"])) CHECK(held.contains(tag));
    if (!then["churn"].is_null()) CHECK(then["churn"]["at_risk"].get<bool>() == step.AtRisk());
  }
}

TEST_CASE("what happened after a moment is not told of it") {
  Shop shop;
  shop.Until(At("2026-12-01"));
  CHECK(shop.Then(At("2026-01-12"), At("2026-11-01"))["purchases"]["days"].size() == 2);
  CHECK(shop.Then(At("2026-12-01"), At("2026-11-01"))["purchases"]["days"].size() == 5);
  const ResultHub::Remembered none{.since = At("2026-11-01")};
  CHECK(absl::IsNotFound(Past(shop.portraits, shop.anna, At("2025-12-01"), At("2026-12-01"), none, false).status()));
  CHECK(absl::IsInvalidArgument(
      Past(shop.portraits, shop.anna, At("2026-12-02"), At("2026-12-01"), none, false).status()));
}

}  // namespace
}  // namespace portrait::view
