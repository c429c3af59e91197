// The input port on Kafka: a static member of the application's consumer group.
//
//   auto consumer = KafkaGroupConsumer::Create({.brokers = brokers, .group_id = "portrait", .instance_id = "host-1"});
//   (*consumer)->Subscribe({"browsing-events", "email-events"}, &listener);
//   while (running) { records.clear(); status = (*consumer)->Poll(ms(100), 1000, records); ... }
//
// Beyond the port: partitions are assigned with `range`, which keeps index p of all sources together as long as they
// have equal partition counts; an assignment that does not is an error. Rebalances are noted in librdkafka's callback
// and served after it, between batches, so records of partitions that were just revoked are never handed out.
//
// Fenced. Poll returns FailedPrecondition, for good, when another consumer has joined under this instance id. While
// brokers come back it may have been this one itself: librdkafka joins a second time when the first answer is lost, and
// the group cannot tell the two cases apart. So a consumer that has seen a broker go away within 5 minutes returns
// Aborted instead: make a new one, which has seen nothing. Of two processes with one instance id, one is left after
// each has done so once.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "pipeline/kafka/client.h"
#include "pipeline/kafka/group_generation.h"
#include "pipeline/kafka/messages.h"
#include "pipeline/kafka/options.h"
#include "pipeline/ports/group_consumer.h"

namespace portrait {

class KafkaGroupConsumer final : public GroupConsumer {
 public:
  // InvalidArgument: a property is refused. Does not wait for a broker.
  static absl::StatusOr<std::unique_ptr<KafkaGroupConsumer>> Create(const KafkaOptions& options);
  ~KafkaGroupConsumer() override;

  absl::Status Subscribe(const std::vector<std::string>& sources, AssignmentListener* listener) override;
  absl::Status Poll(Duration timeout, size_t max_records, std::vector<Record>& records) override;
  absl::StatusOr<std::vector<int64_t>> Committed(int32_t partition, Duration timeout) override;
  int64_t EndOffset(int32_t source, int32_t partition) override;
  absl::Status Pause(int32_t source, int32_t partition, bool paused) override;
  std::shared_ptr<const GroupGeneration> generation() const override { return generation_; }
  absl::Status Close() override;

 private:
  // A rebalance that librdkafka has announced and that waits to be served.
  struct Rebalance {
    rd_kafka_resp_err_t kind = RD_KAFKA_RESP_ERR_NO_ERROR;
    TopicPartitionsPtr partitions;
  };

  // One partition of one source while it is assigned.
  struct SourcePartition {
    bool assigned = false;
    bool heard = false;       // something came from the broker since the assignment
    bool at_end = false;      // PARTITION_EOF came after the last record
    int64_t next = -1;        // after the last record handed out
    int64_t stale_high = -1;  // what librdkafka remembered at the assignment, maybe of an earlier one
    int64_t end = -1;         // EndOffset's answer in round end_round
    uint64_t end_round = 0;
  };

  explicit KafkaGroupConsumer(KafkaOptions options) : options_(std::move(options)) {}

  absl::Status Fatal();

  void NoteRebalance(rd_kafka_resp_err_t kind, const rd_kafka_topic_partition_list_t* partitions);
  absl::Status ServeRebalances();
  absl::Status Assign(const rd_kafka_topic_partition_list_t& partitions);
  absl::Status StartAt(const std::vector<PartitionStart>& starts);
  absl::Status Unassign();
  void TellListener(bool lost);
  absl::StatusOr<std::vector<int32_t>> IndexesOf(const rd_kafka_topic_partition_list_t& partitions) const;

  size_t Fetch(Duration timeout, size_t max_records);
  absl::Status TakeMessages(size_t count, std::vector<Record>& records);
  absl::Status HandleMessageError(const rd_kafka_message_t& message);
  absl::Status OutOfRange(const std::string& topic, int32_t partition, int64_t offset);
  int64_t FindEnd(int32_t source, int32_t partition, const SourcePartition& state);

  int32_t SourceOf(const rd_kafka_topic_t* topic);
  int32_t SourceOf(std::string_view topic) const;
  SourcePartition* Find(int32_t source, int32_t partition);

  const KafkaOptions options_;
  std::shared_ptr<KafkaClient> client_;
  KafkaQueuePtr queue_;
  std::unique_ptr<MessageBatcher> batcher_;

  std::vector<std::string> sources_;
  AssignmentListener* listener_ = nullptr;
  std::deque<Rebalance> rebalances_;
  bool closing_ = false;
  bool closed_ = false;
  bool may_yield_ = false;

  std::vector<int32_t> partitions_;                   // assigned now, in order
  std::vector<std::vector<SourcePartition>> states_;  // [source][partition]
  std::vector<std::pair<const rd_kafka_topic_t*, int32_t>> source_of_topic_;
  std::shared_ptr<const KafkaGroupGeneration> generation_;
  std::vector<rd_kafka_message_t*> fetched_;
  uint64_t round_ = 1;  // counts polls
};

}  // namespace portrait
