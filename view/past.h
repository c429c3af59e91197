// What is known of a customer as of a moment that has passed: from what the row still keeps of it and the results
// remembered. Nothing is computed anew: `portrait explain --at` does that, from the events.
#pragma once

#include "absl/status/statusor.h"
#include "view/json.h"
#include "view/portrait.h"
#include "view/result_hub.h"

namespace portrait::view {

// All of schema CustomerThen but `customer` and `seen`. InvalidArgument: `at` is later than `as_of`, the moment at
// which the row is looked at. NotFound: it is earlier than the customer's first event.
absl::StatusOr<Json> Past(const Portraits& portraits, const Portraits::Row& row, Timestamp at, Timestamp as_of,
                          const ResultHub::Remembered& results, bool masked);

}  // namespace portrait::view
