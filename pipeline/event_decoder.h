// From the bytes of a record to an event.
#pragma once

#include <optional>
#include <string_view>

#include "operators/cleaning.h"
#include "operators/event.h"
#include "pipeline/options.h"
#include "pipeline/ports/record.h"

namespace portrait {

// One for each thread. What comes out follows from the record and the source alone, so that a replay gets the same.
class EventDecoder {
 public:
  virtual ~EventDecoder() = default;

  // Fills `event`, which is empty, or says why the record is none.
  virtual std::optional<Rejection> Decode(const Record& record, const SourceOptions& source, Event& event) = 0;
};

}  // namespace portrait
