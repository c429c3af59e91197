#include "operators/person.h"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "operators/testing/harness.h"

namespace portrait {
namespace {

OperatorHarness PersonHarness() { return OperatorHarness(std::move(ChainBuilder().Add<Person>())); }

Event Identified(std::string_view time, std::string_view source, const v1::Person& facts) {
  Event event = EventFor("anna", At(time));
  event.set_source(std::string(source));
  *event.mutable_identified() = facts;
  return event;
}

Event LivesIn(std::string_view time, std::string_view city, std::string_view source = "crm") {
  v1::Person facts;
  facts.set_city(std::string(city));
  return Identified(time, source, facts);
}

v1::Person AllFacts(const std::string& text) {
  v1::Person facts;
  for (auto* field : {facts.mutable_name(), facts.mutable_sex(), facts.mutable_country(), facts.mutable_region(),
                      facts.mutable_city(), facts.mutable_occupation(), facts.mutable_education(),
                      facts.mutable_family(), facts.mutable_income_currency()}) {
    *field = text;
  }
  facts.set_email("anna@example.org");
  facts.set_phone("+33123456789");
  facts.set_birth_year(1990);
  facts.set_age(36);
  facts.set_income_micros(50'000'000'000);
  return facts;
}

TEST_CASE("a person's facts are offered with where and when each was learned") {
  OperatorHarness harness = PersonHarness();
  v1::Person facts;
  facts.set_name("Anna Beispiel");
  facts.set_city("Lyon");
  facts.set_income_micros(42'500'500'000);
  facts.set_income_currency("EUR");
  harness.Send(Identified("2026-01-01", "crm", facts));
  v1::Person more;
  more.set_email("anna@example.org");
  harness.Send(Identified("2026-01-02", "web", more));
  CHECK(harness.Feature("anna", "person.name") == "Anna Beispiel");
  CHECK(harness.Feature("anna", "person.city") == "Lyon");
  CHECK(harness.Feature("anna", "person.email") == "anna@example.org");
  CHECK(harness.Feature("anna", "person.income") == "4.25e+04");
  CHECK(harness.Feature("anna", "person.income_currency") == "EUR");
  CHECK(harness.Feature("anna", "person.phone") == "none");
  CHECK(harness.ItemsFeature("anna", "person.facts") ==
        "name(2026-01-01 00:00:00, crm) city(2026-01-01 00:00:00, crm) email(2026-01-02 00:00:00, web) "
        "income(2026-01-01 00:00:00, crm)");
}

TEST_CASE("a later fact replaces an earlier one, and an older one that comes out of order does not") {
  OperatorHarness harness = PersonHarness();
  harness.Send(LivesIn("2026-01-01", "Lyon"));
  harness.Send(LivesIn("2026-03-01", "Paris", "web"));
  harness.Send(LivesIn("2026-02-01", "Nice"));
  CHECK(harness.Feature("anna", "person.city") == "Paris");
  CHECK(harness.ItemsFeature("anna", "person.facts") == "city(2026-03-01 00:00:00, web)");
}

TEST_CASE("an older event still tells what nothing newer has told") {
  OperatorHarness harness = PersonHarness();
  harness.Send(LivesIn("2026-03-01", "Paris"));
  v1::Person facts;
  facts.set_city("Nice");
  facts.set_occupation("baker");
  harness.AdvanceTo("2026-04-01");
  harness.Send(Identified("2026-02-01", "import", facts));
  CHECK(harness.ItemsFeature("anna", "person.facts") ==
        "city(2026-03-01 00:00:00, crm) occupation(2026-02-01 00:00:00, import)");
}

TEST_CASE("an empty field takes nothing away, and of two facts of one time the one that came last holds") {
  OperatorHarness harness = PersonHarness();
  harness.Send(LivesIn("2026-01-01", "Lyon"));
  harness.Send(LivesIn("2026-01-01", "Paris"));
  harness.Send(LivesIn("2026-01-05", ""));
  CHECK(harness.Feature("anna", "person.city") == "Paris");
}

TEST_CASE("consent comes with its own event and with the envelope of any other, and the latest word holds") {
  OperatorHarness harness = PersonHarness();
  Event view = EventFor("anna", At("2026-01-01"));
  view.mutable_page_viewed();
  harness.Send(view);
  CHECK(harness.Feature("anna", "person.consent_marketing") == "none");
  view.set_event_time_us(ToMicros(At("2026-01-02")));
  view.mutable_consent()->set_marketing(v1::Consent::GRANTED);
  harness.Send(view);
  CHECK(harness.Feature("anna", "person.consent_marketing") == "granted");
  CHECK(harness.Feature("anna", "person.marketing_allowed") == "true");
  CHECK(harness.Feature("anna", "person.analytics_allowed") == "none");
  CHECK(harness.Feature("anna", "person.consent_analytics") == "none");
  Event changed = EventFor("anna", At("2026-01-03"));
  changed.mutable_consent()->set_marketing(v1::Consent::GRANTED);
  changed.mutable_consent_changed()->set_marketing(v1::Consent::DENIED);
  harness.Send(changed);
  CHECK(harness.Feature("anna", "person.consent_marketing") == "denied");
  CHECK(harness.Feature("anna", "person.marketing_allowed") == "false");
  harness.Send(view);
  CHECK(harness.Feature("anna", "person.consent_marketing") == "denied");
}

TEST_CASE("age follows from the year of birth, or else from the age that was stated and the years since") {
  OperatorHarness harness = PersonHarness();
  v1::Person stated;
  stated.set_age(30);
  harness.Send(Identified("2024-06-01", "crm", stated));
  harness.AdvanceTo("2026-05-01");
  CHECK(harness.Feature("anna", "person.age") == "31");
  harness.AdvanceTo("2026-06-02");
  CHECK(harness.Feature("anna", "person.age") == "32");
  v1::Person born;
  born.set_birth_year(1996);
  harness.Send(Identified("2020-01-01", "import", born));
  CHECK(harness.Feature("anna", "person.age") == "30");
  CHECK(harness.Feature("anna", "person.birth_year") == "1996");
}

TEST_CASE("texts are cut at a character, and an address that is too long is none") {
  OperatorHarness harness = PersonHarness();
  v1::Person facts;
  std::string name(99, 'a');
  facts.set_name(name + "\xC3\xA9\xC3\xA9");
  facts.set_email(std::string(300, 'a') + "@example.org");
  facts.set_phone(std::string(33, '1'));
  harness.Send(Identified("2026-01-01", "crm", facts));
  CHECK(harness.Feature("anna", "person.name") == name);
  CHECK(harness.Feature("anna", "person.email") == "none");
  CHECK(harness.Feature("anna", "person.phone") == "none");
}

TEST_CASE("the facts of a person stay within their bound, however often and by whomever they are told") {
  OperatorHarness harness = PersonHarness();
  const v1::Person all = AllFacts(std::string(10'000, 'x'));
  std::vector<const google::protobuf::FieldDescriptor*> told;
  v1::Person::GetReflection()->ListFields(all, &told);
  for (int round = 0; round < 3; ++round) {
    for (size_t i = 0; i < told.size(); ++i) {  // every fact by an event of its own
      v1::Person one = all;
      for (size_t other = 0; other < told.size(); ++other) {
        if (other != i) v1::Person::GetReflection()->ClearField(&one, told[other]);
      }
      harness.Send(Identified(absl::StrCat("2026-01-", 10 + i), std::string(1'000, static_cast<char>('a' + i)), one));
    }
  }
  harness.Send(Identified("2026-01-05", "old", all));
  CHECK(harness.RowBytes("anna") < 1'900);
}

TEST_CASE("a typical person takes less than 200 bytes, the row included") {
  OperatorHarness harness = PersonHarness();
  v1::Person facts;
  facts.set_name("Anna Beispiel");
  facts.set_sex("female");
  facts.set_birth_year(1990);
  facts.set_country("FR");
  facts.set_city("Lyon");
  facts.set_email("anna.beispiel@example.org");
  harness.Send(Identified("2026-01-01", "crm", facts));
  v1::Person more;
  more.set_phone("+33123456789");
  more.set_occupation("teacher");
  harness.Send(Identified("2026-01-02", "web", more));
  Event changed = EventFor("anna", At("2026-01-02"));
  changed.mutable_consent_changed()->set_marketing(v1::Consent::GRANTED);
  harness.Send(changed);
  CHECK(harness.RowBytes("anna") < 200);
}

TEST_CASE("the facts that hold in the end do not depend on the order of the events") {
  std::mt19937 random(7);
  std::vector<Event> events;
  for (int i = 0; i < 40; ++i) {
    v1::Person facts;
    if (i % 2 == 0) facts.set_city(absl::StrCat("city ", i));
    if (i % 3 == 0) facts.set_name(absl::StrCat("name ", i));
    if (i % 5 == 0) facts.set_age(20 + i);
    Event event = Identified("2026-01-01", absl::StrCat("source ", i % 4), facts);
    event.set_event_time_us(ToMicros(At("2026-01-01") + hours(i)));
    if (i % 7 == 0) event.mutable_consent()->set_analytics(i % 2 ? v1::Consent::GRANTED : v1::Consent::DENIED);
    events.push_back(event);
  }
  for (int round = 0; round < 20; ++round) {
    std::shuffle(events.begin(), events.end(), random);
    OperatorHarness harness = PersonHarness();
    for (const Event& event : events) harness.Send(event);
    INFO("round " << round);
    CHECK(harness.ItemsFeature("anna", "person.facts") ==
          "name(2026-01-02 15:00:00, source 3) city(2026-01-02 14:00:00, source 2) "
          "age(2026-01-02 11:00:00, source 3) consent_analytics(2026-01-02 11:00:00, source 3)");
    CHECK(harness.Feature("anna", "person.consent_analytics") == "granted");
  }
}

}  // namespace
}  // namespace portrait
