#include "pipeline/log.h"

#include <spdlog/sinks/ostream_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <memory>
#include <mutex>
#include <nlohmann/json.hpp>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"

namespace portrait {
namespace {

spdlog::level::level_enum SpdlogLevel(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug: return spdlog::level::debug;
    case LogLevel::kInfo: return spdlog::level::info;
    case LogLevel::kWarning: return spdlog::level::warn;
    case LogLevel::kError: return spdlog::level::err;
  }
  return spdlog::level::info;
}

std::string_view LevelName(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug: return "debug";
    case LogLevel::kInfo: return "info";
    case LogLevel::kWarning: return "warning";
    case LogLevel::kError: return "error";
  }
  return "info";
}

// Where the log goes, and how. Replaced as a whole, so that a line is never half of each.
struct Destination {
  std::shared_ptr<spdlog::logger> logger;
  LogFormat format = LogFormat::kText;
};

std::shared_ptr<const Destination> NewDestination(const LogConfig& config, spdlog::sink_ptr sink) {
  auto logger = std::make_shared<spdlog::logger>("portrait", std::move(sink));
  logger->set_pattern("%v");
  logger->set_level(SpdlogLevel(config.level));
  logger->flush_on(spdlog::level::trace);
  return std::make_shared<const Destination>(Destination{std::move(logger), config.format});
}

std::mutex destination_mutex;

std::shared_ptr<const Destination>& DestinationSlot() {  // guarded by destination_mutex
  static auto* const slot =
      new std::shared_ptr<const Destination>(NewDestination({}, std::make_shared<spdlog::sinks::stderr_sink_mt>()));
  return *slot;
}

std::shared_ptr<const Destination> CurrentDestination() {
  std::lock_guard<std::mutex> lock(destination_mutex);
  return DestinationSlot();
}

void SetDestination(std::shared_ptr<const Destination> destination) {
  std::lock_guard<std::mutex> lock(destination_mutex);
  DestinationSlot() = std::move(destination);
}

std::string NowText() { return absl::FormatTime("%Y-%m-%dT%H:%M:%E3SZ", absl::Now(), absl::UTCTimeZone()); }

std::string JsonLine(LogLevel level, std::string_view message, LogFields fields) {
  nlohmann::ordered_json line = {{"ts", NowText()}, {"level", LevelName(level)}, {"msg", message}};
  for (const LogField& field : fields) {
    std::visit([&](const auto& value) { line[std::string(field.name)] = value; }, field.value);
  }
  return line.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

std::string ValueText(const std::variant<bool, int64_t, double, std::string>& value) {
  if (const auto* text = std::get_if<std::string>(&value)) {
    const std::string escaped = absl::Utf8SafeCEscape(*text);
    const bool plain = !text->empty() && escaped == *text && text->find_first_of(" =") == std::string::npos;
    return plain ? *text : absl::StrCat("\"", escaped, "\"");
  }
  if (const auto* yes = std::get_if<bool>(&value)) return *yes ? "true" : "false";
  if (const auto* whole = std::get_if<int64_t>(&value)) return absl::StrCat(*whole);
  return absl::StrCat(std::get<double>(value));
}

std::string TextLine(LogLevel level, std::string_view message, LogFields fields) {
  std::string name(LevelName(level));
  name.resize(std::string_view("warning").size(), ' ');
  std::string line = absl::StrCat(NowText(), " ", name, " ");
  for (const char c : message) line += c == '\n' ? ' ' : c;  // a line stays a line
  for (const LogField& field : fields)
    absl::StrAppend(&line, " ", std::string(field.name), "=", ValueText(field.value));
  return line;
}

}  // namespace

void StartLog(const LogConfig& config) {
  SetDestination(NewDestination(config, std::make_shared<spdlog::sinks::stderr_sink_mt>()));
}

void StartLog(const LogConfig& config, std::ostream& out) {
  SetDestination(NewDestination(config, std::make_shared<spdlog::sinks::ostream_sink_mt>(out)));
}

void Log(LogLevel level, std::string_view message, LogFields fields) {
  const std::shared_ptr<const Destination> to = CurrentDestination();
  if (!to->logger->should_log(SpdlogLevel(level))) return;
  const std::string line =
      to->format == LogFormat::kJson ? JsonLine(level, message, fields) : TextLine(level, message, fields);
  to->logger->log(SpdlogLevel(level), spdlog::string_view_t(line.data(), line.size()));
}

}  // namespace portrait
