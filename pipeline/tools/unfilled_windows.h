// Which windows of events do not know everything yet that happened within their length: those that rules name anew
// begin empty, those that were named for too short a time, or with a shorter length, are still filling.
//
//   const UnfilledWindows unfilled = FindUnfilled(past, rules.windows().Windows(), now);
//   std::cout << TextOf(unfilled);
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "nlohmann/json.hpp"
#include "operators/rules/event_windows.h"
#include "operators/time.h"

namespace portrait {

// From a moment on these windows were kept, by the rules in force and those in the shadow, until the next period.
struct WindowPeriod {
  Timestamp from;
  std::vector<rules::EventWindows::Named> windows;
};

struct UnfilledWindow {
  std::string name;                      // count(page_viewed, "7d")
  std::optional<Timestamp> since;        // knows what happened from here on; none: begins empty now
  std::optional<Timestamp> complete_at;  // none: never, for it asks for the first or last event of all
};
using UnfilledWindows = std::vector<UnfilledWindow>;  // by name

// `past` in the order of time; its first period is taken to go back to the beginning of everything.
UnfilledWindows FindUnfilled(const std::vector<WindowPeriod>& past,
                             const std::vector<rules::EventWindows::Named>& wanted, Timestamp now);

// A line for each, under a heading; empty when there are none.
std::string TextOf(const UnfilledWindows& windows);
nlohmann::json JsonOf(const UnfilledWindows& windows);

}  // namespace portrait
