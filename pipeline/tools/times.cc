#include "pipeline/tools/times.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "pipeline/config/units.h"

namespace portrait {

absl::StatusOr<Timestamp> ParseTimestamp(std::string_view text, Timestamp now) {
  if (const auto ago = ParseDuration(text); ago.ok()) return now - *ago;
  absl::Time time;
  std::string error;
  for (const char* format : {"%E4Y-%m-%d", "%E4Y-%m-%d %H:%M", "%E4Y-%m-%d %H:%M:%E*S", "%E4Y-%m-%d%ET%H:%M:%E*S%Ez"}) {
    if (absl::ParseTime(format, {text.data(), text.size()}, absl::UTCTimeZone(), &time, &error))
      return FromMicros(absl::ToUnixMicros(time));
  }
  return absl::InvalidArgumentError(
      absl::StrCat("no time such as 2026-01-31, \"2026-01-31 12:00\" or 7d (ago): ", std::string(text)));
}

}  // namespace portrait
