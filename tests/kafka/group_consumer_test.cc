#include "pipeline/kafka/group_consumer.h"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <thread>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "pipeline/kafka/log_reader.h"
#include "pipeline/kafka/log_trimmer.h"
#include "pipeline/kafka/producer.h"
#include "tests/kafka/test_cluster.h"

namespace portrait {
namespace {

using std::chrono::milliseconds;

TestCluster MockOrReal() {
  const bool real = GENERATE(false, true);
  return real ? TestCluster::Real() : TestCluster::Mock();
}

std::unique_ptr<KafkaGroupConsumer> NewConsumer(const KafkaOptions& options, const std::vector<std::string>& sources,
                                                TestListener& listener) {
  auto consumer = KafkaGroupConsumer::Create(options);
  REQUIRE(consumer.ok());
  REQUIRE((*consumer)->Subscribe(sources, &listener).ok());
  return *std::move(consumer);
}

void WriteTo(const TestCluster& cluster, const std::string& topic, int32_t partition,
             const std::vector<std::string>& values) {
  auto producer = KafkaProducer::Create(cluster.Options());
  REQUIRE(producer.ok());
  for (const std::string& value : values) {
    REQUIRE((*producer)->Write({.topic = topic, .partition = partition, .key = "k", .value = value}).ok());
  }
  REQUIRE((*producer)->Flush(seconds(30)).ok());
}

bool Contains(const std::vector<int32_t>& partitions, int32_t partition) {
  return std::find(partitions.begin(), partitions.end(), partition) != partitions.end();
}

TEST_CASE("records come as they were written: null keys, tombstones, empty values, headers, time") {
  TestCluster cluster = MockOrReal();
  const std::string topic = cluster.NewTopic("events", 1, {{"retention.ms", "-1"}});
  auto producer = KafkaProducer::Create(cluster.Options());
  REQUIRE(producer.ok());
  NewRecord record{.topic = topic, .key = "anna", .value = "1", .timestamp_us = 1'600'000'000'123'000};
  record.headers = {{"content-type", "json"}, {"nothing", std::nullopt}, {"empty", ""}};
  REQUIRE((*producer)->Write(record).ok());
  REQUIRE((*producer)->Write({.topic = topic, .value = "no key"}).ok());
  REQUIRE((*producer)->Write({.topic = topic, .key = "anna"}).ok());
  REQUIRE((*producer)->Write({.topic = topic, .key = "", .value = ""}).ok());
  REQUIRE((*producer)->Flush(seconds(30)).ok());

  TestListener listener(1);
  auto consumer = NewConsumer(cluster.Options(), {topic}, listener);
  std::vector<Record> records;
  REQUIRE(PollUntil(*consumer, records, [&] { return records.size() >= 4; }).ok());
  CHECK(Shown(records) == "0/0 anna=1 content-type:json nothing:- empty:; 0/1 -=no key; 0/2 anna=-; 0/3 =");
  CHECK(records[0].timestamp_us == 1'600'000'000'123'000);
  CHECK(records[1].timestamp_us > 1'700'000'000'000'000);
  CHECK(consumer->Close().ok());
  consumer.reset();
  CHECK(Values(records) == "1 no key - ");  // records outlive the consumer
}

TEST_CASE("fetching begins where the listener says, and not before it says so") {
  TestCluster cluster = MockOrReal();
  const std::string a = cluster.NewTopic("a", 2), b = cluster.NewTopic("b", 2);
  WriteTo(cluster, a, 1, {"a0", "a1", "a2"});
  WriteTo(cluster, b, 1, {"b0", "b1", "b2"});
  TestListener listener(2);
  listener.starts = {{1, {2, 1}}};
  auto consumer = NewConsumer(cluster.Options(), {a, b}, listener);
  CHECK(consumer->generation() == nullptr);
  std::vector<Record> records;
  REQUIRE(PollUntil(*consumer, records, [&] { return records.size() >= 3; }).ok());
  std::map<int32_t, std::string> by_source;
  for (const Record& record : records) absl::StrAppend(&by_source[record.source], std::string(*record.value), " ");
  CHECK(by_source[0] == "a2 ");
  CHECK(by_source[1] == "b1 b2 ");
  CHECK(listener.log == "assigned 0,1; ");
  CHECK(consumer->generation() != nullptr);
  CHECK(consumer->Close().ok());
  CHECK(listener.log == "assigned 0,1; revoked 0,1; ");
  CHECK(consumer->generation() == nullptr);
}

TEST_CASE("an error of the listener ends the poll with that error") {
  TestCluster cluster = TestCluster::Mock();
  const std::string topic = cluster.NewTopic("events", 1);
  TestListener listener(1);
  listener.answer = absl::DataLossError("row store is broken");
  auto consumer = NewConsumer(cluster.Options(), {topic}, listener);
  std::vector<Record> records;
  CHECK(PollUntil(*consumer, records, [] { return false; }) == listener.answer);
  CHECK(consumer->Close().ok());
}

TEST_CASE("source topics with unequal partition counts are refused by name") {
  TestCluster cluster = TestCluster::Mock();
  const std::string a = cluster.NewTopic("a", 3), b = cluster.NewTopic("b", 2);
  TestListener listener(2);
  auto consumer = NewConsumer(cluster.Options(), {a, b}, listener);
  std::vector<Record> records;
  const absl::Status status = PollUntil(*consumer, records, [] { return false; });
  CHECK(status.message() ==
        "the group splits a partition index over members; source topics need equal partition counts: topic " + b +
            " is not assigned, but another source is: partition 2");
  CHECK(listener.log.empty());
  CHECK(consumer->Close().ok());
}

TEST_CASE("the end offset says whether a partition is known to have more") {
  TestCluster cluster = MockOrReal();
  const std::string full = cluster.NewTopic("full", 1), empty = cluster.NewTopic("empty", 1);
  WriteTo(cluster, full, 0, {"0", "1", "2", "3"});
  TestListener listener(2);
  auto consumer = NewConsumer(cluster.Options(), {full, empty}, listener);
  std::vector<Record> records;
  CHECK(consumer->EndOffset(0, 0) == -1);
  CHECK(consumer->EndOffset(1, 0) == -1);
  while (records.empty()) REQUIRE(consumer->Poll(milliseconds(50), 1, records).ok());
  CHECK(consumer->EndOffset(0, 0) == 4);  // one of four is taken
  REQUIRE(PollUntil(*consumer, records, [&] { return records.size() == 4 && consumer->EndOffset(1, 0) >= 0; }).ok());
  CHECK(consumer->EndOffset(0, 0) == 4);
  CHECK(consumer->EndOffset(1, 0) == 0);
  CHECK(consumer->EndOffset(1, 7) == -1);
}

TEST_CASE("a paused source gives nothing until it goes on") {
  TestCluster cluster = MockOrReal();
  const std::string a = cluster.NewTopic("a", 1), b = cluster.NewTopic("b", 1);
  TestListener listener(2);
  auto consumer = NewConsumer(cluster.Options(), {a, b}, listener);
  std::vector<Record> records;
  REQUIRE(PollUntil(*consumer, records, [&] { return !listener.assigned.empty(); }).ok());
  REQUIRE(consumer->Pause(0, 0, true).ok());
  WriteTo(cluster, a, 0, {"a0", "a1"});
  WriteTo(cluster, b, 0, {"b0"});
  REQUIRE(PollUntil(*consumer, records, [&] { return !records.empty(); }).ok());
  for (int i = 0; i < 10; ++i) REQUIRE(consumer->Poll(milliseconds(30), 10, records).ok());
  CHECK(Values(records) == "b0");
  REQUIRE(consumer->Pause(0, 0, false).ok());
  REQUIRE(PollUntil(*consumer, records, [&] { return records.size() == 3; }).ok());
  CHECK(Values(records) == "b0 a0 a1");
  CHECK(consumer->Pause(0, 5, true).message() == "not assigned: source 0, partition 5");
}

TEST_CASE("a source that was paused at its end goes on with the record that comes next") {
  TestCluster cluster = MockOrReal();
  const std::string topic = cluster.NewTopic("a", 1);
  TestListener listener(1);
  auto consumer = NewConsumer(cluster.Options(), {topic}, listener);
  std::vector<Record> records;
  WriteTo(cluster, topic, 0, {"0", "1"});
  REQUIRE(PollUntil(*consumer, records, [&] { return records.size() == 2 && consumer->EndOffset(0, 0) == 2; }).ok());
  for (int i = 0; i < 10; ++i) REQUIRE(consumer->Poll(milliseconds(30), 10, records).ok());  // PARTITION_EOF
  for (int round = 0; round < 3; ++round) {
    REQUIRE(consumer->Pause(0, 0, true).ok());
    WriteTo(cluster, topic, 0, {absl::StrCat("2", round), absl::StrCat("3", round)});
    for (int i = 0; i < 5; ++i) REQUIRE(consumer->Poll(milliseconds(30), 10, records).ok());
    REQUIRE(consumer->Pause(0, 0, false).ok());
    const size_t want = records.size() + 2;
    REQUIRE(PollUntil(*consumer, records, [&] { return records.size() >= want; }).ok());
    for (int i = 0; i < 10; ++i) REQUIRE(consumer->Poll(milliseconds(30), 10, records).ok());
  }
  CHECK(Values(records) == "0 1 20 30 21 31 22 32");
}

TEST_CASE("two members share the partition indexes, each with all topics") {
  TestCluster cluster = MockOrReal();
  const std::vector<std::string> sources = {cluster.NewTopic("a", 4), cluster.NewTopic("b", 4),
                                            cluster.NewTopic("c", 4)};
  TestListener first_listener(3), second_listener(3);
  bool shared = false;  // a partition index in two hands at one time
  first_listener.after_assign = second_listener.after_assign = [&] {
    for (const int32_t partition : first_listener.assigned) shared |= Contains(second_listener.assigned, partition);
  };
  auto first = NewConsumer(cluster.Options("one"), sources, first_listener);
  std::vector<Record> records;
  REQUIRE(PollUntil(*first, records, [&] { return first_listener.assigned.size() == 4; }).ok());
  auto second = NewConsumer(cluster.Options("two"), sources, second_listener);
  REQUIRE(PollUntil(*first, records, [&] {
            REQUIRE(second->Poll(milliseconds(20), 10, records).ok());
            return first_listener.assigned.size() == 2 && second_listener.assigned.size() == 2;
          }).ok());
  // How many rebalances it takes is the group's affair: a member that is slow to answer costs one more.
  CHECK(first_listener.assigned == std::vector<int32_t>{0, 1});
  CHECK(second_listener.assigned == std::vector<int32_t>{2, 3});
  CHECK(absl::StartsWith(first_listener.log, "assigned 0,1,2,3; revoked 0,1,2,3; assigned "));
  CHECK_FALSE(shared);
}

TEST_CASE("a static member that comes back gets its partitions again and disturbs nobody") {
  TestCluster cluster = TestCluster::Real();
  const std::vector<std::string> sources = {cluster.NewTopic("a", 4)};
  TestListener first_listener(1), second_listener(1), again_listener(1);
  auto first = NewConsumer(cluster.Options("one"), sources, first_listener);
  auto second = NewConsumer(cluster.Options("two"), sources, second_listener);
  std::vector<Record> records;
  REQUIRE(PollUntil(*first, records, [&] {
            REQUIRE(second->Poll(milliseconds(20), 10, records).ok());
            return first_listener.assigned.size() == 2 && second_listener.assigned.size() == 2;
          }).ok());
  const std::string log_before = second_listener.log;
  const std::vector<int32_t> partitions_before = first_listener.assigned;
  SECTION("after a clean stop") { REQUIRE(first->Close().ok()); }
  SECTION("after a crash") {}
  first.reset();
  auto again = NewConsumer(cluster.Options("one"), sources, again_listener);
  REQUIRE(PollUntil(*again, records, [&] {
            REQUIRE(second->Poll(milliseconds(20), 10, records).ok());
            return again_listener.assigned.size() == 2;
          }).ok());
  CHECK(again_listener.assigned == partitions_before);
  CHECK(second_listener.log == log_before);
}

TEST_CASE("a member whose name another consumer has taken is told so, for good") {
  TestCluster cluster = TestCluster::Real();
  const std::vector<std::string> sources = {cluster.NewTopic("a", 1)};
  TestListener first_listener(1), later_listener(1);
  auto first = NewConsumer(cluster.Options("one"), sources, first_listener);
  std::vector<Record> records;
  REQUIRE(PollUntil(*first, records, [&] { return first_listener.assigned.size() == 1; }).ok());
  auto later = NewConsumer(cluster.Options("one"), sources, later_listener);
  const absl::Status fenced = PollUntil(*first, records, [&] {
    REQUIRE(later->Poll(milliseconds(20), 10, records).ok());
    return false;
  });
  INFO(fenced);
  CHECK(absl::IsFailedPrecondition(fenced));
  CHECK(absl::IsFailedPrecondition(first->Poll(milliseconds(20), 10, records)));
}

TEST_CASE("an offset that the log no longer holds is told with what it holds") {
  TestCluster cluster = TestCluster::Real();
  const std::string topic = cluster.NewTopic("events", 1);
  WriteTo(cluster, topic, 0, {"0", "1", "2", "3", "4"});
  auto trimmer = KafkaLogTrimmer::Create(cluster.Options());
  auto reader = KafkaLogReader::Create(cluster.Options());
  REQUIRE((*trimmer)->Trim(topic, 0, 3).ok());
  for (int i = 0; i < 3000 && (*reader)->Range(topic, 0, seconds(10))->begin == 0; ++i) {
    std::this_thread::sleep_for(milliseconds(10));
  }
  TestListener listener(1);
  listener.starts = {{0, {1}}};
  auto consumer = NewConsumer(cluster.Options(), {topic}, listener);
  std::vector<Record> records;
  const absl::Status status = PollUntil(*consumer, records, [] { return false; });
  CHECK(status == absl::OutOfRangeError("the log no longer holds the next offset: topic " + topic +
                                        ", partition 0, offset 1; the log holds 3 to 5 (excluded)"));
  CHECK(records.empty());
}

TEST_CASE("a consumer waits for brokers that are away, and goes on when they are back") {
  TestCluster cluster = TestCluster::Mock();
  const std::string topic = cluster.NewTopic("events", 1);
  WriteTo(cluster, topic, 0, {"0"});
  TestListener listener(1);
  auto consumer = NewConsumer(cluster.Options(), {topic}, listener);
  std::vector<Record> records;
  REQUIRE(PollUntil(*consumer, records, [&] { return records.size() == 1; }).ok());
  REQUIRE(cluster.mock().SetDown(true).ok());
  absl::Status status;
  for (int i = 0; i < 300 && status.ok(); ++i) status = consumer->Poll(milliseconds(50), 10, records);
  CHECK(absl::IsUnavailable(status));
  REQUIRE(cluster.mock().SetDown(false).ok());
  WriteTo(cluster, topic, 0, {"1"});
  REQUIRE(PollUntil(*consumer, records, [&] { return records.size() == 2; }).ok());
  CHECK(Values(records) == "0 1");
}

TEST_CASE("the name of a topic is not taken for a pattern") {
  TestCluster cluster = TestCluster::Mock();
  TestListener listener(1);
  auto consumer = KafkaGroupConsumer::Create(cluster.Options());
  REQUIRE(consumer.ok());
  CHECK(absl::IsInvalidArgument((*consumer)->Subscribe({"^events.*"}, &listener)));
  CHECK(absl::IsInvalidArgument((*consumer)->Subscribe({"a", "a"}, &listener)));
}

}  // namespace
}  // namespace portrait
