// Writes NewRecords to a librdkafka producer: shared by the transactional and the plain one.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "pipeline/kafka/client.h"
#include "pipeline/ports/record.h"

namespace portrait {

// Properties of every producer of ours: idempotent, all replicas, lz4, batches for throughput, Java's partitioner.
// `options` must be added after it, the id of the producer after that.
KafkaConf ProducerConf(const KafkaOptions& options);

// One thread.
class RecordWriter {
 public:
  // `full_timeout`: how long Write waits for room before it gives up.
  RecordWriter(std::shared_ptr<KafkaClient> client, Duration full_timeout)
      : client_(std::move(client)), full_timeout_(full_timeout) {}

  // Copies the record into librdkafka's queue. When that is full, serves it until there is room.
  // ResourceExhausted: no room within the time-out. InvalidArgument: larger than the client may send. Names the topic.
  absl::Status Write(const NewRecord& record);

 private:
  absl::Status TopicOf(std::string_view name, rd_kafka_topic_t*& topic);
  rd_kafka_resp_err_t Enqueue(const NewRecord& record, rd_kafka_topic_t* topic);
  absl::Status WaitForRoom(const NewRecord& record, rd_kafka_topic_t* topic);

  std::shared_ptr<KafkaClient> client_;
  Duration full_timeout_;
  std::map<std::string, KafkaTopicPtr, std::less<>> topics_;
  std::string last_name_;  // most records go to the topic of the one before
  rd_kafka_topic_t* last_topic_ = nullptr;
};

}  // namespace portrait
