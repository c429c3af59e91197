// The port for reading any log from any offset: journal, changelog, and sources again for replay.
#pragma once

#include <memory>
#include <optional>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "operators/time.h"
#include "pipeline/ports/record.h"

namespace portrait {

struct LogRange {
  int64_t begin = 0;  // the first offset still there
  int64_t end = 0;    // the high watermark, counting open transactions: one after the last record written by anybody
};

class LogCursor {
 public:
  virtual ~LogCursor() = default;

  // The next committed record, or nothing once everything below the cursor's end is read. Waits for open transactions
  // below that end to be settled. Unavailable: nothing came within the timeout; call again.
  virtual absl::StatusOr<std::optional<Record>> Next(Duration timeout) = 0;
};

// One thread.
class LogReader {
 public:
  virtual ~LogReader() = default;

  virtual absl::StatusOr<LogRange> Range(std::string_view topic, int32_t partition, Duration timeout) = 0;

  // Reads committed records from..end (excluded). `from` below the range's begin: OutOfRange.
  // The cursor must not outlive the reader. Several may be open at once.
  virtual absl::StatusOr<std::unique_ptr<LogCursor>> Open(std::string_view topic, int32_t partition, int64_t from,
                                                          int64_t end) = 0;
};

}  // namespace portrait
