#include "pipeline/tools/unfilled_windows.h"

#include <catch2/catch_test_macros.hpp>
#include <string>
#include <vector>

#include "operators/testing/harness.h"

namespace portrait {
namespace {

using Named = rules::EventWindows::Named;

Named Count(const std::string& length) {
  return {"count(page_viewed, \"" + length + "\")", "page_viewed by the day", rules::ParseWindowLength(length).value()};
}

const Named kFirst{"first(page_viewed)", "page_viewed, first and last", {}};

TEST_CASE("a window that is new begins empty, and knows all once its length has passed") {
  const auto found = FindUnfilled({{At("2026-01-01"), {}}}, {Count("7d"), kFirst}, At("2026-02-01"));
  CHECK(TextOf(found) ==
        "Windows of events that do not know everything yet:\n"
        "    count(page_viewed, \"7d\"): begins empty, knows all from 2026-02-08 00:00:00 on\n"
        "    first(page_viewed): begins empty, and never knows what was before\n");
  CHECK(JsonOf(found)[0]["since"].is_null());
  CHECK(JsonOf(found)[0]["complete_at"] == "2026-02-08 00:00:00");
}

TEST_CASE("a window that has been kept from the beginning knows all") {
  CHECK(FindUnfilled({{At("2026-01-01"), {Count("7d"), kFirst}}}, {Count("7d"), Count("3d"), kFirst}, At("2026-01-02"))
            .empty());
  CHECK(TextOf({}).empty());
}

TEST_CASE("a window that was named for a while goes on filling; one that was dropped meanwhile begins anew") {
  const std::vector<WindowPeriod> past = {
      {At("2026-01-01"), {}}, {At("2026-01-10"), {Count("30d")}}, {At("2026-01-20"), {Count("30d"), kFirst}}};
  CHECK(TextOf(FindUnfilled(past, {Count("30d"), kFirst}, At("2026-01-25"))) ==
        "Windows of events that do not know everything yet:\n"
        "    count(page_viewed, \"30d\"): fills since 2026-01-10 00:00:00, knows all from 2026-02-09 00:00:00 on\n"
        "    first(page_viewed): fills since 2026-01-20 00:00:00, and never knows what was before\n");
  CHECK(FindUnfilled(past, {Count("14d")}, At("2026-01-25")).empty());
  std::vector<WindowPeriod> dropped = past;
  dropped.push_back({At("2026-01-22"), {}});
  const auto found = FindUnfilled(dropped, {Count("14d")}, At("2026-01-25"));
  REQUIRE(found.size() == 1);
  CHECK_FALSE(found[0].since);
}

TEST_CASE("a window that grows knows no more than the shorter one has kept") {
  const std::vector<WindowPeriod> past = {{At("2026-01-01"), {Count("7d")}}, {At("2026-03-01"), {Count("30d")}}};
  const auto found = FindUnfilled(past, {Count("30d")}, At("2026-03-05"));
  REQUIRE(found.size() == 1);
  CHECK(found[0].since == At("2026-02-22"));
  CHECK(found[0].complete_at == At("2026-03-24"));
}

}  // namespace
}  // namespace portrait
