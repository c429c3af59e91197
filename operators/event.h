// Events as the operators see them, and the names of their kinds.
#pragma once

#include <bitset>
#include <optional>
#include <string_view>

#include "operators/time.h"
#include "portrait/v1/event.pb.h"

namespace portrait {

using v1::Event;

// The kind of an event is the body it carries: EventKind::kOrderCompleted.
using EventKind = Event::BodyCase;

inline constexpr int kEventKinds = 128;  // body field numbers lie below this
using EventKindSet = std::bitset<kEventKinds>;

// The name of a kind as in event.proto, such as "order_completed"; "unknown" when there is no body.
std::string_view EventKindName(EventKind kind);

// The kind of that name, or nothing.
std::optional<EventKind> EventKindNamed(std::string_view name);

inline Timestamp EventTime(const Event& event) { return FromMicros(event.event_time_us()); }

// The key of the row that an event belongs to: the customer id, else the anonymous id; empty when it has neither.
inline std::string_view RowKey(const Event& event) {
  return event.customer_id().empty() ? event.anonymous_id() : event.customer_id();
}

}  // namespace portrait
