#include "pipeline/tools/local_days.h"

#include "absl/strings/str_cat.h"
#include "absl/time/civil_time.h"

namespace portrait {

absl::StatusOr<int32_t> ParseDay(std::string_view text) {
  absl::CivilDay day;
  const bool good = text.size() == 10 && absl::ParseCivilTime({text.data(), text.size()}, &day);
  if (!good) return absl::InvalidArgumentError(absl::StrCat("no day such as 2011-05-01: ", std::string(text)));
  return static_cast<int32_t>(day - absl::CivilDay());
}

std::string DayText(int32_t day) { return absl::FormatCivilTime(absl::CivilDay() + day); }

}  // namespace portrait
