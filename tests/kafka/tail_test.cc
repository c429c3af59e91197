#include "pipeline/kafka/tail.h"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include "absl/strings/str_cat.h"
#include "pipeline/kafka/producer.h"
#include "tests/kafka/test_cluster.h"

namespace portrait {
namespace {

using std::chrono::milliseconds;

constexpr int64_t kTime = 1'700'000'000'000'000;

void WriteAt(const TestCluster& cluster, const std::string& topic, int64_t from, int64_t to) {
  auto producer = KafkaProducer::Create(cluster.Options());
  for (int64_t i = from; i < to; ++i) {
    const std::string value = absl::StrCat(i);
    REQUIRE((*producer)
                ->Write({.topic = topic, .partition = 0, .value = value, .timestamp_us = kTime + i * 1'000'000})
                .ok());
  }
  REQUIRE((*producer)->Flush(seconds(30)).ok());
  CHECK((*producer)->delivered() == to - from);
}

// Everything up to the end as it is now.
std::string Rest(KafkaTail& tail) {
  std::vector<Record> records;
  const auto deadline = std::chrono::steady_clock::now() + seconds(20);
  while (std::chrono::steady_clock::now() < deadline) {
    auto record = tail.Next(milliseconds(50));
    if (!record.ok()) return record.status().ToString();
    if (record->has_value())
      records.push_back(**std::move(record));
    else if (tail.at_end())
      break;
  }
  return Values(records);
}

TEST_CASE("a topic is followed from its beginning, its end, or a time") {
  const bool real = GENERATE(false, true);
  TestCluster cluster = real ? TestCluster::Real() : TestCluster::Mock();
  const std::string topic = cluster.NewTopic("alerts", 2, {{"retention.ms", "-1"}});
  WriteAt(cluster, topic, 0, 5);
  auto all = KafkaTail::Open(cluster.Options(), topic, KafkaTail::Start::Beginning(), seconds(10));
  REQUIRE(all.ok());
  CHECK(Rest(**all) == "0 1 2 3 4");
  auto end = KafkaTail::Open(cluster.Options(), topic, KafkaTail::Start::End(), seconds(10));
  REQUIRE(end.ok());
  CHECK(Rest(**end).empty());
  WriteAt(cluster, topic, 5, 7);
  const auto next = [](KafkaTail& tail) { return std::string(tail.Next(seconds(10))->value().value.value()); };
  CHECK(next(**end) == "5");
  CHECK(next(**end) == "6");
  CHECK(next(**all) == "5");
  if (real) {  // the embedded broker does not find offsets by time
    auto later =
        KafkaTail::Open(cluster.Options(), topic, KafkaTail::Start::At(FromMicros(kTime + 3'500'000)), seconds(10));
    REQUIRE(later.ok());
    CHECK(Rest(**later) == "4 5 6");
    auto never =
        KafkaTail::Open(cluster.Options(), topic, KafkaTail::Start::At(FromMicros(kTime + 60'000'000)), seconds(10));
    REQUIRE(never.ok());
    CHECK(Rest(**never).empty());
  }
}

TEST_CASE("a topic that does not exist cannot be followed") {
  TestCluster cluster = TestCluster::Mock();
  CHECK(KafkaTail::Open(cluster.Options(), "no-such-topic", KafkaTail::Start::End(), seconds(10)).status() ==
        absl::NotFoundError("no such topic: no-such-topic"));
}

TEST_CASE("a plain producer counts what was not delivered and says why") {
  TestCluster cluster = TestCluster::Mock();
  const std::string topic = cluster.NewTopic("events", 1);
  KafkaOptions options = cluster.Options();
  options.properties = {{"linger.ms", "0"}, {"batch.num.messages", "1"}};
  auto producer = KafkaProducer::Create(options);
  REQUIRE((*producer)->Write({.topic = topic, .value = "a"}).ok());
  REQUIRE((*producer)->Flush(seconds(10)).ok());
  cluster.mock().FailNext(/*Produce*/ 0, {RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE});
  REQUIRE((*producer)->Write({.topic = topic, .value = "b"}).ok());
  CHECK((*producer)->Flush(seconds(10)) ==
        absl::InvalidArgumentError("delivery to topic " + topic +
                                   ", partition 0: Broker: Message size too large; records not delivered: 1"));
  CHECK((*producer)->delivered() == 1);
  CHECK((*producer)->failed() == 1);
}

}  // namespace
}  // namespace portrait
