// Local days as they are written: 2011-05-01.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace portrait {

// Days since 1970-01-01. InvalidArgument: not of this form, or no such day.
absl::StatusOr<int32_t> ParseDay(std::string_view text);
std::string DayText(int32_t day);

}  // namespace portrait
