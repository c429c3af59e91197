// librdkafka's broker inside the process: the default of a first run, and a place to plant broker faults in tests.
//
//   absl::StatusOr<std::unique_ptr<MockCluster>> cluster = MockCluster::Start();
//   (*cluster)->CreateTopic("tag-changes", 4);
//   KafkaOptions options{.brokers = (*cluster)->brokers()};   // other processes may connect too, kcat for example
//
// Never for anything that must last: everything is in memory; a partition keeps at most 5 MB, then silently drops its
// oldest records (23 843 of 200 B), so producers must not run ahead of readers; and it ignores isolation: records of
// open and aborted transactions are read like any other.
#pragma once

#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "operators/time.h"
#include "pipeline/kafka/client.h"

namespace portrait {

// Safe from any thread.
class MockCluster {
 public:
  static absl::StatusOr<std::unique_ptr<MockCluster>> Start(int brokers = 1);
  ~MockCluster();
  MockCluster(const MockCluster&) = delete;
  MockCluster& operator=(const MockCluster&) = delete;

  const std::string& brokers() const { return brokers_; }

  absl::Status CreateTopic(const std::string& topic, int partitions);

  // Faults. `api_key` as in the Kafka protocol: 0 Produce, 1 Fetch, 26 EndTxn, 28 TxnOffsetCommit ...
  // The next requests of this kind get these errors, one each; RD_KAFKA_RESP_ERR__TRANSPORT drops the connection
  // instead.
  void FailNext(int16_t api_key, const std::vector<rd_kafka_resp_err_t>& errors);
  // All brokers close their connections and refuse new ones, or accept them again.
  absl::Status SetDown(bool down);
  // Every answer takes this long.
  absl::Status SetRoundTrip(Duration time);

 private:
  MockCluster() = default;

  std::shared_ptr<KafkaClient> host_;  // the handle whose threads the cluster runs on
  rd_kafka_mock_cluster_t* cluster_ = nullptr;
  int broker_count_ = 0;
  std::string brokers_;
};

}  // namespace portrait
