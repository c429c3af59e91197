// One setting of the configuration: how it is called, read, shown and explained. The loader, `portrait check` and
// docs/configuration.md all go by the same list, Settings().
#pragma once

#include <functional>
#include <initializer_list>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "pipeline/config/config.h"
#include "pipeline/config/config_node.h"

namespace portrait {

struct Setting {
  std::string key;      // in full, a dot for every level: commit.interval
  std::string type;     // for people: "duration, 10ms to 60s"
  std::string meaning;  // a sentence without its full stop
  // Sets the value in the configuration, or adds problems.
  std::function<void(const ConfigNode& node, Config& config, ConfigProblems& problems)> read;
  // The value as the file would have it, the same for the same value; of a default Config it is the default.
  std::function<std::string(const Config& config)> show;
  bool essential = false;        // one of the few that everybody should know
  bool changes_results = false;  // part of the chain version: rows and results depend on it
  // What counts for the chain version, where it is not what is shown.
  std::function<std::string(const Config& config)> substance;
};

// All settings in the order of the documentation.
const std::vector<Setting>& Settings();

// How a value of type T is written.
template <class T>
struct SettingType {
  std::string name;
  std::function<absl::StatusOr<T>(std::string_view)> parse;  // the error says what is allowed, without the value
  std::function<std::string(const T&)> show;
};

// Ranges include their ends.
SettingType<Duration> DurationBetween(Duration least, Duration most);
SettingType<uint64_t> BytesBetween(uint64_t least, uint64_t most);
SettingType<int64_t> WholeBetween(int64_t least, int64_t most);
SettingType<double> NumberBetween(double least, double most);
// Whole days, and days with a fraction, written as durations: "60d", "36h".
SettingType<int64_t> WholeDaysBetween(int64_t least, int64_t most);
SettingType<double> DaysBetween(double least, double most);
SettingType<bool> YesOrNo();
SettingType<std::string> Text();
SettingType<std::string> KafkaName();  // of a topic or a group: letters, digits, '.', '_' and '-'
SettingType<absl::TimeZone> ZoneName();
SettingType<std::string> CurrencyCode();

template <class Enum>
SettingType<Enum> OneOf(std::vector<std::pair<std::string, Enum>> names);

// A setting whose value is one scalar. `get` returns a reference to its place in the configuration it is given, const
// or not: [](auto& c) -> auto& { return c.engine.workers; }
template <class T, class Get>
Setting Scalar(std::string key, SettingType<T> type, std::string meaning, Get get);

// Reads one scalar; says what is wrong with it under this key.
template <class T>
bool ReadScalar(const ConfigNode& node, std::string_view key, const SettingType<T>& type, ConfigProblems& problems,
                T& value);

// Complains about `node` under `key` in the common form, with the value as it was written.
void Refuse(const ConfigNode& node, std::string_view key, std::string_view what, ConfigProblems& problems);

inline Setting Essential(Setting setting) {
  setting.essential = true;
  return setting;
}
inline Setting ChangesResults(Setting setting) {
  setting.changes_results = true;
  return setting;
}

// -- Implementation --

std::string Listed(const std::vector<std::string>& words);  // "a, b or c"

template <class Enum>
SettingType<Enum> OneOf(std::vector<std::pair<std::string, Enum>> names) {
  std::vector<std::string> words;
  for (const auto& [word, value] : names) words.push_back(word);
  auto parse = [names, words](std::string_view text) -> absl::StatusOr<Enum> {
    for (const auto& [word, value] : names) {
      if (word == text) return value;
    }
    return absl::InvalidArgumentError("must be " + Listed(words));
  };
  auto show = [names](const Enum& value) -> std::string {
    for (const auto& [word, known] : names) {
      if (known == value) return word;
    }
    return "";
  };
  return {Listed(words), parse, show};
}

template <class T>
bool ReadScalar(const ConfigNode& node, std::string_view key, const SettingType<T>& type, ConfigProblems& problems,
                T& value) {
  if (!node.usable) return false;
  if (node.kind != ConfigNode::Kind::kScalar) {
    Refuse(node, key, node.kind == ConfigNode::Kind::kNothing ? "has no value" : "must be a single value", problems);
    return false;
  }
  absl::StatusOr<T> parsed = type.parse(node.text);
  if (!parsed.ok()) {
    Refuse(node, key, std::string(parsed.status().message()), problems);
    return false;
  }
  value = *std::move(parsed);
  return true;
}

template <class T, class Get>
Setting Scalar(std::string key, SettingType<T> type, std::string meaning, Get get) {
  using Field = std::remove_cvref_t<decltype(get(std::declval<Config&>()))>;
  Setting setting;
  setting.key = key;
  setting.type = type.name;
  setting.meaning = std::move(meaning);
  setting.read = [key, type, get](const ConfigNode& node, Config& config, ConfigProblems& problems) {
    T value{};
    if (ReadScalar(node, key, type, problems, value)) get(config) = static_cast<Field>(std::move(value));
  };
  setting.show = [type, get](const Config& config) { return type.show(static_cast<T>(get(config))); };
  return setting;
}

}  // namespace portrait
