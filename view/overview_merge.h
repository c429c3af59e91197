// How a pipeline of several processes does, from how each of them says that it does.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "operators/time.h"
#include "view/json.h"

namespace portrait::view {

// Rates, lag, counts and memory are added up; of latencies the worst is told; the rate of hits is the mean, by records.
// A sample of the history is of all that have one within the same interval of the clock.
class OverviewMerge {
 public:
  // `own`: of this process, whose name, version and readiness are told.
  OverviewMerge(Json own, Duration interval);

  // Of another process, as it answers with. InvalidArgument: it is no such thing; nothing is added.
  absl::Status Add(std::string_view text);

  Json Take() &&;

 private:
  std::vector<Json> all_;  // the own one first
  const Duration interval_;
};

}  // namespace portrait::view
