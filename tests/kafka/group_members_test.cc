#include "pipeline/kafka/group_members.h"

#include <catch2/catch_test_macros.hpp>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "pipeline/kafka/group_consumer.h"
#include "tests/kafka/test_cluster.h"

namespace portrait {
namespace {

std::string Shown(const std::vector<GroupMember>& members) {
  std::string out;
  for (const GroupMember& member : members) {
    absl::StrAppend(&out, member.instance_id, ":", absl::StrJoin(member.partitions, ","), " ");
  }
  return out;
}

TEST_CASE("the members of a group and their partition indexes are told") {
  TestCluster cluster = TestCluster::Real();
  const std::string a = cluster.NewTopic("a", 3), b = cluster.NewTopic("b", 3);
  const KafkaOptions options = cluster.Options("one");
  auto consumer = KafkaGroupConsumer::Create(options);
  REQUIRE(consumer.ok());
  TestListener listener(2);
  REQUIRE((*consumer)->Subscribe({a, b}, &listener).ok());
  std::vector<Record> records;
  REQUIRE(PollUntil(**consumer, records, [&] { return !listener.assigned.empty(); }).ok());
  auto members = KafkaGroupMembers::Create(options);
  REQUIRE(members.ok());
  std::string shown;
  for (int i = 0; i < 50 && shown.find(',') == std::string::npos; ++i) {
    const auto described = (*members)->Describe(seconds(10));
    if (described.ok()) shown = Shown(*described);
  }
  CHECK(shown == absl::StrCat(options.instance_id, ":0,1,2 "));
}

TEST_CASE("a group that nobody has joined has no members") {
  TestCluster cluster = TestCluster::Real();
  auto members = KafkaGroupMembers::Create(cluster.Options("nobody"));
  REQUIRE(members.ok());
  const auto described = (*members)->Describe(seconds(30));
  CHECK((!described.ok() || described->empty()));
}

}  // namespace
}  // namespace portrait
