#include "pipeline/ports/clock.h"

namespace portrait {

Timestamp SystemClock::Now() const { return std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now()); }

Duration SystemClock::Monotonic() const {
  return std::chrono::duration_cast<Duration>(std::chrono::steady_clock::now().time_since_epoch());
}

}  // namespace portrait
