#include "operators/rules/time_parts.h"

#include <algorithm>
#include <string>

#include "absl/strings/ascii.h"

namespace portrait::rules {

std::optional<TimePart> TimePartNamed(std::string_view function) {
  constexpr std::string_view kNames[] = {"getFullYear",  "getMonth", "getDate",    "getDayOfMonth", "getDayOfWeek",
                                         "getDayOfYear", "getHours", "getMinutes", "getSeconds",    "getMilliseconds"};
  const auto* const at = std::find(std::begin(kNames), std::end(kNames), function);
  if (at == std::end(kNames)) return std::nullopt;
  return static_cast<TimePart>(at - std::begin(kNames));
}

int64_t ReadTimePart(absl::Time time, TimePart part, const absl::TimeZone& zone) {
  const absl::TimeZone::CivilInfo civil = zone.At(time);
  switch (part) {
    case TimePart::kFullYear: return civil.cs.year();
    case TimePart::kMonth: return civil.cs.month() - 1;
    case TimePart::kDate: return civil.cs.day();
    case TimePart::kDayOfMonth: return civil.cs.day() - 1;
    // absl::Weekday begins with Monday.
    case TimePart::kDayOfWeek: return (static_cast<int64_t>(absl::GetWeekday(absl::CivilDay(civil.cs))) + 1) % 7;
    case TimePart::kDayOfYear: return absl::GetYearDay(absl::CivilDay(civil.cs)) - 1;
    case TimePart::kHours: return civil.cs.hour();
    case TimePart::kMinutes: return civil.cs.minute();
    case TimePart::kSeconds: return civil.cs.second();
    case TimePart::kMilliseconds: return absl::ToInt64Milliseconds(civil.subsecond);
  }
  return 0;
}

std::optional<absl::TimeZone> ZoneNamed(std::string_view name) {
  const bool negative = !name.empty() && name[0] == '-';
  std::string_view digits = name;
  if (negative || (!name.empty() && name[0] == '+')) digits.remove_prefix(1);
  const auto digit = [&](size_t i) { return absl::ascii_isdigit(static_cast<unsigned char>(digits[i])); };
  if (digits.size() == 5 && digits[2] == ':' && digit(0) && digit(1) && digit(3) && digit(4)) {
    const auto value = [&](size_t i) { return (digits[i] - '0') * 10 + digits[i + 1] - '0'; };
    const int minutes = value(0) * 60 + value(3);
    if (value(0) > 23 || value(3) > 59) return std::nullopt;
    return absl::FixedTimeZone((negative ? -minutes : minutes) * 60);
  }
  // A name is part of a path: nothing but names.
  const bool plain = !name.empty() && name.size() <= 64 && name[0] != '/' &&
                     name.find("..") == std::string_view::npos &&
                     std::all_of(name.begin(), name.end(), [](unsigned char c) {
                       return absl::ascii_isalnum(c) || c == '/' || c == '_' || c == '-' || c == '+';
                     });
  absl::TimeZone zone;
  if (!plain || !absl::LoadTimeZone(std::string(name), &zone)) return std::nullopt;
  return zone;
}

}  // namespace portrait::rules
