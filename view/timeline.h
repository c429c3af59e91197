// A customer's story: what happened and what it caused, from what the row still knows and the results remembered.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "view/json.h"
#include "view/portrait.h"
#include "view/result_hub.h"

namespace portrait::view {

struct TimelinePage {
  size_t limit = 50;
  std::string before;  // `next` of the page before; empty: the first
};

// `moments`, `next` and `history`. InvalidArgument: `before` is none of ours.
absl::StatusOr<Json> Timeline(const Portraits& portraits, const Portraits::Row& row, Timestamp as_of,
                              const ResultHub::Remembered& results, const TimelinePage& page, bool masked);

}  // namespace portrait::view
