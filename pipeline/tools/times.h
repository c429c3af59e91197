// Times and lengths of time as they are written on a command line.
#pragma once

#include <string_view>

#include "absl/status/statusor.h"
#include "operators/time.h"

namespace portrait {

// "2026-01-31", "2026-01-31 12:00", "2026-01-31T12:00:00Z", all UTC, or how long ago: "2h", "7d".
absl::StatusOr<Timestamp> ParseTimestamp(std::string_view text, Timestamp now);

}  // namespace portrait
