// The fields of events as names in conditions: `category` of page_viewed, `total` of order_completed.
//
//   const EventFields& fields = EventFields::Of(Event::kOrderCompleted);
//   Compiler(fields.registry(), program).Condition("total > 100", {.fields_of = Event::kOrderCompleted});
//   Evaluation evaluation(program, EventReader(event), {}, Scratch::OfThisThread());
//
// Named as in event.proto, without the unit: `total` of total_micros is an amount in the home currency, `dwell` of
// dwell_us a length of time. The fields of the one product of an action count as its own (`category`, `price`); lists
// do not. `source` is of every kind. A choice is the text of its name in small letters (`direction == "inbound"`).
//
// What says nothing has no value: an empty text, a length of time of 0, a choice that is not made, a score below 0, and
// of a person's facts a 0. A quantity of 0 is 1.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "operators/event.h"
#include "operators/features.h"

namespace portrait::rules {

// Made once for each kind; constant and safe from any thread.
class EventFields {
 public:
  static const EventFields& Of(EventKind kind);

  // Whether rules may name windows of them. Not of customer_erased, after which nothing is left, nor of pins, which
  // other people put on a customer.
  static bool HaveWindows(EventKind kind);
  // Those of which they may, in the order of event.proto.
  static std::vector<EventKind> Kinds();

  // Each field as a feature that is read from an Event; its slot means nothing.
  const FeatureRegistry& registry() const { return registry_; }
  // "category, path, product_id"
  std::string Names() const;

 private:
  FeatureRegistry registry_;
};

// What an Evaluation reads the fields of one event from. The event must outlive it and the texts read.
class EventReader {
 public:
  explicit EventReader(const Event& event) : event_(event) {}
  Value Get(const FeatureRef& field) const { return field.description().value(event_, {}); }
  static Items GetItems(const FeatureRef&) { return {}; }

 private:
  const Event& event_;
};

// What a path begins with: a kind as it is named, or in short: page, order, cart_added; a dot stands for an underscore,
// as in email.opened.
struct KindInPath {
  EventKind kind;
  std::string_view rest;  // of the path behind it and a dot; empty when there is none
};
std::optional<KindInPath> KindAtBeginOf(std::string_view path);

// A field by its name, of which a last `_id` may be left out.
absl::StatusOr<FeatureRef> FindField(const FeatureRegistry& fields, std::string_view name);

// "page_viewed has no field categori; did you mean category".
std::string NoField(EventKind kind, std::string_view name);

// "; did you mean page_viewed", for names of kinds; empty when nothing comes near.
std::string DidYouMeanKind(std::string_view name);

}  // namespace portrait::rules
