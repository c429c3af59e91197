#include "pipeline/tools/unfilled_windows.h"

#include <algorithm>
#include <limits>

#include "absl/strings/str_cat.h"
#include "pipeline/tools/times.h"

namespace portrait {
namespace {

using Named = rules::EventWindows::Named;
constexpr Timestamp kBeginning = FromMicros(std::numeric_limits<int64_t>::min() / 4);  // of everything

// How long the windows that share what is kept keep it; nothing: none is there. First and last are kept for ever.
std::optional<Duration> KeptFor(const std::vector<Named>& windows, const std::string& kept) {
  std::optional<Duration> longest;
  for (const Named& window : windows) {
    if (window.kept != kept) continue;
    const Duration length = window.length ? window.length->exact : Duration::max();
    longest = std::max(longest.value_or(length), length);
  }
  return longest;
}

Timestamp Before(Timestamp time, Duration length) { return length == Duration::max() ? kBeginning : time - length; }

// Since when all that happened is known of what is kept; nothing: it is not kept.
std::optional<Timestamp> KnownSince(const std::vector<WindowPeriod>& past, const std::string& kept, Timestamp now) {
  std::optional<Timestamp> known;
  for (size_t i = 0; i < past.size(); ++i) {
    const auto kept_for = KeptFor(past[i].windows, kept);
    if (!kept_for) {
      known.reset();
      continue;
    }
    if (!known) known = i == 0 ? kBeginning : past[i].from;
    const Timestamp end = i + 1 < past.size() ? past[i + 1].from : now;
    known = std::max(*known, Before(end, *kept_for));
  }
  return known;
}

}  // namespace

UnfilledWindows FindUnfilled(const std::vector<WindowPeriod>& past, const std::vector<Named>& wanted, Timestamp now) {
  UnfilledWindows out;
  for (const Named& window : wanted) {
    const std::optional<Timestamp> since = KnownSince(past, window.kept, now);
    if (!window.length) {
      if (since != kBeginning) out.push_back({window.name, since, std::nullopt});
      continue;
    }
    const Timestamp from = since.value_or(now);
    if (from <= Before(now, window.length->exact)) continue;
    out.push_back({window.name, since, from + window.length->exact});
  }
  return out;
}

std::string TextOf(const UnfilledWindows& windows) {
  if (windows.empty()) return "";
  std::string out = "Windows of events that do not know everything yet:\n";
  for (const UnfilledWindow& window : windows) {
    absl::StrAppend(&out, "    ", window.name,
                    window.since ? absl::StrCat(": fills since ", ToText(*window.since)) : ": begins empty",
                    window.complete_at ? absl::StrCat(", knows all from ", ToText(*window.complete_at), " on")
                                       : ", and never knows what was before",
                    "\n");
  }
  return out;
}

nlohmann::json JsonOf(const UnfilledWindows& windows) {
  nlohmann::json out = nlohmann::json::array();
  for (const UnfilledWindow& window : windows) {
    nlohmann::json& one = out.emplace_back();
    one["window"] = window.name;
    one["since"] = window.since ? nlohmann::json(ToText(*window.since)) : nlohmann::json();
    one["complete_at"] = window.complete_at ? nlohmann::json(ToText(*window.complete_at)) : nlohmann::json();
  }
  return out;
}

}  // namespace portrait
