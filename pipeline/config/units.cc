#include "pipeline/config/units.h"

#include <cmath>
#include <span>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace portrait {
namespace {

struct Unit {
  std::string_view name;
  uint64_t size;
};

// Ascending, so that the last one that divides a value is the largest.
constexpr Unit kTimes[] = {{"us", 1},         {"ms", 1'000},        {"s", 1'000'000},
                           {"m", 60'000'000}, {"h", 3'600'000'000}, {"d", 86'400'000'000}};
constexpr Unit kSizes[] = {{"B", 1},          {"kB", 1'000},         {"KiB", 1u << 10}, {"MB", 1'000'000},
                           {"MiB", 1u << 20}, {"GB", 1'000'000'000}, {"GiB", 1u << 30}};

absl::StatusOr<uint64_t> Parse(std::string_view text, std::span<const Unit> units, std::string_view need) {
  const size_t digits = std::min(text.find_first_not_of("0123456789."), text.size());
  const std::string_view number = text.substr(0, digits), unit = text.substr(digits);
  double value = 0;
  if (digits > 16 || !absl::SimpleAtod(absl::string_view(number.data(), number.size()), &value)) {
    return absl::InvalidArgumentError(absl::StrCat("must be a number with a unit: ", std::string(need)));
  }
  for (const Unit& candidate : units) {
    if (unit != candidate.name) continue;
    const double result = value * static_cast<double>(candidate.size);
    if (result > 9e15) return absl::InvalidArgumentError("is too large");
    if (result != std::floor(result)) {
      return absl::InvalidArgumentError(absl::StrCat("must be a whole number of ", std::string(units[0].name)));
    }
    return static_cast<uint64_t>(result);
  }
  return absl::InvalidArgumentError(
      absl::StrCat(unit.empty() ? "needs a unit: " : "has a unit that is not known; known are ", std::string(need)));
}

std::string Format(uint64_t value, std::span<const Unit> units) {
  Unit best = units[0];
  for (const Unit& unit : units) {
    if (value != 0 && value % unit.size == 0) best = unit;
  }
  return absl::StrCat(value / best.size, std::string(best.name));
}

}  // namespace

absl::StatusOr<Duration> ParseDuration(std::string_view text) {
  const absl::StatusOr<uint64_t> micros = Parse(text, kTimes, "us, ms, s, m, h or d, as in 100ms");
  if (!micros.ok()) return micros.status();
  return Duration(static_cast<int64_t>(*micros));
}

std::string FormatDuration(Duration duration) {
  if (duration.count() < 0) return absl::StrCat("-", FormatDuration(-duration));
  if (duration.count() == 0) return "0s";
  return Format(static_cast<uint64_t>(duration.count()), kTimes);
}

absl::StatusOr<uint64_t> ParseBytes(std::string_view text) {
  return Parse(text, kSizes, "B, kB, MB, GB, KiB, MiB or GiB, as in 256MiB");
}

std::string FormatBytes(uint64_t bytes) { return Format(bytes, kSizes); }

}  // namespace portrait
