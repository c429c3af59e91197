// A cluster for tests: the embedded broker, or the real one that PORTRAIT_TEST_BROKERS names (deploy/kafka/local.sh).
//
//   TestCluster cluster = TestCluster::Real();   // skips the test when there is none
//   const std::string topic = cluster.NewTopic("journal", 2);
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "pipeline/kafka/mock_cluster.h"
#include "pipeline/kafka/options.h"
#include "pipeline/ports/group_consumer.h"
#include "pipeline/ports/log_reader.h"
#include "pipeline/ports/record.h"
#include "pipeline/ports/transactional_producer.h"

namespace portrait {

class TestCluster {
 public:
  static TestCluster Mock();
  static TestCluster Real();

  // Options for a group and an instance of this test only.
  KafkaOptions Options(const std::string& instance = "one") const;
  // A topic of this test only.
  std::string NewTopic(const std::string& name, int partitions, const std::map<std::string, std::string>& configs = {});
  // A name of this test only.
  std::string Unique(const std::string& name) const { return name + "-" + id_; }

  MockCluster& mock() { return *mock_; }

 private:
  TestCluster();

  std::string id_;
  std::string brokers_;
  std::unique_ptr<MockCluster> mock_;
};

// Starts everything at the beginning, or where told, and writes down what happens.
class TestListener final : public AssignmentListener {
 public:
  explicit TestListener(size_t sources) : sources_(sources) {}

  absl::StatusOr<std::vector<PartitionStart>> OnAssigned(const std::vector<int32_t>& partitions) override;
  void OnRevoked(const std::vector<int32_t>& partitions) override;
  void OnLost(const std::vector<int32_t>& partitions) override;

  std::map<int32_t, std::vector<int64_t>> starts;  // by partition; where not named, 0
  std::function<void()> before_revoke;
  std::function<void()> after_assign;
  absl::Status answer;
  std::vector<int32_t> assigned;
  std::string log;  // "assigned 0,1; revoked 0,1; "

 private:
  size_t sources_;
};

// Polls until `enough` says so, 60 s at most. Unavailable is passed over; any other error is returned.
absl::Status PollUntil(GroupConsumer& consumer, std::vector<Record>& records, const std::function<bool()>& enough);

// A producer that has been initialised.
std::unique_ptr<TransactionalProducer> NewTransactionalProducer(const KafkaOptions& options, const std::string& id);

// "0/12 key=value; ...": partition, offset, key and value of each; "-" for null.
std::string Shown(const std::vector<Record>& records);
// Only the values: "a b c".
std::string Values(const std::vector<Record>& records);

// What a cursor over the whole log gives, or the error it ends with.
std::string ReadAll(LogReader& reader, const std::string& topic, int32_t partition, Duration timeout = seconds(30));

}  // namespace portrait
