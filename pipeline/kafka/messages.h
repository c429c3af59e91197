// Messages of librdkafka as Records, without a copy.
//
//   auto batch = std::make_shared<MessageBatch>(client);
//   for (rd_kafka_message_t* message : polled) { batch->Add(message); records.push_back(RecordOf(*message, 0, batch));
//   }
//
// The messages of a batch live until the last of its records is gone. A control block for each message would cost more
// than a record's share of the batch; a record that is held long pins at most its batch, whose payload lies in fetch
// responses that librdkafka shares between messages anyway.
#pragma once

#include <librdkafka/rdkafka.h>

#include <array>
#include <cstddef>
#include <memory>

#include "pipeline/kafka/client.h"
#include "pipeline/ports/record.h"

namespace portrait {

// Filled by one thread; destroyed on any.
class MessageBatch {
 public:
  static constexpr size_t kCapacity = 128;

  explicit MessageBatch(std::shared_ptr<KafkaClient> client) : client_(std::move(client)) {}
  ~MessageBatch();
  MessageBatch(const MessageBatch&) = delete;
  MessageBatch& operator=(const MessageBatch&) = delete;

  bool full() const { return count_ == kCapacity; }
  // Takes the message over. Not when full.
  void Add(rd_kafka_message_t* message) { messages_[count_++] = message; }

 private:
  std::shared_ptr<KafkaClient> client_;  // messages must not outlive their handle
  size_t count_ = 0;
  std::array<rd_kafka_message_t*, kCapacity> messages_;
};

// Adds messages to batches, a new one when the last is full.
class MessageBatcher {
 public:
  explicit MessageBatcher(std::shared_ptr<KafkaClient> client) : client_(std::move(client)) {}

  // Takes the message over.
  Record Take(rd_kafka_message_t* message, int32_t source);
  // What comes next goes to another batch: called between polls, so that records of one poll do not keep another's.
  void EndBatch() { batch_.reset(); }

 private:
  std::shared_ptr<KafkaClient> client_;
  std::shared_ptr<MessageBatch> batch_;
};

// `owner` keeps the message.
Record RecordOf(const rd_kafka_message_t& message, int32_t source, std::shared_ptr<const void> owner);

}  // namespace portrait
