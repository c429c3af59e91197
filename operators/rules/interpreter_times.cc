// The parts of points in time and of lengths: x.getFullYear(), x.getHours('Europe/Berlin'). See
// operators/rules/interpreter.h.
#include <cctype>
#include <optional>
#include <string>

#include "operators/rules/interpreter.h"
#include "operators/rules/time_parts.h"

namespace portrait::rules {
namespace {

std::optional<int64_t> OfLength(absl::Duration length, TimePart part) {
  switch (part) {
    case TimePart::kHours: return absl::ToInt64Hours(length);
    case TimePart::kMinutes: return absl::ToInt64Minutes(length);
    case TimePart::kSeconds: return absl::ToInt64Seconds(length);
    case TimePart::kMilliseconds: return absl::ToInt64Milliseconds(length % absl::Seconds(1));
    default: return std::nullopt;
  }
}

}  // namespace

std::optional<Any> PartOfTime(const FunctionCall& call) {
  const auto part = TimePartNamed(call.name);
  if (!part) return std::nullopt;
  const auto& given = call.arguments;
  if (call.method && given.size() == 1) {
    if (const auto* length = given[0].As<absl::Duration>()) {
      if (const auto value = OfLength(*length, *part)) return Any(*value);
    }
    if (const auto* time = given[0].As<absl::Time>()) return Any(ReadTimePart(*time, *part, absl::UTCTimeZone()));
  }
  if (call.method && given.size() == 2) {
    const auto* time = given[0].As<absl::Time>();
    const auto* name = given[1].As<std::string>();
    if (time != nullptr && name != nullptr) {
      const auto zone = ZoneNamed(*name);
      if (!zone) return Any(Failed{"no such time zone; write it as in \"Europe/Berlin\" or \"+02:00\""});
      return Any(ReadTimePart(*time, *part, *zone));
    }
  }
  return Any(NoSuchOverload(call.name, given));
}

}  // namespace portrait::rules
