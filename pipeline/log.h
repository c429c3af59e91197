// The log: one line for each thing worth knowing, with fields, for people (text) or machines (JSON).
//
//   StartLog(config.log);
//   LogInfo("task restored", {{"partition", 3}, {"seconds", 1.2}});
//
//   2026-11-22T21:30:00.123Z info  task restored partition=3 seconds=1.2
//   {"ts":"2026-11-22T21:30:00.123Z","level":"info","msg":"task restored","partition":3,"seconds":1.2}
//
// No customer's data and no secret goes into a message or a field: name a record by topic, partition and offset, a
// setting by its key; only the view's audit names customers. From any thread, to standard error. Until StartLog: text.
#pragma once

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <ostream>
#include <string>
#include <string_view>
#include <variant>

#include "pipeline/config/config.h"

namespace portrait {

struct LogField {
  LogField(std::string_view field, bool v) : name(field), value(v) {}
  template <std::integral T>
  LogField(std::string_view field, T v) : name(field), value(static_cast<int64_t>(v)) {}
  LogField(std::string_view field, double v) : name(field), value(v) {}
  LogField(std::string_view field, std::string_view v) : name(field), value(std::string(v)) {}
  LogField(std::string_view field, const char* v) : name(field), value(std::string(v)) {}
  LogField(std::string_view field, const std::string& v) : name(field), value(v) {}

  std::string_view name;  // lower_case; not ts, level or msg
  std::variant<bool, int64_t, double, std::string> value;
};

using LogFields = std::initializer_list<LogField>;

void StartLog(const LogConfig& config);
// The same to a stream, which must outlive every later call of the functions here.
void StartLog(const LogConfig& config, std::ostream& out);

void Log(LogLevel level, std::string_view message, LogFields fields = {});

inline void LogDebug(std::string_view message, LogFields fields = {}) { Log(LogLevel::kDebug, message, fields); }
inline void LogInfo(std::string_view message, LogFields fields = {}) { Log(LogLevel::kInfo, message, fields); }
inline void LogWarning(std::string_view message, LogFields fields = {}) { Log(LogLevel::kWarning, message, fields); }
inline void LogError(std::string_view message, LogFields fields = {}) { Log(LogLevel::kError, message, fields); }

}  // namespace portrait
