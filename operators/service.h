// The customer's contacts with the service: tickets from question or complaint to reply and resolution, satisfaction,
// phone calls, feedback and social interactions.
//
//   builder.Add<Service>();
//   … service.open_complaints = 1, service.oldest_open_complaint = 2026-01-31 12:00:00, service.contacts_90d = 4
//
// A ticket opens with the first question or complaint of its id, is answered by its first reply and ends with its
// resolution; a question or complaint after that opens it again. A question followed by a complaint is a complaint.
// Questions and complaints without a ticket id share one ticket. Replies and resolutions may come before what they
// belong to: they wait for it.
//
// Contacts are what the customer does: questions, complaints, phone calls but outbound ones, feedback, social
// interactions. Each is counted on its event's own day, however late it comes.
//
// Bound: kServiceTickets (8) tickets, of which at most kServiceTicketsSettled (2) are not open. Where there is no room,
// the first to leave is the settled ticket heard of longest ago, then the question opened longest ago, then such a
// complaint. A ticket that left stays in the means and shares as far as it had come, and counts as open no more. Ids
// over 36 bytes are kept as a hash. A ticket takes up to 70 bytes, an open one with an id of 8 some 22; with the
// windows (see operators/window.h) a typical state takes 100 bytes; one with all tickets open and 30 days of each kind
// of contact a year, 1 kB.
#pragma once

#include "operators/operator.h"
#include "portrait/v1/state/service.pb.h"

namespace portrait {

inline constexpr int kServiceTickets = 8;
inline constexpr int kServiceTicketsSettled = 2;

class Service final : public Operator<v1::state::Service> {
 public:
  static void Describe(Description& about);
  void OnEvent(const Event& event, v1::state::Service& state, Context& context) const override;
};

}  // namespace portrait
