// Times out of states, where there may be none.
#pragma once

#include <optional>

#include "operators/time.h"

namespace portrait {

inline std::optional<Timestamp> TimeIf(bool known, int64_t time_us) {
  return known ? std::optional<Timestamp>(FromMicros(time_us)) : std::nullopt;
}

// Of a state that keeps seconds since 1970; 0: none.
inline std::optional<Timestamp> TimeOfSecond(int64_t second) {
  return second == 0 ? std::nullopt : std::optional<Timestamp>(Timestamp(seconds(second)));
}

}  // namespace portrait
