#include "pipeline/tools/story.h"

#include <catch2/catch_test_macros.hpp>

#include "operators/testing/harness.h"
#include "pipeline/tools/tally.h"

namespace portrait {
namespace {

Event Buys(const std::string& customer, std::string_view time, int64_t amount) {
  Event event = EventFor(customer, At(time));
  event.mutable_order_completed()->set_total_micros(amount * 1'000'000);
  event.mutable_order_completed()->set_currency("USD");
  return event;
}

Event Views(const std::string& customer, std::string_view time) {
  Event event = EventFor(customer, At(time));
  event.mutable_page_viewed();
  return event;
}

Event Mail(const std::string& customer, std::string_view time, bool opened) {
  Event event = EventFor(customer, At(time));
  opened ? event.mutable_email_opened() : event.mutable_email_delivered();
  return event;
}

v1::TagChange Tag(const std::string& customer, std::string_view time, const std::string& tag, bool after,
                  const std::string& why) {
  v1::TagChange change;
  change.mutable_info()->set_customer_id(customer);
  change.mutable_info()->set_event_time_us(ToMicros(At(time)));
  change.mutable_info()->add_reasons()->set_text(why);
  change.set_tag(tag);
  change.set_after(after);
  return change;
}

v1::ChurnAlert Alert(const std::string& customer, std::string_view time, v1::ChurnAlert::Phase phase,
                     v1::ChurnAlert::Band band) {
  v1::ChurnAlert alert;
  alert.mutable_info()->set_customer_id(customer);
  alert.mutable_info()->set_event_time_us(ToMicros(At(time)));
  alert.mutable_info()->add_reasons()->set_text("no order for 90 days");
  alert.set_phase(phase);
  alert.set_band(phase == v1::ChurnAlert::CLOSED ? v1::ChurnAlert::NONE : band);
  alert.set_band_before(phase == v1::ChurnAlert::CLOSED ? band : v1::ChurnAlert::NONE);
  alert.set_probability(0.8);
  alert.set_horizon_days(90);
  alert.set_value_at_risk_micros(20'000'000);
  alert.set_currency("USD");
  return alert;
}

TEST_CASE("a story is told in order of time, whatever order it came in, with visits and mails in one line") {
  StoryBook book({"anna"});
  book.Add(Alert("anna", "2026-05-01", v1::ChurnAlert::OPENED, v1::ChurnAlert::HIGH));
  book.Add(Tag("anna", "2026-01-05 12:10", "interest:tea", true, "5 views of tea"));
  book.Add(Tag("anna", "2026-04-01", "active", false, "no activity for 60 days"));
  book.Add(Tag("anna", "2026-04-01", "silent", true, "no activity for 60 days"));
  book.Add(Views("anna", "2026-01-05 12:00"));
  book.Add(Views("anna", "2026-01-05 12:10"));
  book.Add(Views("anna", "2026-01-05 12:20"));
  book.Add(Buys("anna", "2026-01-05 12:25", 30));
  book.Add(Views("anna", "2026-01-20"));
  book.Add(Mail("anna", "2026-01-28", false));
  book.Add(Mail("anna", "2026-01-29", true));
  book.Add(Buys("anna", "2026-02-01", 12));
  book.Add(Buys("bert", "2026-02-01", 12));
  CHECK(book.Tell("anna") ==
        "Customer anna is about to leave\n"
        "  2026-01-05  1 visit (3 pages)\n"
        "  2026-01-05  + interest:tea  because 5 views of tea\n"
        "  2026-01-05  buys for 30.00 USD\n"
        "  2026-01-20 to 2026-01-29  1 visit (1 page), 1 mail, 1 opened\n"
        "  2026-02-01  buys for 12.00 USD (order 2)\n"
        "  2026-04-01  - active  + silent  because no activity for 60 days\n"
        "  2026-05-01  ALERT opened, high: 80 % that no order comes within 90 days, 20.00 USD at risk\n"
        "              because no order for 90 days\n");
  CHECK(book.Tell("bert") == "");
}

TEST_CASE("a long story leaves out its middle") {
  StoryBook book({"anna"});
  for (int i = 10; i < 31; ++i) book.Add(Buys("anna", "2026-01-" + std::to_string(i), i));
  CHECK(book.Tell("anna", 4) ==
        "Customer anna is loyal\n"
        "  2026-01-10  buys for 10.00 USD\n"
        "  ... 18 lines left out ...\n"
        "  2026-01-29  buys for 29.00 USD (order 20)\n"
        "  2026-01-30  buys for 30.00 USD (order 21)\n");
}

TEST_CASE("three customers are chosen for three reasons") {
  StoryBook book({"returns", "leaves", "loyal", "nobody"});
  for (const char* customer : {"returns", "leaves", "loyal"}) {
    for (const char* day : {"2026-01-01", "2026-01-11", "2026-01-21", "2026-02-01"}) book.Add(Buys(customer, day, 10));
  }
  book.Add(Alert("returns", "2026-03-01", v1::ChurnAlert::OPENED, v1::ChurnAlert::MEDIUM));
  book.Add(Buys("returns", "2026-04-01", 10));
  book.Add(Alert("returns", "2026-04-01", v1::ChurnAlert::CLOSED, v1::ChurnAlert::MEDIUM));
  book.Add(Alert("leaves", "2026-03-01", v1::ChurnAlert::OPENED, v1::ChurnAlert::HIGH));
  book.Add(Views("nobody", "2026-01-01"));
  CHECK(book.Choose(3) == std::vector<std::string>{"returns", "leaves", "loyal"});
  CHECK(book.Choose(9).size() == 4);
  CHECK(book.Tell("returns").starts_with("Customer returns was about to leave, and came back\n"));
  CHECK(book.Tell("loyal").starts_with("Customer loyal is loyal\n"));
}

TEST_CASE("results are added up by tag, band and code") {
  ResultTally tally;
  tally.Add(Tag("anna", "2026-01-01", "silent", true, ""));
  tally.Add(Tag("bert", "2026-01-01", "silent", true, ""));
  tally.Add(Tag("bert", "2026-02-01", "silent", false, ""));
  tally.Add(Alert("anna", "2026-03-01", v1::ChurnAlert::OPENED, v1::ChurnAlert::MEDIUM));
  tally.Add(Alert("anna", "2026-04-01", v1::ChurnAlert::WORSENED, v1::ChurnAlert::HIGH));
  tally.Add(Alert("bert", "2026-03-01", v1::ChurnAlert::OPENED, v1::ChurnAlert::HIGH));
  tally.Add(Alert("bert", "2026-03-05", v1::ChurnAlert::CLOSED, v1::ChurnAlert::HIGH));
  v1::DeadLetter letter;
  letter.set_code("tombstone");
  tally.Add(letter);
  CHECK(tally.results() == 8);
  CHECK(tally.dead_letters() == 1);
  CHECK(tally.TagsText() ==
        "  tag                       hold it now         came         went\n"
        "  silent                              1            2            1\n");
  CHECK(tally.AlertsText() ==
        "  churn alerts                   opened  worsened to  closed from     open now   at risk\n"
        "  high                                1            1            1            1   20.00 USD\n"
        "  medium                              1            0            0            0   0.00 USD\n"
        "  low                                 0            0            0            0   0.00 USD\n");
  CHECK(tally.LettersText() == "  tombstone                           1\n");
}

}  // namespace
}  // namespace portrait
