// Holds a loop to a number of events a second.
//
//   Pacer pacer(1000);
//   while (pacer.Wait(stop) && stream.Next(event)) Send(event);
#pragma once

#include <cstdint>

#include "operators/time.h"
#include "pipeline/ports/clock.h"
#include "pipeline/tools/stop_signal.h"

namespace portrait {

// One thread.
class Pacer {
 public:
  // `per_second` 0: as fast as it goes. `clock` must outlive this.
  Pacer(double per_second, const Clock* clock) : per_second_(per_second), clock_(*clock), began_(clock->Monotonic()) {}

  // Sleeps until the next event is due, and counts it. Short waits are left out: they add up to a longer one.
  // False: the user wants to stop.
  bool Wait(const StopSignal& stop);

 private:
  Duration Due() const;

  double per_second_;
  const Clock& clock_;
  Duration began_;
  uint64_t events_ = 0;
};

}  // namespace portrait
