#include "pipeline/log.h"

#include <catch2/catch_test_macros.hpp>
#include <nlohmann/json.hpp>
#include <sstream>

namespace portrait {
namespace {

// What `log` writes, without the time at the start of a text line.
template <class Function>
std::string Written(const LogConfig& config, Function log) {
  std::ostringstream out;
  StartLog(config, out);
  log();
  StartLog({});
  return out.str();
}

TEST_CASE("a text line has time, level, message and fields") {
  const std::string line = Written({}, [] {
    LogWarning("brokers away",
               {{"seconds", 1.5}, {"partition", 3}, {"ready", false}, {"why", "no route"}, {"empty", ""}});
  });
  REQUIRE(line.size() > 25);
  CHECK(line.substr(4, 1) == "-");
  CHECK(line.substr(23) == "Z warning brokers away seconds=1.5 partition=3 ready=false why=\"no route\" empty=\"\"\n");
}

TEST_CASE("a JSON line is one object, whatever is in its fields") {
  const std::string line = Written({.level = LogLevel::kInfo, .format = LogFormat::kJson}, [] {
    LogInfo("task \"restored\"\n", {{"partition", int64_t{3}}, {"topic", std::string("a\xff\n")}, {"took", 1.5}});
  });
  CHECK(std::count(line.begin(), line.end(), '\n') == 1);
  auto json = nlohmann::ordered_json::parse(line);
  CHECK(json["ts"].get<std::string>().size() == 24);
  json.erase("ts");
  CHECK(json.dump() ==
        "{\"level\":\"info\",\"msg\":\"task "
        "\\\"restored\\\"\\n\",\"partition\":3,\"topic\":\"a\xef\xbf\xbd\\n\",\"took\":1.5}");
}

TEST_CASE("a text line stays one line") {
  const std::string line = Written({}, [] { LogInfo("two\nlines", {{"x", "a\nb"}}); });
  CHECK(line.substr(25) == "info    two lines x=\"a\\nb\"\n");
}

TEST_CASE("what is below the level is not written") {
  CHECK(Written({.level = LogLevel::kError, .format = LogFormat::kText}, [] { LogWarning("no"); }).empty());
  CHECK_FALSE(Written({.level = LogLevel::kDebug, .format = LogFormat::kText}, [] { LogDebug("yes"); }).empty());
}

}  // namespace
}  // namespace portrait
