// The basic facts about a person, each with where and when it was learned, and the person's consent.
//
//   builder.Add<Person>();
//   … person.city = "Lyon", person.facts = city(2026-01-31 12:00:00, crm), person.consent_marketing = "granted"
//
// Facts come with `identified`, consent with `consent_changed` and with the envelope of any event (Event.consent).
// Each fact stands for itself: the one learned at the latest event time is kept, whatever order the events come in; of
// two learned at the same time, the one that came last. An empty field says nothing and takes nothing away.
//
// Bound: 15 facts, each learned at one of at most 15 moments. Texts are cut at 100 bytes; an email address (254 bytes)
// or a phone number (32 bytes) that is longer is no such thing and is passed over; a source is cut at 24 bytes. A
// typical state (9 facts from three events) takes 160 bytes, the largest possible one 1.9 kB.
#pragma once

#include "operators/operator.h"
#include "portrait/v1/state/person.pb.h"

namespace portrait {

class Person final : public Operator<v1::state::Person> {
 public:
  static void Describe(Description& about);
  void OnEvent(const Event& event, v1::state::Person& state, Context& context) const override;
};

}  // namespace portrait
