// How a pipeline of several processes does, from how each of them says that it does.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string_view>

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
  struct All {
    Json sum;                         // all but the history
    std::map<int64_t, Json> samples;  // by interval
    int64_t last = INT64_MAX;         // of which all have a sample; a later one would look like a fall
  };
  void AddHistory(const Json& history, All& all) const;

  const Duration interval_;
  All all_;
  size_t others_ = 0;
};

}  // namespace portrait::view
