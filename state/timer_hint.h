// A hint that a customer may have a timer due at a time.
#pragma once

#include <compare>
#include <cstdint>
#include <string>

namespace portrait {

// Ordered by time, then customer: the order in which timers of different customers fire.
struct TimerHint {
  int64_t time_us = 0;
  std::string customer_id;

  friend auto operator<=>(const TimerHint&, const TimerHint&) = default;
};

// The first hint that there can be after this one, and after all of this time.
inline TimerHint JustAfter(TimerHint hint) {
  hint.customer_id.push_back('\0');
  return hint;
}
inline TimerHint JustAfter(int64_t time_us) { return {time_us + 1, ""}; }

}  // namespace portrait
