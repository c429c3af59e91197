#include "pipeline/standby_plan.h"

#include <catch2/catch_test_macros.hpp>
#include <string>

#include "absl/strings/str_join.h"

namespace portrait {
namespace {

std::string Shown(const std::set<int32_t>& partitions) { return absl::StrJoin(partitions, ","); }

// Every process with one worker, and what `range` gives it.
std::vector<GroupMember> Group(const std::vector<std::string>& ids, int32_t partitions) {
  std::vector<GroupMember> members;
  for (const std::string& id : ids) {
    const auto owned = RangeAssignment(ids, ProcessOf(id), partitions);
    members.push_back({id, {owned.begin(), owned.end()}});
  }
  return members;
}

TEST_CASE("range gives neighbouring partitions to the members in the order of their ids as text") {
  const std::vector<std::string> ids = {"p2-worker-0", "p10-worker-0", "p1-worker-0"};
  CHECK(Shown(RangeAssignment(ids, "p1", 8)) == "0,1,2");
  CHECK(Shown(RangeAssignment(ids, "p10", 8)) == "3,4,5");
  CHECK(Shown(RangeAssignment(ids, "p2", 8)) == "6,7");
  CHECK(Shown(RangeAssignment({}, "p1", 8)).empty());
}

TEST_CASE("each partition has a standby at the process that would have it after the loss of its owner") {
  const auto group = Group({"a-worker-0", "b-worker-0", "c-worker-0"}, 6);
  CHECK(Shown(StandbyPartitions(group, "a", 6, 1)) == "2");
  CHECK(Shown(StandbyPartitions(group, "b", 6, 1)) == "0,1,4,5");
  CHECK(Shown(StandbyPartitions(group, "c", 6, 1)) == "3");
  CHECK(Shown(StandbyPartitions(group, "a", 6, 0)).empty());
  CHECK(Shown(StandbyPartitions(group, "a", 6, 2)) == "2,3,4,5");
}

TEST_CASE("the workers of a process are lost together, and take over for each other without a standby") {
  const auto group = Group({"a-worker-0", "a-worker-1", "b-worker-0", "b-worker-1"}, 4);
  CHECK(Shown(StandbyPartitions(group, "a", 4, 1)) == "2,3");
  const auto alone = Group({"a-worker-0", "a-worker-1"}, 4);
  CHECK(Shown(StandbyPartitions(alone, "a", 4, 1)).empty());
}

TEST_CASE("a process that is not in the group keeps nothing, and an id may hold anything") {
  CHECK(Shown(StandbyPartitions(Group({"a-worker-0"}, 4), "b", 4, 1)).empty());
  CHECK(ProcessOf("shop-worker-1-worker-2") == "shop-worker-1");
  CHECK(ProcessOf("no-suffix") == "no-suffix");
}

}  // namespace
}  // namespace portrait
