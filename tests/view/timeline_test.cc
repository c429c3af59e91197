// A customer's story by pages, over a row as the engine would have stored it.
#include "view/timeline.h"

#include <catch2/catch_test_macros.hpp>
#include <set>

#include "operators/testing/harness.h"
#include "pipeline/config/default_chain.h"
#include "view/portrait.h"

namespace portrait::view {
namespace {

struct Shop {
  Shop() : chain(BuildDefaultChain(config).value()), portraits(*chain, config) {
    RowState row = chain->EmptyRow();
    struct Sink final : OutputSink {
      void Add(size_t, std::string_view customer, const google::protobuf::Message& result) override {
        if (result.GetDescriptor() == v1::TagChange::descriptor()) {
          results.changes.push_back(static_cast<const v1::TagChange&>(result));
        }
        if (result.GetDescriptor() == v1::ChurnAlert::descriptor()) {
          results.alerts.push_back(static_cast<const v1::ChurnAlert&>(result));
        }
        CHECK(customer == "anna");
      }
      ResultHub::Remembered results;
    } sink;
    const Calendar calendar;
    int64_t number = 0;
    for (const char* day : {"2026-01-01", "2026-01-11", "2026-01-21"}) {
      Event event = EventFor("anna", At(day));
      event.mutable_order_completed()->set_order_id(day);
      event.mutable_order_completed()->set_total_micros(20'000'000);
      chain->OnEvent(event, {"purchase-events", 0, ++number}, false, "anna", row, calendar, sink);
    }
    chain->FireTimers(At("2026-12-01"), "anna", row, calendar, sink);
    results = std::move(sink.results);
    std::string bytes;
    chain->Encode(7, row, bytes);
    anna = *std::move(portraits.Read(bytes).value());
  }
  Json Page(size_t limit, const std::string& before) const {
    return Timeline(portraits, anna, At("2026-12-01"), results, {limit, before}, false).value();
  }

  const Config config;
  std::unique_ptr<Chain> chain;
  Portraits portraits;
  Portraits::Row anna;
  ResultHub::Remembered results;
};

TEST_CASE("a timeline has every moment once, latest first, whatever the size of its pages") {
  const Shop shop;
  const Json whole = shop.Page(200, "");
  REQUIRE(whole["moments"].size() > 8);
  CHECK(whole["next"].is_null());
  for (const size_t limit : {1u, 2u, 5u}) {
    Json paged = Json::array();
    Json next = "";
    while (!next.is_null()) {
      const Json page = shop.Page(limit, next.get<std::string>());
      for (const Json& moment : page["moments"]) paged.push_back(moment);
      next = page["next"];
    }
    CHECK(paged == whole["moments"]);
  }
  CHECK(shop.Page(5, "0/0/x")["moments"].empty());
  CHECK_FALSE(Timeline(shop.portraits, shop.anna, At("2026-12-01"), {}, {5, "nonsense"}, false).ok());
}

TEST_CASE("what was caused names the moment that caused it") {
  const Shop shop;
  std::set<std::string> ids, kinds;
  const Json page = shop.Page(200, "");
  for (const Json& moment : page["moments"]) {
    CHECK(ids.insert(moment["id"]).second);
    kinds.insert(moment["kind"].get<std::string>());
  }
  for (const char* kind : {"purchase", "event", "tag_gained", "alert_opened"}) CHECK(kinds.contains(kind));
  int caused = 0;
  for (const Json& moment : page["moments"]) {
    if (moment["caused_by"].is_null()) continue;
    ++caused;
    CHECK(ids.contains(moment["caused_by"].get<std::string>()));
  }
  CHECK(caused > 0);
}

TEST_CASE("a portrait tells of an open alert with its causes, and of every tag held why") {
  const Shop shop;
  const Json json = shop.portraits.Customer(shop.anna, At("2026-12-01"), /*masked=*/true);
  CHECK(json["churn"]["at_risk"] == true);
  CHECK(json["churn"]["episode"]["causes"] == Json::array({"silence"}));
  CHECK(json["churn"]["reasons"][0]["feature"] == "churn.silent_days");
  CHECK(json["purchases"]["days"].size() == 3);
  CHECK(json["features"]["purchases"]["orders"] == 3);
  REQUIRE_FALSE(json["tags"].empty());
  for (const Json& tag : json["tags"]) CHECK_FALSE(tag["reasons"].empty());
}

TEST_CASE("bytes that are no row are an error, and a row that is gone is nobody") {
  const Shop shop;
  CHECK_FALSE(shop.portraits.Read("\xff\xff\xff").ok());
  RowState gone = shop.chain->EmptyRow();
  gone.gone = true;
  std::string bytes;
  shop.chain->Encode(9, gone, bytes);
  CHECK_FALSE(shop.portraits.Read(bytes)->has_value());
}

}  // namespace
}  // namespace portrait::view
