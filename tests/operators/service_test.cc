#include "operators/service.h"

#include <catch2/catch_test_macros.hpp>
#include <cmath>
#include <string>

#include "absl/strings/str_cat.h"
#include "operators/testing/harness.h"

namespace portrait {
namespace {

OperatorHarness ServiceHarness() { return OperatorHarness(std::move(ChainBuilder().Add<Service>())); }

Event AtTime(std::string_view time) { return EventFor("anna", At(time)); }

Event Question(std::string_view time, const std::string& ticket) {
  Event event = AtTime(time);
  event.mutable_question_asked()->set_ticket_id(ticket);
  return event;
}

Event Complaint(std::string_view time, const std::string& ticket) {
  Event event = AtTime(time);
  event.mutable_complaint_filed()->set_ticket_id(ticket);
  return event;
}

Event Reply(std::string_view time, const std::string& ticket) {
  Event event = AtTime(time);
  event.mutable_reply_sent()->set_ticket_id(ticket);
  return event;
}

Event Resolution(std::string_view time, const std::string& ticket) {
  Event event = AtTime(time);
  event.mutable_issue_resolved()->set_ticket_id(ticket);
  return event;
}

Event Rating(std::string_view time, double score) {
  Event event = AtTime(time);
  event.mutable_satisfaction_rated()->set_score(score);
  return event;
}

Event Call(std::string_view time, v1::PhoneCall::Direction direction, Duration talk) {
  Event event = AtTime(time);
  event.mutable_phone_call()->set_direction(direction);
  event.mutable_phone_call()->set_duration_us(talk.count());
  return event;
}

Event Social(std::string_view time) {
  Event event = AtTime(time);
  event.mutable_social_interaction()->set_action("like");
  return event;
}

// The tickets in one line: how far they have come.
std::string Tickets(const OperatorHarness& harness) {
  auto get = [&](const char* name) { return harness.Feature("anna", absl::StrCat("service.", name)); };
  return absl::StrCat("opened ", get("tickets"), ", open ", get("open_tickets"), ", complaints ",
                      get("open_complaints"), " since ", get("oldest_open_complaint"), ", reply ",
                      get("first_reply_mean"), ", resolution ", get("resolution_mean"), ", resolved ",
                      get("resolved_share"));
}

TEST_CASE("a ticket goes from complaint to reply to resolution") {
  OperatorHarness harness = ServiceHarness();
  harness.Send(Complaint("2026-01-01", "t1"));
  CHECK(Tickets(harness) ==
        "opened 1, open 1, complaints 1 since 2026-01-01 00:00:00, reply none, resolution none, resolved 0");
  harness.Send(Reply("2026-01-02", "t1"));
  harness.Send(Reply("2026-01-03", "t1"));
  harness.Send(Question("2026-01-03", "t2"));
  CHECK(harness.ItemsFeature("anna", "service.open") ==
        "t1(complaint, 2026-01-01 00:00:00, true) t2(question, 2026-01-03 00:00:00, false)");
  harness.AdvanceTo("2026-01-11");
  CHECK(harness.Feature("anna", "service.oldest_open_complaint_age") == "10.0 days");
  harness.Send(Resolution("2026-01-11", "t1"));
  CHECK(Tickets(harness) ==
        "opened 2, open 1, complaints 0 since none, reply 1.0 days, resolution 10.0 days, resolved 0.5");
  CHECK(harness.Feature("anna", "service.oldest_open_ticket") == "2026-01-03 00:00:00");
  CHECK(harness.Feature("anna", "service.replies") == "2");
}

TEST_CASE("a complaint about an open question makes it a complaint") {
  OperatorHarness harness = ServiceHarness();
  harness.Send(Question("2026-01-01", "t1"));
  harness.Send(Complaint("2026-01-05", "t1"));
  CHECK(Tickets(harness) ==
        "opened 1, open 1, complaints 1 since 2026-01-01 00:00:00, reply none, resolution none, resolved 0");
}

TEST_CASE("a question or complaint after the resolution opens the ticket again") {
  OperatorHarness harness = ServiceHarness();
  harness.Send(Complaint("2026-01-01", "t1"));
  harness.Send(Resolution("2026-01-03", "t1"));
  harness.Send(Question("2026-01-05", "t1"));
  CHECK(Tickets(harness) == "opened 2, open 1, complaints 0 since none, reply none, resolution 2.0 days, resolved 0.5");
  harness.Send(Resolution("2026-01-09", "t1"));
  CHECK(Tickets(harness) == "opened 2, open 0, complaints 0 since none, reply none, resolution 3.0 days, resolved 1");
}

TEST_CASE("reply and resolution may come before the complaint, and late ones count") {
  const std::string in_order =
      "opened 1, open 0, complaints 0 since none, reply 1.0 days, resolution 3.0 days, resolved 1";
  OperatorHarness backwards = ServiceHarness();
  backwards.Send(Resolution("2026-01-04", "t1"));
  backwards.Send(Reply("2026-01-02", "t1"));
  CHECK(backwards.Feature("anna", "service.open_tickets") == "0");
  backwards.AdvanceTo("2026-02-01");
  backwards.Send(Complaint("2026-01-01", "t1"));
  CHECK(Tickets(backwards) == in_order);
  OperatorHarness mixed = ServiceHarness();
  mixed.Send(Complaint("2026-01-01", "t1"));
  mixed.Send(Reply("2026-01-03", "t1"));
  mixed.Send(Resolution("2026-01-04", "t1"));
  mixed.Send(Reply("2026-01-02", "t1"));
  CHECK(Tickets(mixed) == in_order);
}

TEST_CASE("a resolution from before the complaint does not close it") {
  OperatorHarness harness = ServiceHarness();
  harness.Send(Complaint("2026-01-05", "t1"));
  harness.Send(Resolution("2026-01-04", "t1"));
  harness.Send(Reply("2026-01-03", "t1"));
  CHECK(Tickets(harness) ==
        "opened 1, open 1, complaints 1 since 2026-01-05 00:00:00, reply none, resolution none, resolved 0");
}

TEST_CASE("tickets without an id share one, and a long id is told apart by more than its start") {
  OperatorHarness harness = ServiceHarness();
  harness.Send(Complaint("2026-01-01", ""));
  harness.Send(Complaint("2026-01-02", ""));
  const std::string start(100, 'x');
  harness.Send(Complaint("2026-01-03", start + "a"));
  harness.Send(Complaint("2026-01-04", start + "b"));
  CHECK(harness.Feature("anna", "service.open_complaints") == "3");
  harness.Send(Resolution("2026-01-05", ""));
  harness.Send(Resolution("2026-01-05", start + "a"));
  CHECK(harness.Feature("anna", "service.open_complaints") == "1");
  CHECK(harness.Feature("anna", "service.oldest_open_complaint") == "2026-01-04 00:00:00");
}

TEST_CASE("where there is no room the oldest question leaves, and complaints stay") {
  OperatorHarness harness = ServiceHarness();
  harness.Send(Complaint("2026-01-01", "c0"));
  for (int i = 0; i < 7; ++i) harness.Send(Question(absl::StrCat("2026-01-0", i + 2), absl::StrCat("q", i)));
  harness.Send(Complaint("2026-02-01", "c1"));
  harness.Send(Reply("2026-02-02", "nobody knows it"));
  std::string names;
  const std::string open = harness.ItemsFeature("anna", "service.open");
  for (const char* name : {"c0", "q0", "q1", "q2", "q3", "q4", "q5", "q6", "c1"}) {
    if (open.find(name) != std::string::npos) absl::StrAppend(&names, name, " ");
  }
  CHECK(names == "c0 q1 q2 q3 q4 q5 q6 c1 ");
  for (int i = 0; i < 7; ++i) harness.Send(Complaint("2026-03-01", absl::StrCat("d", i)));
  CHECK(harness.Feature("anna", "service.open_complaints") == "8");
  CHECK(harness.Feature("anna", "service.oldest_open_complaint") == "2026-02-01 00:00:00");
  CHECK(harness.Feature("anna", "service.tickets") == "16");
}

TEST_CASE("contacts are what the customer does, counted on their own day") {
  OperatorHarness harness = ServiceHarness();
  harness.Send(Question("2026-01-01", "t1"));
  harness.Send(Call("2026-01-10", v1::PhoneCall::INBOUND, minutes(5)));
  harness.Send(Call("2026-01-11", v1::PhoneCall::OUTBOUND, minutes(2)));
  harness.Send(Reply("2026-01-12", "t1"));
  harness.Send(Social("2026-03-01"));
  harness.AdvanceTo("2026-03-20");
  Event form = AtTime("2026-02-25");
  form.mutable_feedback_submitted();
  harness.Send(form);
  std::string told;
  for (const char* name :
       {"contacts_30d", "contacts_90d", "contacts", "calls_90d", "talk_seconds_90d", "outbound_calls_90d",
        "feedback_30d", "social_30d", "questions_30d", "questions_90d", "last_contact"}) {
    absl::StrAppend(&told, name, " ", harness.Feature("anna", absl::StrCat("service.", name)), ", ");
  }
  CHECK(told ==
        "contacts_30d 2, contacts_90d 4, contacts 4, calls_90d 1, talk_seconds_90d 300, outbound_calls_90d 1, "
        "feedback_30d 1, social_30d 1, questions_30d 0, questions_90d 1, last_contact 2026-03-01 00:00:00, ");
}

TEST_CASE("satisfaction has a mean by window and a last score by event time; no score is passed over") {
  OperatorHarness harness = ServiceHarness();
  CHECK(harness.Feature("anna", "service.satisfaction_mean") == "no row");
  harness.Send(Rating("2026-01-01", 1.0));
  harness.Send(Rating("2026-03-20", 0.25));
  harness.Send(Rating("2026-03-19", 0.75));
  harness.Send(Rating("2026-03-21", std::nan("")));
  harness.Send(Rating("2026-03-21", 7));
  CHECK(harness.Feature("anna", "service.satisfaction_mean_30d") == "0.5");
  CHECK(harness.Feature("anna", "service.satisfaction_mean") == "0.6667");
  CHECK(harness.Feature("anna", "service.satisfaction_last") == "0.25");
  CHECK(harness.Feature("anna", "service.last_rating") == "2026-03-20 00:00:00");
  CHECK(harness.Feature("anna", "service.ratings") == "3");
  harness.AdvanceTo("2026-06-01");
  CHECK(harness.Feature("anna", "service.satisfaction_mean_30d") == "none");
}

TEST_CASE("the state of the service stays within its bound") {
  OperatorHarness harness = ServiceHarness();
  Timestamp time = At("2024-01-01");
  auto send = [&](Event event) {
    event.set_event_time_us(ToMicros(time));
    harness.Send(event);
  };
  for (int i = 0; i < 60; ++i, time += days(12)) {
    send(Complaint("2026-01-01", absl::StrCat(std::string(200, 'x'), i)));
    send(Question("2026-01-01", std::string(36, static_cast<char>('A' + i % 26))));
    send(Reply("2026-01-01", std::to_string(i)));
    send(Call("2026-01-01", v1::PhoneCall::INBOUND, minutes(i)));
    send(Social("2026-01-01"));
    send(Rating("2026-01-01", 0.5));
  }
  CHECK(harness.Feature("anna", "service.open_tickets") == "8");
  CHECK(harness.RowBytes("anna") < 1'100);
}

TEST_CASE("a typical state of the service takes less than 200 bytes, the row included") {
  OperatorHarness harness = ServiceHarness();
  harness.Send(Question("2026-01-01", "T-1001"));
  harness.Send(Reply("2026-01-02", "T-1001"));
  harness.Send(Resolution("2026-01-02", "T-1001"));
  harness.Send(Rating("2026-01-03", 0.8));
  harness.Send(Complaint("2026-03-03", "T-1002"));
  CHECK(harness.RowBytes("anna") < 200);
}

}  // namespace
}  // namespace portrait
