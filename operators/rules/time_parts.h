// The parts of a point in time: getFullYear, getMonth and so on, as CEL counts them.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "absl/time/time.h"

namespace portrait::rules {

enum class TimePart {
  kFullYear,
  kMonth,       // from 0
  kDate,        // of the month, from 1
  kDayOfMonth,  // from 0
  kDayOfWeek,   // from 0, which is Sunday
  kDayOfYear,   // from 0
  kHours,
  kMinutes,
  kSeconds,
  kMilliseconds,
};

// By the name of CEL's function: "getFullYear".
std::optional<TimePart> TimePartNamed(std::string_view function);

int64_t ReadTimePart(absl::Time time, TimePart part, const absl::TimeZone& zone);

// "Europe/Berlin", "+02:00", "-09:30", "02:00". Nothing: there is no such zone on this machine.
std::optional<absl::TimeZone> ZoneNamed(std::string_view name);

}  // namespace portrait::rules
