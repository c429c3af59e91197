#include "pipeline/tools/topic_plan.h"

#include <catch2/catch_test_macros.hpp>

#include "absl/strings/str_cat.h"

namespace portrait {
namespace {

EngineOptions Engine() {
  EngineOptions engine;
  engine.application_id = "shop";
  engine.instance_id = "shop-1";
  engine.sources = {{.topic = "browsing-events"}, {.topic = "purchase-events"}};
  return engine;
}

std::vector<PlannedTopic> Plan(TopicPlanOptions options = {.partitions = 4, .replication = 1, .retention = days(7)}) {
  return PlanTopics(Engine(), {"tag-changes", "dead-letters"}, options);
}

std::string Text(const std::vector<PlannedTopic>& planned) {
  std::string text;
  for (const PlannedTopic& topic : planned) {
    absl::StrAppend(&text, topic.name, " ", topic.partitions, "x", topic.replication);
    for (const auto& [name, value] : topic.configs) absl::StrAppend(&text, " ", name, "=", value);
    text += "\n";
  }
  return text;
}

std::vector<ActualTopic> AsPlanned(const std::vector<PlannedTopic>& planned) {
  std::vector<ActualTopic> actual;
  for (const PlannedTopic& topic : planned) actual.push_back({topic.partitions, topic.replication, topic.configs});
  return actual;
}

std::string Text(const std::vector<TopicFinding>& findings) {
  std::string text;
  for (const TopicFinding& finding : findings) {
    const char* gravity = finding.gravity == TopicFinding::Gravity::kMissing ? "missing"
                          : finding.gravity == TopicFinding::Gravity::kWrong ? "wrong"
                                                                             : "doubtful";
    absl::StrAppend(&text, gravity, " ", finding.topic, ": ", finding.text, "\n");
  }
  return text;
}

TEST_CASE("topics are stamped on arrival, so that old events stay; internal ones are kept") {
  CHECK(Text(Plan()) ==
        "browsing-events 4x1 cleanup.policy=delete message.timestamp.type=LogAppendTime retention.ms=604800000\n"
        "purchase-events 4x1 cleanup.policy=delete message.timestamp.type=LogAppendTime retention.ms=604800000\n"
        "tag-changes 4x1 cleanup.policy=delete message.timestamp.type=LogAppendTime retention.ms=604800000\n"
        "dead-letters 4x1 cleanup.policy=delete message.timestamp.type=LogAppendTime retention.ms=604800000\n"
        "shop.journal 4x1 cleanup.policy=delete retention.bytes=-1 retention.ms=-1\n"
        "shop.changelog 4x1 cleanup.policy=compact delete.retention.ms=604800000\n"
        "shop.control 1x1 cleanup.policy=delete retention.bytes=-1 retention.ms=-1\n");
  CHECK(Text(Plan({.partitions = 2, .replication = 3, .retention = Duration(0)}))
            .find("browsing-events 2x3 cleanup.policy=delete "
                  "message.timestamp.type=LogAppendTime min.insync.replicas=2 retention.ms=-1\n") == 0);
}

TEST_CASE("topics as planned are good") {
  const auto planned = Plan();
  CHECK(Text(CheckTopics(planned, AsPlanned(planned))) == "");
}

TEST_CASE("what the broker does not tell is not judged") {
  const auto planned = Plan();
  auto actual = AsPlanned(planned);
  for (ActualTopic& topic : actual) topic.configs.clear();
  CHECK(Text(CheckTopics(planned, actual)) == "");
}

TEST_CASE("every setting that loses something is found") {
  const auto planned = Plan();
  auto actual = AsPlanned(planned);
  actual[0].configs["cleanup.policy"] = "compact";
  actual[1].configs["message.timestamp.type"] = "CreateTime";
  actual[1].partitions = 6;
  actual[2].partitions = 0;
  actual[3].configs["min.insync.replicas"] = "2";
  actual[4].configs["retention.ms"] = "604800000";
  actual[5].configs["cleanup.policy"] = "delete";
  actual[5].configs["delete.retention.ms"] = "60000";
  CHECK(Text(CheckTopics(planned, actual)) ==
        "wrong browsing-events: compaction drops events that a recovery needs; set cleanup.policy=delete: is compact\n"
        "doubtful purchase-events: records older than 7.0 days by their own timestamp are deleted at once, so old "
        "events cannot be "
        "imported; set message.timestamp.type=LogAppendTime, or retention.ms=-1\n"
        "missing tag-changes: does not exist\n"
        "wrong dead-letters: nothing can be written: min.insync.replicas is 2, replicas 1\n"
        "wrong shop.journal: entries that a recovery needs would be deleted; set retention.ms=-1: is 604800000\n"
        "wrong shop.changelog: a recovery would fail; set cleanup.policy=compact: is delete\n"
        "doubtful shop.changelog: local rows must be restored after 30 s of absence already; set "
        "delete.retention.ms=604800000: is 60000\n"
        "wrong purchase-events: the engine does not start: partition count differs: browsing-events 4, purchase-events "
        "6\n");
}

TEST_CASE("too few replicas are doubtful") {
  const auto planned = Plan({.partitions = 1, .replication = 3, .retention = days(7)});
  auto actual = AsPlanned(planned);
  actual[0].replication = 1;
  actual[0].configs["min.insync.replicas"] = "1";
  actual[1].configs["min.insync.replicas"] = "1";
  CHECK(
      Text(CheckTopics(planned, actual)) ==
      "doubtful browsing-events: a broker that fails may take data with it; replicas wanted: 3, are: 1\n"
      "doubtful purchase-events: an acknowledged record may lie on one broker only; set min.insync.replicas=2: is 1\n");
}

TEST_CASE("what is missing is made with the partitions that the sources have") {
  const auto planned = Plan();
  auto actual = AsPlanned(planned);
  actual[0].partitions = actual[1].partitions = 12;
  CHECK(PartitionsOfSources(planned, actual) == 12);
  actual[0].partitions = 0;
  CHECK(PartitionsOfSources(planned, actual) == 12);
  actual[0].partitions = 6;
  CHECK(PartitionsOfSources(planned, actual) == 0);
}

TEST_CASE("the permissions needed are listed, and as commands") {
  const auto planned = Plan();
  CHECK(AclText(Engine(), planned) ==
        "  Read Describe DescribeConfigs               Topic            browsing-events\n"
        "  Read Describe DescribeConfigs               Topic            purchase-events\n"
        "  Write Describe DescribeConfigs              Topic            tag-changes\n"
        "  Write Describe DescribeConfigs              Topic            dead-letters\n"
        "  Read Write Delete Describe DescribeConfigs  Topic            shop.journal\n"
        "  Read Write Describe DescribeConfigs         Topic            shop.changelog\n"
        "  Read Write Describe DescribeConfigs         Topic            shop.control\n"
        "  Read                                        Group            shop\n"
        "  Write Describe                              TransactionalId  shop.*\n");
  const std::string commands = AclCommands(Engine(), planned, "b:9092", "User:portrait");
  CHECK(commands.find("kafka-acls.sh --bootstrap-server b:9092 --add --allow-principal User:portrait --operation Read "
                      "--operation Describe --operation DescribeConfigs --topic browsing-events\n") == 0);
  CHECK(commands.find("--transactional-id shop. --resource-pattern-type prefixed\n") != std::string::npos);
}

}  // namespace
}  // namespace portrait
