#include "tests/kafka/test_cluster.h"

#include <catch2/catch_test_macros.hpp>
#include <chrono>
#include <cstdlib>
#include <random>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "pipeline/kafka/topics.h"
#include "pipeline/kafka/transactional_producer.h"

namespace portrait {

TestCluster::TestCluster() : id_(absl::StrCat(absl::Hex(std::random_device{}(), absl::kZeroPad8))) {}

TestCluster TestCluster::Mock() {
  TestCluster cluster;
  auto mock = MockCluster::Start();
  REQUIRE(mock.ok());
  cluster.mock_ = *std::move(mock);
  cluster.brokers_ = cluster.mock_->brokers();
  return cluster;
}

TestCluster TestCluster::Real() {
  const char* brokers = std::getenv("PORTRAIT_TEST_BROKERS");
  if (brokers == nullptr || *brokers == '\0') SKIP("PORTRAIT_TEST_BROKERS is not set");
  TestCluster cluster;
  cluster.brokers_ = brokers;
  return cluster;
}

KafkaOptions TestCluster::Options(const std::string& instance) const {
  return {.brokers = brokers_, .group_id = Unique("group"), .instance_id = instance};
}

std::string TestCluster::NewTopic(const std::string& name, int partitions,
                                  const std::map<std::string, std::string>& configs) {
  const std::string topic = Unique(name);
  if (mock_ != nullptr) {
    REQUIRE(mock_->CreateTopic(topic, partitions).ok());
    return topic;
  }
  auto topics = KafkaTopics::Create(Options());
  REQUIRE(topics.ok());
  const absl::Status created = (*topics)->CreateAll({{topic, partitions, 1, configs}}, seconds(30));
  INFO(created);
  REQUIRE(created.ok());
  return topic;
}

absl::StatusOr<std::vector<PartitionStart>> TestListener::OnAssigned(const std::vector<int32_t>& partitions) {
  assigned = partitions;
  absl::StrAppend(&log, "assigned ", absl::StrJoin(partitions, ","), "; ");
  if (after_assign) after_assign();
  if (!answer.ok()) return answer;
  std::vector<PartitionStart> result;
  for (const int32_t partition : partitions) {
    const auto start = starts.find(partition);
    result.push_back({partition, start != starts.end() ? start->second : std::vector<int64_t>(sources_, 0)});
  }
  return result;
}

void TestListener::OnRevoked(const std::vector<int32_t>& partitions) {
  if (before_revoke) before_revoke();
  assigned.clear();
  absl::StrAppend(&log, "revoked ", absl::StrJoin(partitions, ","), "; ");
}

void TestListener::OnLost(const std::vector<int32_t>& partitions) {
  assigned.clear();
  absl::StrAppend(&log, "lost ", absl::StrJoin(partitions, ","), "; ");
}

absl::Status PollUntil(GroupConsumer& consumer, std::vector<Record>& records, const std::function<bool()>& enough) {
  const auto deadline = std::chrono::steady_clock::now() + seconds(60);
  while (!enough()) {
    if (std::chrono::steady_clock::now() > deadline) return absl::DeadlineExceededError("60 s were not enough");
    const absl::Status status = consumer.Poll(std::chrono::milliseconds(50), 1000, records);
    if (!status.ok() && !absl::IsUnavailable(status)) return status;
  }
  return absl::OkStatus();
}

std::unique_ptr<TransactionalProducer> NewTransactionalProducer(const KafkaOptions& options, const std::string& id) {
  auto producer = KafkaTransactionalProducer::Create(options, id);
  REQUIRE(producer.ok());
  absl::Status status = absl::UnavailableError("");
  for (int i = 0; i < 10 && absl::IsUnavailable(status); ++i) status = (*producer)->Init(seconds(5));
  INFO(status);
  REQUIRE(status.ok());
  return *std::move(producer);
}

std::string Shown(const std::vector<Record>& records) {
  return absl::StrJoin(records, "; ", [](std::string* out, const Record& record) {
    absl::StrAppend(out, record.partition, "/", record.offset, " ", std::string(record.key.value_or("-")), "=",
                    std::string(record.value.value_or("-")));
    for (const HeaderView& header : record.headers) {
      absl::StrAppend(out, " ", std::string(header.name), ":", std::string(header.value.value_or("-")));
    }
  });
}

std::string Values(const std::vector<Record>& records) {
  return absl::StrJoin(records, " ", [](std::string* out, const Record& record) {
    absl::StrAppend(out, std::string(record.value.value_or("-")));
  });
}

std::string ReadAll(LogReader& reader, const std::string& topic, int32_t partition, Duration timeout) {
  const absl::StatusOr<LogRange> range = reader.Range(topic, partition, timeout);
  if (!range.ok()) return range.status().ToString();
  auto cursor = reader.Open(topic, partition, range->begin, range->end);
  if (!cursor.ok()) return cursor.status().ToString();
  std::vector<Record> records;
  while (true) {
    absl::StatusOr<std::optional<Record>> next = (*cursor)->Next(timeout);
    if (!next.ok()) return next.status().ToString();
    if (!next->has_value()) return Values(records);
    records.push_back(**std::move(next));
  }
}

}  // namespace portrait
