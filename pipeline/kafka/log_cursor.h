// Reads one partition from one offset to another: the cursor of KafkaLogReader.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "pipeline/kafka/client.h"
#include "pipeline/kafka/messages.h"
#include "pipeline/ports/log_reader.h"

namespace portrait {

// Properties of a consumer without group: read-committed, PARTITION_EOF on, quick to notice the end.
KafkaConf ReaderConf(const KafkaOptions& options);

// What has come in the queue, waiting at most `timeout` for the first message; serves the client's errors meanwhile.
// False when nothing came. Overwrites `messages`, which the caller owns.
bool FetchMessages(KafkaClient& client, rd_kafka_queue_t* queue, Duration timeout,
                   std::vector<rd_kafka_message_t*>& messages);

class KafkaLogCursor final : public LogCursor {
 public:
  // `on_close` is called when the partition may be opened again on this client.
  static absl::StatusOr<std::unique_ptr<KafkaLogCursor>> Open(std::shared_ptr<KafkaClient> client,
                                                              const std::string& topic, int32_t partition, int64_t from,
                                                              int64_t end, std::function<void()> on_close);
  ~KafkaLogCursor() override;

  absl::StatusOr<std::optional<Record>> Next(Duration timeout) override;

 private:
  KafkaLogCursor(std::shared_ptr<KafkaClient> client, std::string topic, int32_t partition, int64_t from, int64_t end)
      : client_(std::move(client)),
        batcher_(client_),
        topic_(std::move(topic)),
        partition_(partition),
        next_(from),
        end_(end) {}

  absl::Status HandleError(const rd_kafka_message_t& message);
  std::string Name() const;

  std::shared_ptr<KafkaClient> client_;
  MessageBatcher batcher_;
  const std::string topic_;
  const int32_t partition_;
  int64_t next_;  // after the last record
  const int64_t end_;
  bool done_ = false;
  std::function<void()> on_close_;

  KafkaTopicPtr handle_;  // started when on_close_ is set
  KafkaQueuePtr queue_;
  std::vector<rd_kafka_message_t*> fetched_;
  size_t taken_ = 0;  // of fetched_
};

}  // namespace portrait
