// How several processes do becomes how the pipeline does.
#include "view/overview_merge.h"

#include <catch2/catch_test_macros.hpp>
#include <string>

namespace portrait::view {
namespace {

Json Sample(const char* time, double rate, Json latency, int new_customers) {
  return {{"time", time},
          {"records_per_second", rate},
          {"results_per_second", rate / 2},
          {"lag_records", 3},
          {"latency_p99_ms", std::move(latency)},
          {"gained", {{"new", new_customers}}},
          {"lost", Json::object()},
          {"alerts", {{"high", 1}}},
          {"customers", nullptr}};
}

Json One(const std::string& instance, std::set<int32_t> partitions, double rate, Json hits, const std::string& tag,
         Json customers) {
  return {{"instance", instance},
          {"version", "1"},
          {"ready", true},
          {"partitions", {{"all", 4}, {"here", partitions}, {"told", partitions}}},
          {"members",
           {{{"instance", "a"}, {"ready", instance == "a" ? Json(true) : Json()}},
            {{"instance", "b"}, {"ready", instance == "b" ? Json(true) : Json()}}}},
          {"now",
           {{"records_per_second", rate},
            {"results_per_second", 1.5},
            {"lag_records", 7},
            {"latency_p50_ms", nullptr},
            {"latency_p99_ms", rate},
            {"commit_p99_ms", 5.0},
            {"cache_hit_rate", std::move(hits)},
            {"resident_bytes", 100}}},
          {"tags",
           {{{"tag", "new"}, {"about", ""}, {"customers", 2}, {"gained", 1}, {"lost", 0}},
            {{"tag", tag}, {"about", ""}, {"customers", std::move(customers)}, {"gained", 0}, {"lost", 4}}}},
          {"bands", {{{"band", "high"}, {"alerts", 2}}}},
          {"history", Json::array()}};
}

TEST_CASE("rates and counts add up, of latencies the worst is told, hits count by records") {
  OverviewMerge merge(One("a", {0, 2}, 30, 1.0, "silent", nullptr), seconds(10));
  REQUIRE(merge.Add(Dump(One("b", {1}, 10, 0.2, "active", 5))).ok());
  const Json all = std::move(merge).Take();
  CHECK(all["instance"] == "a");
  CHECK(all["now"] == Json{{"records_per_second", 40.0},
                           {"results_per_second", 3.0},
                           {"lag_records", 14},
                           {"latency_p50_ms", nullptr},
                           {"latency_p99_ms", 30.0},
                           {"commit_p99_ms", 5.0},
                           {"cache_hit_rate", 0.8},
                           {"resident_bytes", 200}});
  CHECK(all["partitions"]["told"] == Json::array({0, 1, 2}));
  CHECK(all["partitions"]["here"] == Json::array({0, 2}));
  CHECK(all["members"][1]["ready"] == true);
  REQUIRE(all["tags"].size() == 3);
  CHECK(all["tags"][0]["tag"] == "active");
  CHECK(all["tags"][0]["customers"] == 5);
  CHECK(all["tags"][1]["customers"] == 4);
  CHECK(all["tags"][2]["customers"].is_null());
  CHECK(all["bands"][0]["alerts"] == 4);
}

TEST_CASE("samples of one interval become one; an interval that one process has not told of is not shown yet") {
  Json a = One("a", {0}, 1, 0, "silent", 0), b = One("b", {1}, 1, 0, "silent", 0);
  a["history"] = {Sample("2026-01-31T12:00:01.000000Z", 1, nullptr, 1),
                  Sample("2026-01-31T12:00:11.000000Z", 2, 8.0, 2), Sample("2026-01-31T12:00:21.000000Z", 3, 9.0, 3)};
  b["history"] = {Sample("2026-01-31T12:00:14.000000Z", 20, 10.0, 4)};
  OverviewMerge merge(a, seconds(10));
  REQUIRE(merge.Add(Dump(b)).ok());
  const Json history = std::move(merge).Take()["history"];
  REQUIRE(history.size() == 2);
  CHECK(history[0] == a["history"][0]);
  CHECK(history[1]["records_per_second"] == 22.0);
  CHECK(history[1]["latency_p99_ms"] == 10.0);
  CHECK(history[1]["gained"]["new"] == 6);
  CHECK(history[1]["alerts"]["high"] == 2);
  CHECK(history[1]["customers"].is_null());
}

TEST_CASE("what is no overview adds nothing") {
  const Json a = One("a", {0}, 1, 0, "silent", 0);
  Json half = One("b", {1}, 1, 0, "silent", 0);
  half.erase("history");
  Json wrong = One("b", {1}, 1, 0, "silent", 0);
  wrong["tags"][0]["customers"] = "many";
  OverviewMerge merge(a, seconds(10));
  for (const std::string& text : {std::string("nothing"), std::string("{}"), Dump(half), Dump(wrong)}) {
    CAPTURE(text);
    CHECK_FALSE(merge.Add(text).ok());
  }
  CHECK(std::move(merge).Take() == a);
}

}  // namespace
}  // namespace portrait::view
