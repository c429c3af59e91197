// Follows a topic: every committed record of all its partitions as it comes. No group, so nobody is disturbed.
//
//   auto tail = KafkaTail::Open(options, "churn-alerts", KafkaTail::Start::Beginning(), seconds(10));
//   while (!stopped) if (auto record = (*tail)->Next(ms(200)); record.ok() && record->has_value()) Print(**record);
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "operators/time.h"
#include "pipeline/kafka/client.h"
#include "pipeline/kafka/messages.h"
#include "pipeline/kafka/options.h"

namespace portrait {

// One thread.
class KafkaTail {
 public:
  // Where to begin in each partition.
  struct Start {
    static Start Beginning() { return {.at_beginning = true}; }
    static Start End() { return {}; }
    static Start At(Timestamp time) { return {.time = time}; }  // the first record at or after it

    bool at_beginning = false;
    std::optional<Timestamp> time;
  };

  // NotFound: no such topic. Unavailable: the brokers are away, as known after `timeout`; call again.
  static absl::StatusOr<std::unique_ptr<KafkaTail>> Open(const KafkaOptions& options, const std::string& topic,
                                                         Start start, Duration timeout);
  ~KafkaTail();

  // The next record, in offset order within a partition; nothing when none came within the timeout.
  // Unavailable: the brokers are away; call again.
  absl::StatusOr<std::optional<Record>> Next(Duration timeout);

  // Everything that was there at the last look has been handed out: each partition has been read to its end.
  bool at_end() const;

 private:
  KafkaTail(std::shared_ptr<KafkaClient> client, std::string topic)
      : client_(client), batcher_(std::move(client)), topic_(std::move(topic)) {}

  absl::Status StartPartitions(const std::vector<int64_t>& offsets);
  absl::Status HandleError(const rd_kafka_message_t& message);

  std::shared_ptr<KafkaClient> client_;
  MessageBatcher batcher_;
  const std::string topic_;
  KafkaTopicPtr handle_;
  KafkaQueuePtr queue_;
  std::vector<bool> at_end_;  // by partition; its size is what was started
  std::vector<rd_kafka_message_t*> fetched_;
  size_t taken_ = 0;
};

}  // namespace portrait
