// The operators site, email, service and person together on one row.
#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "operators/email.h"
#include "operators/person.h"
#include "operators/service.h"
#include "operators/site.h"
#include "operators/testing/harness.h"

namespace portrait {
namespace {

OperatorHarness AllFour() {
  return OperatorHarness(std::move(ChainBuilder().Add<Person>().Add<Site>().Add<Email>().Add<Service>()));
}

// Some event of any kind that the four read, with texts and numbers as clean input has them.
Event Random(Timestamp time, std::mt19937& random) {
  const auto below = [&](unsigned n) { return static_cast<int>(random() % n); };
  Event event = EventFor("anna", time);
  event.set_event_id("e");
  switch (below(12)) {
    case 0:
      event.mutable_email_delivered()->set_mail_id(absl::StrCat("m", below(30)));
      event.mutable_email_delivered()->set_campaign_id(absl::StrCat("c", below(12)));
      break;
    case 1:
      event.mutable_email_link_clicked()->set_mail_id(absl::StrCat("m", below(30)));
      event.mutable_email_link_clicked()->set_kind(absl::StrCat("k", below(9)));
      break;
    case 2: event.mutable_complaint_filed()->set_ticket_id(absl::StrCat("t", below(20))); break;
    case 3: event.mutable_reply_sent()->set_ticket_id(absl::StrCat("t", below(20))); break;
    case 4: event.mutable_issue_resolved()->set_ticket_id(absl::StrCat("t", below(20))); break;
    case 5:
      event.mutable_identified()->set_city(absl::StrCat("city ", below(9)));
      event.mutable_identified()->set_age(20 + below(50));
      break;
    case 6: event.mutable_phone_call()->set_duration_us(below(1'000'000'000)); break;
    case 7: event.mutable_page_left()->set_dwell_us(below(100'000'000)); break;
    case 8: event.mutable_product_added()->mutable_product()->set_product_id(absl::StrCat("p", below(40))); break;
    default:
      event.mutable_page_viewed()->set_path(absl::StrCat("/", below(40)));
      event.mutable_page_viewed()->set_category(absl::StrCat("category ", below(15)));
      event.mutable_page_viewed()->set_product_id(absl::StrCat("p", below(40)));
  }
  return event;
}

// Events of a year, some of them hours or months out of order.
std::vector<Event> Year(unsigned seed) {
  std::mt19937 random(seed);
  std::vector<Event> events;
  Timestamp time = At("2025-01-01");
  for (int i = 0; i < 3'000; ++i) {
    time += minutes(random() % 360);
    Timestamp at = time;
    if (random() % 10 == 0) at -= hours(random() % 48);
    if (random() % 50 == 0) at -= days(random() % 400);
    events.push_back(Random(at, random));
  }
  return events;
}

// Every feature there is, as text.
std::string Portrait(const OperatorHarness& harness) {
  std::string out;
  for (const FeatureRef& feature : harness.chain().features().all()) {
    const auto& about = feature.description();
    absl::StrAppend(&out, about.name, "=",
                    about.type == FeatureType::kItems ? harness.ItemsFeature("anna", about.name)
                                                      : harness.Feature("anna", about.name),
                    "\n");
  }
  return out;
}

TEST_CASE("the same events make the same portrait, and the row stays within its bound all the way") {
  for (const unsigned seed : {1u, 2u, 3u}) {
    INFO("seed " << seed);
    OperatorHarness a = AllFour(), b = AllFour();
    size_t bytes_max = 0;
    for (const Event& event : Year(seed)) {
      a.Send(event);
      b.Send(event);
      bytes_max = std::max(bytes_max, a.RowBytes("anna"));
    }
    const auto site = [](const OperatorHarness& of) { return of.Row("anna")->states.As<v1::state::Site>(2); };
    CHECK(site(a).SerializeAsString() == site(b).SerializeAsString());
    CHECK(Portrait(a) == Portrait(b));
    CHECK(bytes_max < 3'000);
  }
}

TEST_CASE("shares and rates stay between 0 and 1, and no count or length falls below 0, whatever the order of events") {
  OperatorHarness harness = AllFour();
  int checked = 0;
  for (const Event& event : Year(4)) {
    harness.Send(event);
    if (++checked % 25 != 0) continue;
    const RowState& row = *harness.Row("anna");
    const FeatureReader reader(row, Calendar().At(row.time));
    for (const FeatureRef& feature : harness.chain().features().all()) {
      const FeatureDescription& about = feature.description();
      if (about.type == FeatureType::kItems) continue;
      const double value = AsNumber(reader.Get(feature));
      INFO(about.name << " = " << value << " after " << checked << " events");
      REQUIRE(value >= 0);
      if (about.unit == "1") REQUIRE(value <= 1);
    }
  }
}

TEST_CASE("features of customers with no history have no value or are zero") {
  OperatorHarness harness = AllFour();
  Event event = EventFor("anna", At("2026-01-01"));
  event.mutable_page_left();  // read, but nothing to count
  harness.Send(event);
  for (const FeatureRef& feature : harness.chain().features().all()) {
    const FeatureDescription& about = feature.description();
    INFO(about.name);
    if (about.type == FeatureType::kItems) {
      CHECK(harness.ItemsFeature("anna", about.name).empty());
    } else {
      const std::string value = harness.Feature("anna", about.name);
      CHECK((value == "none" || value == "0" || value == "false" || value == "0.0 days"));
    }
  }
}

}  // namespace
}  // namespace portrait
