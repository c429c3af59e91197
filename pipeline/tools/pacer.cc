#include "pipeline/tools/pacer.h"

#include <algorithm>
#include <thread>

namespace portrait {

Duration Pacer::Due() const {
  if (per_second_ <= 0) return Duration::zero();
  const Duration due(static_cast<int64_t>(static_cast<double>(events_) / per_second_ * 1e6));
  return due - (clock_.Monotonic() - began_);
}

bool Pacer::Wait(const StopSignal& stop) {
  constexpr Duration kShort = std::chrono::milliseconds(2), kLong = std::chrono::milliseconds(100);
  for (Duration due = Due(); due > kShort && !stop.raised(); due = Due())
    std::this_thread::sleep_for(std::min(due, kLong));
  ++events_;
  return !stop.raised();
}

}  // namespace portrait
