#include "pipeline/tools/population.h"

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_floating_point.hpp>
#include <map>
#include <set>

#include "absl/strings/str_cat.h"
#include "operators/testing/harness.h"

namespace portrait {
namespace {

using Catch::Matchers::WithinRel;

PopulationOptions Small() { return {.seed = 7, .customers = 300, .begin = At("2026-01-01"), .end = At("2026-04-01")}; }

std::vector<Event> All(EventStream& stream) {
  std::vector<Event> events;
  for (Event event; stream.Next(event);) events.push_back(event);
  return events;
}

std::string Bytes(const std::vector<Event>& events) {
  std::string bytes;
  for (const Event& event : events) bytes += event.SerializeAsString();
  return bytes;
}

std::map<std::string, int> CountKinds(const std::vector<Event>& events) {
  std::map<std::string, int> counts;
  for (const Event& event : events) ++counts[std::string(EventKindName(event.body_case()))];
  return counts;
}

TEST_CASE("a population is the same for the same seed, and another one for another seed") {
  Population a(Small()), b(Small());
  PopulationOptions other_options = Small();
  other_options.seed = 8;
  Population other(other_options);
  const std::string bytes = Bytes(All(a));
  CHECK(bytes == Bytes(All(b)));
  CHECK(bytes != Bytes(All(other)));
}

TEST_CASE("events come in order of time, within the range, and every id is given once") {
  Population population(Small());
  const std::vector<Event> events = All(population);
  REQUIRE(events.size() > 5000);
  std::set<std::string> ids;
  int64_t before_us = ToMicros(At("2026-01-01"));
  size_t out_of_order = 0;
  for (const Event& event : events) {
    if (event.event_time_us() < before_us) ++out_of_order;
    before_us = event.event_time_us();
    ids.insert(event.event_id());
  }
  CHECK(out_of_order == 0);
  CHECK(before_us < ToMicros(At("2026-04-01")));
  CHECK(ids.size() == events.size());
}

TEST_CASE("a population does everything that customers do") {
  PopulationOptions options = Small();
  options.customers = 3000;
  Population population(options);
  const auto counts = CountKinds(All(population));
  std::string missing;
  for (const char* kind :
       {"page_viewed",         "page_left",          "clicked",         "product_viewed",   "product_added",
        "product_list_viewed", "products_searched",  "cart_viewed",     "checkout_started", "email_delivered",
        "email_opened",        "email_link_clicked", "email_bounced",   "unsubscribed",     "order_completed",
        "order_refunded",      "question_asked",     "complaint_filed", "reply_sent",       "issue_resolved",
        "satisfaction_rated",  "identified"}) {
    if (!counts.contains(kind)) absl::StrAppend(&missing, kind, " ");
  }
  CHECK(missing == "");
}

TEST_CASE("orders come at the rate that the model promises while customers stay") {
  PopulationOptions options = Small();
  options.customers = 4000;
  options.established = 1;
  options.dormant = 0;
  options.traits.leaving_a = 0.001;  // nobody leaves
  options.traits.leaving_b = 1000;
  Population population(options);
  const double weeks = InDays(options.end - options.begin - days(1)) / 7;
  const double expected = 4000 * options.traits.order_rate_shape / options.traits.order_rate_weeks * weeks;
  CHECK_THAT(static_cast<double>(CountKinds(All(population))["order_completed"]), WithinRel(expected, 0.06));
}

TEST_CASE("somebody who leaves orders no more") {
  PopulationOptions options = Small();
  options.traits.leaving_a = 1000;  // everybody leaves after the first order
  options.traits.leaving_b = 0.001;
  Population population(options);
  std::map<std::string, int> orders;
  for (const Event& event : All(population)) orders[event.customer_id()] += event.has_order_completed();
  int most = 0;
  for (const auto& [customer, count] : orders) most = std::max(most, count);
  CHECK(most == 1);
}

TEST_CASE("an order is what was put into the cart on the visit before it") {
  Population population(Small());
  std::map<std::string, std::map<std::string, int64_t>> added;  // by customer: product and when
  size_t orders = 0, unexplained = 0;
  for (const Event& event : All(population)) {
    if (event.has_product_added()) {
      added[event.customer_id()][event.product_added().product().product_id()] = event.event_time_us();
    }
    if (!event.has_order_completed()) continue;
    ++orders;
    int64_t sum = 0;
    for (const v1::Product& product : event.order_completed().products()) {
      sum += product.price_micros();
      const int64_t added_us = added[event.customer_id()][product.product_id()];
      if (event.event_time_us() - added_us > 3600 * int64_t{1'000'000}) ++unexplained;
    }
    if (sum != event.order_completed().total_micros()) ++unexplained;
  }
  CHECK(orders > 100);
  CHECK(unexplained == 0);
}

TEST_CASE("mails are opened after they are delivered, and none goes to those who left the list") {
  PopulationOptions options = Small();
  options.customers = 2000;
  Population population(options);
  std::set<std::string> delivered, gone;
  size_t early = 0, unwanted = 0;
  for (const Event& event : All(population)) {
    if (event.has_unsubscribed()) gone.insert(event.customer_id());
    if (event.has_email_delivered()) {
      delivered.insert(event.email_delivered().mail_id());
      unwanted += event.email_delivered().kind() != "receipt" && gone.contains(event.customer_id());
    }
    if (event.has_email_opened()) early += !delivered.contains(event.email_opened().mail_id());
    if (event.has_email_link_clicked()) early += !delivered.contains(event.email_link_clicked().mail_id());
  }
  CHECK(gone.size() > 5);
  CHECK(early == 0);
  CHECK(unwanted == 0);
}

TEST_CASE("refunds pay back no more than was paid, and name the order") {
  PopulationOptions options = Small();
  options.customers = 3000;
  Population population(options);
  std::map<std::string, int64_t> paid;
  size_t refunds = 0, wrong = 0;
  for (const Event& event : All(population)) {
    if (event.has_order_completed()) paid[event.order_completed().order_id()] = event.order_completed().total_micros();
    if (!event.has_order_refunded()) continue;
    ++refunds;
    const int64_t back = event.order_refunded().total_micros();
    wrong += back <= 0 || back > paid[event.order_refunded().order_id()];
  }
  CHECK(refunds > 10);
  CHECK(wrong == 0);
}

std::vector<GivenPurchase> SomePurchases() {
  const auto purchase = [](const char* customer, const char* day, int64_t cents, const char* id) {
    return GivenPurchase{customer, ToMicros(At(day)), cents * 10'000, 1, id};
  };
  return {purchase("bert", "1997-02-01", 1200, "f:2"), purchase("anna", "1997-01-01", 1177, "f:1"),
          purchase("anna", "1997-05-03", 2999, "f:4"), purchase("anna", "1997-05-03", 2999, "f:3")};
}

std::string ToldOrders(const std::vector<Event>& events, bool dates_only) {
  std::string told;
  for (const Event& event : events) {
    if (!event.has_order_completed()) continue;
    const std::string time = ToText(EventTime(event));
    absl::StrAppend(&told, event.customer_id(), " ", dates_only ? time.substr(0, 10) : time, " ",
                    event.order_completed().total_micros(), " ", event.order_completed().order_id(), "\n");
  }
  return told;
}

TEST_CASE("given purchases are told as they are, each once") {
  Population population({.seed = 3}, SomePurchases());
  CHECK(population.customers() == 2);
  CHECK(ToldOrders(All(population), false) ==
        "anna 1997-01-01 00:00:00 11770000 f:1\n"
        "bert 1997-02-01 00:00:00 12000000 f:2\n"
        "anna 1997-05-03 00:00:00 29990000 f:3\n"
        "anna 1997-05-03 00:00:00 29990000 f:4\n");
}

TEST_CASE("given dates get an hour, and stay on their day") {
  Population population({.seed = 3, .dates_only = true}, SomePurchases());
  const std::vector<Event> events = All(population);
  CHECK(ToldOrders(events, true) ==
        "anna 1997-01-01 11770000 f:1\n"
        "bert 1997-02-01 12000000 f:2\n"
        "anna 1997-05-03 29990000 f:3\n"
        "anna 1997-05-03 29990000 f:4\n");
  CHECK(ToldOrders(events, false).find("00:00:00") == std::string::npos);
}

TEST_CASE("around given purchases there is browsing and mail, and no refund") {
  std::vector<GivenPurchase> purchases;
  for (int i = 0; i < 2000; ++i) {
    purchases.push_back(
        {absl::StrCat("c", i % 500), ToMicros(At("1997-01-01") + days(i / 10)), 10'000'000, 2, absl::StrCat(i)});
  }
  Population population({.seed = 3}, purchases);
  const std::vector<Event> events = All(population);
  auto counts = CountKinds(events);
  CHECK(counts["order_completed"] == 2000);
  CHECK(counts["order_refunded"] == 0);
  CHECK(counts["identified"] == 500);
  CHECK(counts["checkout_started"] == 2000);
  CHECK(counts["page_viewed"] > 6000);
  CHECK(counts["email_opened"] > 1000);
  const bool ordered = std::is_sorted(events.begin(), events.end(), [](const Event& a, const Event& b) {
    return a.event_time_us() < b.event_time_us();
  });
  CHECK(ordered);
}

}  // namespace
}  // namespace portrait
