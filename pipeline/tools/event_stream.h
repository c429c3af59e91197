// A stream of events, one after another, ordered by event time.
#pragma once

#include "operators/event.h"

namespace portrait {

// One thread.
class EventStream {
 public:
  virtual ~EventStream() = default;

  // Overwrites `event` with the next one; false when there is none. Times never go back.
  virtual bool Next(Event& event) = 0;
};

}  // namespace portrait
