// The first day of a silence on which something has come about that does not go away while the silence lasts.
//
//   int32_t day = FirstSilence(10, 90, [](int32_t silent_days) { return Score(silent_days) >= 0.8; });
#pragma once

#include <cstdint>

namespace portrait {

// Above `below` and up to `reached`; `holds(reached)` is true, `holds(below)` is not, and in between it changes once.
template <class Holds>
int32_t FirstSilence(int32_t below, int32_t reached, Holds holds) {
  while (reached - below > 1) {
    const int32_t middle = below + (reached - below) / 2;
    (holds(middle) ? reached : below) = middle;
  }
  return reached;
}

}  // namespace portrait
