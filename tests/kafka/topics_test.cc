#include "pipeline/kafka/topics.h"

#include <catch2/catch_test_macros.hpp>
#include <chrono>
#include <thread>

#include "absl/strings/str_cat.h"
#include "pipeline/kafka/log_reader.h"
#include "pipeline/kafka/log_trimmer.h"
#include "pipeline/kafka/producer.h"
#include "tests/kafka/test_cluster.h"

namespace portrait {
namespace {

using std::chrono::milliseconds;

std::unique_ptr<KafkaTopics> NewTopics(const TestCluster& cluster) {
  auto topics = KafkaTopics::Create(cluster.Options());
  REQUIRE(topics.ok());
  return *std::move(topics);
}

TEST_CASE("topics are created with their settings, described, and deleted") {
  TestCluster cluster = TestCluster::Real();
  auto topics = NewTopics(cluster);
  const std::string name = cluster.Unique("changelog"), missing = cluster.Unique("missing");
  REQUIRE(topics->CreateAll({{name, 3, 1, {{"cleanup.policy", "compact"}, {"retention.ms", "-1"}}}}, seconds(30)).ok());
  auto described = topics->Describe({missing, name}, /*with_configs=*/true, seconds(10));
  REQUIRE(described.ok());
  CHECK((*described)[0].name == missing);
  CHECK((*described)[0].partitions == 0);
  TopicDescription& topic = (*described)[1];
  CHECK(topic.partitions == 3);
  CHECK(topic.replication == 1);
  CHECK(topic.configs["cleanup.policy"] == "compact");
  CHECK(topic.configs["retention.ms"] == "-1");
  CHECK(topic.configs["message.timestamp.type"] == "CreateTime");
  CHECK(topic.configs.contains("message.timestamp.before.max.ms"));

  REQUIRE(topics->DeleteAll({name}, seconds(30)).ok());
  CHECK((*topics->Describe({name}, false, seconds(10)))[0].partitions == 0);
}

TEST_CASE("what a broker refuses is told with the topic") {
  TestCluster cluster = TestCluster::Real();
  auto topics = NewTopics(cluster);
  const std::string name = cluster.NewTopic("there", 1), other = cluster.Unique("other");
  absl::Status status = topics->CreateAll({{name, 1}}, seconds(10));
  CHECK(absl::IsAlreadyExists(status));
  CHECK(status.message() == "create topic " + name + ": Topic '" + name + "' already exists.");
  status = topics->CreateAll({{other, 1, 1, {{"retention.ms", "long"}}}}, seconds(10));
  CHECK(absl::IsInvalidArgument(status));
  CHECK(std::string(status.message()).find("create topic " + other) == 0);
  CHECK(absl::IsNotFound(topics->DeleteAll({other}, seconds(10))));
  auto reader = KafkaLogReader::Create(cluster.Options());
  CHECK(absl::IsNotFound((*reader)->Range(other, 0, seconds(10)).status()));
}

TEST_CASE("the beginning of a log is cut off, and what cannot be cut is told with the next request") {
  TestCluster cluster = TestCluster::Real();
  const std::string topic = cluster.NewTopic("journal", 1);
  auto producer = KafkaProducer::Create(cluster.Options());
  for (int i = 0; i < 5; ++i) REQUIRE((*producer)->Write({.topic = topic, .partition = 0, .value = "entry"}).ok());
  REQUIRE((*producer)->Flush(seconds(30)).ok());
  auto trimmer = KafkaLogTrimmer::Create(cluster.Options());
  auto reader = KafkaLogReader::Create(cluster.Options());
  const auto deadline = std::chrono::steady_clock::now() + seconds(30);
  const auto in_time = [&] { return std::chrono::steady_clock::now() < deadline; };
  REQUIRE((*trimmer)->Trim(topic, 0, 3).ok());
  while (in_time() && (*reader)->Range(topic, 0, seconds(10))->begin == 0) std::this_thread::sleep_for(milliseconds(5));
  CHECK((*reader)->Range(topic, 0, seconds(10))->begin == 3);
  REQUIRE((*trimmer)->Trim(topic, 0, 100).ok());  // beyond the end
  absl::Status told;
  while (in_time() && told.ok()) {
    std::this_thread::sleep_for(milliseconds(5));
    told = (*trimmer)->Trim(topic, 0, 3);
  }
  CHECK(absl::IsOutOfRange(told));
  CHECK(std::string(told.message()).find("delete records of topic " + topic + ", partition 0") == 0);
}

// A broker may say for a moment that it does not lead the partition.
TEST_CASE("the range of a log is known as soon as its topic is made") {
  TestCluster cluster = TestCluster::Real();
  auto reader = KafkaLogReader::Create(cluster.Options());
  for (int i = 0; i < 10; ++i) {
    const auto range = (*reader)->Range(cluster.NewTopic(absl::StrCat("journal-", i), 2), 1, seconds(10));
    INFO(range.status());
    REQUIRE(range.ok());
    CHECK((range->begin == 0 && range->end == 0));
  }
}

TEST_CASE("sources must exist and have equal partition counts") {
  TestCluster cluster = TestCluster::Mock();
  auto topics = NewTopics(cluster);
  const std::string a = cluster.NewTopic("browsing-events", 8), b = cluster.NewTopic("email-events", 6),
                    c = cluster.NewTopic("profile-events", 8);
  CHECK(topics->SourcePartitions({a, c}, seconds(10)).value() == 8);
  CHECK(topics->SourcePartitions({a, b, c}, seconds(10)).status() ==
        absl::FailedPreconditionError("partition count differs: " + a + " 8, " + b + " 6, " + c + " 8"));
  CHECK(topics->SourcePartitions({a, "x", "y"}, seconds(10)).status() == absl::NotFoundError("no such topic: x, y"));
}

TEST_CASE("without a broker topics are unavailable") {
  TestCluster cluster = TestCluster::Mock();
  auto topics = NewTopics(cluster);
  REQUIRE(cluster.mock().SetDown(true).ok());
  CHECK(absl::IsUnavailable(topics->SourcePartitions({"a"}, std::chrono::milliseconds(500)).status()));
}

}  // namespace
}  // namespace portrait
