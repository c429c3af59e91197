#include "pipeline/config/setting.h"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <limits>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "pipeline/absl_view.h"
#include "pipeline/config/units.h"

namespace portrait {
namespace {

// "3 to 5", "at least 3" where there is no upper end worth naming.
std::string RangeText(const std::string& least, const std::string& most, bool open) {
  return open ? absl::StrCat("at least ", least) : absl::StrCat(least, " to ", most);
}

template <class T, class Parse, class Show>
SettingType<T> Between(std::string_view name, T least, T most, Parse parse, Show show) {
  const std::string range = RangeText(show(least), show(most), most == std::numeric_limits<T>::max());
  return {absl::StrCat(std::string(name), ", ", range),
          [=](std::string_view text) -> absl::StatusOr<T> {
            absl::StatusOr<T> value = parse(text);
            if (value.ok() && !(*value >= least && *value <= most)) {
              return absl::InvalidArgumentError(absl::StrCat("must be ", range));
            }
            return value;
          },
          show};
}

// The fewest digits that read back as the same number; whole numbers without an exponent.
std::string Shortest(double value) {
  if (std::abs(value) < 1e15 && value == std::floor(value)) return absl::StrCat(static_cast<int64_t>(value));
  std::string text;
  for (int digits = 6; digits <= 17; ++digits) {
    text = absl::StrFormat("%.*g", digits, value);
    double back = 0;
    if (absl::SimpleAtod(text, &back) && back == value) break;
  }
  return text;
}

bool IsKafkaName(std::string_view text) {
  return !text.empty() && text.size() <= 200 && text != "." && text != ".." &&
         std::all_of(text.begin(), text.end(),
                     [](unsigned char c) { return std::isalnum(c) != 0 || c == '.' || c == '_' || c == '-'; });
}

// Names of the time-zone database only: "localtime" and files would differ from machine to machine.
bool IsZoneName(std::string_view text) {
  return !text.empty() && text != "localtime" && text[0] != '/' && text.find("..") == std::string_view::npos &&
         text.find(':') == std::string_view::npos;
}

std::string Identity(const std::string& text) { return text; }

}  // namespace

std::string Listed(const std::vector<std::string>& words) {
  std::string out;
  for (size_t i = 0; i < words.size(); ++i) {
    absl::StrAppend(&out, i == 0 ? "" : i + 1 == words.size() ? " or " : ", ", words[i]);
  }
  return out;
}

void Refuse(const ConfigNode& node, std::string_view key, std::string_view what, ConfigProblems& problems) {
  std::string text(what);
  if (node.kind == ConfigNode::Kind::kScalar)
    absl::StrAppend(&text, ": ", node.written.empty() ? "\"\"" : node.written);
  problems.Add(node.line, key, text);
}

SettingType<Duration> DurationBetween(Duration least, Duration most) {
  return Between<Duration>("duration", least, most, ParseDuration, FormatDuration);
}

SettingType<uint64_t> BytesBetween(uint64_t least, uint64_t most) {
  return Between<uint64_t>("size", least, most, ParseBytes, FormatBytes);
}

SettingType<int64_t> WholeBetween(int64_t least, int64_t most) {
  auto parse = [](std::string_view text) -> absl::StatusOr<int64_t> {
    int64_t value = 0;
    if (!absl::SimpleAtoi(AbslView(text), &value)) return absl::InvalidArgumentError("must be a whole number");
    return value;
  };
  return Between<int64_t>("whole number", least, most, parse, [](const int64_t& value) { return absl::StrCat(value); });
}

SettingType<double> NumberBetween(double least, double most) {
  auto parse = [](std::string_view text) -> absl::StatusOr<double> {
    double value = 0;
    if (!absl::SimpleAtod(AbslView(text), &value)) return absl::InvalidArgumentError("must be a number");
    return value;
  };
  return Between<double>("number", least, most, parse, [](const double& value) { return Shortest(value); });
}

SettingType<int64_t> WholeDaysBetween(int64_t least, int64_t most) {
  auto parse = [](std::string_view text) -> absl::StatusOr<int64_t> {
    const absl::StatusOr<Duration> duration = ParseDuration(text);
    if (!duration.ok()) return duration.status();
    if (*duration % days(1) != Duration(0)) return absl::InvalidArgumentError("must be whole days");
    return *duration / days(1);
  };
  return Between<int64_t>("whole days", least, most, parse,
                          [](const int64_t& value) { return absl::StrCat(value, "d"); });
}

SettingType<double> DaysBetween(double least, double most) {
  auto parse = [](std::string_view text) -> absl::StatusOr<double> {
    const absl::StatusOr<Duration> duration = ParseDuration(text);
    if (!duration.ok()) return duration.status();
    return InDays(*duration);
  };
  auto show = [](const double& value) {
    return FormatDuration(std::chrono::round<Duration>(std::chrono::duration<double, days::period>(value)));
  };
  return Between<double>("duration", least, most, parse, show);
}

SettingType<bool> YesOrNo() { return OneOf<bool>({{"true", true}, {"false", false}}); }

SettingType<std::string> Text() {
  auto parse = [](std::string_view text) -> absl::StatusOr<std::string> {
    if (text.empty()) return absl::InvalidArgumentError("must not be empty");
    return std::string(text);
  };
  return {"text", parse, Identity};
}

SettingType<std::string> KafkaName() {
  auto parse = [](std::string_view text) -> absl::StatusOr<std::string> {
    if (!IsKafkaName(text)) {
      return absl::InvalidArgumentError("must be at most 200 letters, digits, dots, underscores and hyphens");
    }
    return std::string(text);
  };
  return {"name", parse, Identity};
}

SettingType<absl::TimeZone> ZoneName() {
  auto parse = [](std::string_view text) -> absl::StatusOr<absl::TimeZone> {
    absl::TimeZone zone;
    if (!IsZoneName(text) || !absl::LoadTimeZone(AbslView(text), &zone)) {
      return absl::InvalidArgumentError("must be a name of the time-zone database, such as UTC or Europe/Berlin");
    }
    return zone;
  };
  return {"time zone", parse, [](const absl::TimeZone& zone) { return zone.name(); }};
}

SettingType<std::string> CurrencyCode() {
  auto parse = [](std::string_view text) -> absl::StatusOr<std::string> {
    if (text.size() != 3 || !std::all_of(text.begin(), text.end(), [](char c) { return c >= 'A' && c <= 'Z'; })) {
      return absl::InvalidArgumentError("must be a currency code of three capital letters (ISO 4217), such as USD");
    }
    return std::string(text);
  };
  return {"currency code", parse, Identity};
}

}  // namespace portrait
