// The port for forgetting the beginning of a log.
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/status.h"

namespace portrait {

// One thread.
class LogTrimmer {
 public:
  virtual ~LogTrimmer() = default;

  // Asks for the records of a partition below the offset to be forgotten. Returns at once, and may forget them later,
  // or not at all: a request is not repeated. The error is that of an earlier request, or of this one.
  virtual absl::Status Trim(const std::string& topic, int32_t partition, int64_t below) = 0;
};

}  // namespace portrait
