// The names under which events come as JSON: those of the Segment spec, and our own where it has none.
#pragma once

#include <span>
#include <string_view>

#include "operators/event.h"

namespace portrait {

struct EventName {
  std::string_view name;     // "Order Completed"; matched whatever its case, blanks, underscores and dashes
  EventKind kind;            // BODY_NOT_SET: known, but cannot be processed
  std::string_view instead;  // then: what to send instead
};

// All names, the one to prefer first where a kind has several.
std::span<const EventName> EventNames();

// Null for a name that is not known.
const EventName* FindEventName(std::string_view name);

}  // namespace portrait
