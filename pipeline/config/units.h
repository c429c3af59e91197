// Durations and sizes as people write them: "100ms", "60d", "256MiB".
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "operators/time.h"

namespace portrait {

// A number of at most 15 digits, possibly with a fraction, and one unit: us, ms, s, m, h or d. "0" alone has no unit
// either and is refused. InvalidArgument says what is missing; the caller adds the value.
absl::StatusOr<Duration> ParseDuration(std::string_view text);
// In the largest unit that leaves no fraction.
std::string FormatDuration(Duration duration);

// The same with B, kB, MB, GB (powers of 1000), KiB, MiB, GiB (powers of 1024).
absl::StatusOr<uint64_t> ParseBytes(std::string_view text);
std::string FormatBytes(uint64_t bytes);

}  // namespace portrait
