// The port to time.
#pragma once

#include "operators/time.h"

namespace portrait {

// Safe from any thread.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual Timestamp Now() const = 0;       // wall time
  virtual Duration Monotonic() const = 0;  // since some fixed point; never goes back
};

class SystemClock final : public Clock {
 public:
  Timestamp Now() const override;
  Duration Monotonic() const override;
};

}  // namespace portrait
