#include "pipeline/kafka/tail.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "pipeline/kafka/errors.h"
#include "pipeline/kafka/log_cursor.h"
#include "pipeline/kafka/log_reader.h"
#include "pipeline/kafka/topics.h"

namespace portrait {
namespace {

absl::StatusOr<std::vector<int64_t>> OffsetsOf(const KafkaOptions& options, const std::string& topic,
                                               const KafkaTail::Start& start, Duration timeout) {
  auto topics = KafkaTopics::Create(options);
  if (!topics.ok()) return topics.status();
  absl::StatusOr<int> partitions = (*topics)->SourcePartitions({topic}, timeout);
  if (!partitions.ok()) return partitions.status();
  std::vector<int64_t> offsets(static_cast<size_t>(*partitions),
                               start.at_beginning ? RD_KAFKA_OFFSET_BEGINNING : RD_KAFKA_OFFSET_END);
  if (!start.time.has_value()) return offsets;
  auto reader = KafkaLogReader::Create(options);
  if (!reader.ok()) return reader.status();
  for (int32_t partition = 0; partition < *partitions; ++partition) {
    absl::StatusOr<int64_t> offset = (*reader)->OffsetAt(topic, partition, *start.time, timeout);
    if (!offset.ok()) return offset.status();
    offsets[static_cast<size_t>(partition)] = *offset;
  }
  return offsets;
}

}  // namespace

absl::StatusOr<std::unique_ptr<KafkaTail>> KafkaTail::Open(const KafkaOptions& options, const std::string& topic,
                                                           Start start, Duration timeout) {
  if (absl::Status status = CheckKafkaOptions(options); !status.ok()) return status;
  absl::StatusOr<std::vector<int64_t>> offsets = OffsetsOf(options, topic, start, timeout);
  if (!offsets.ok()) return offsets.status();
  KafkaConf conf = ReaderConf(options);
  conf.SetMillis("fetch.wait.max.ms", std::chrono::milliseconds(500));  // it stays, so it need not hurry
  auto client = KafkaClient::Create(RD_KAFKA_CONSUMER, std::move(conf), {.name = options.instance_id + ":tail"});
  if (!client.ok()) return client.status();
  std::unique_ptr<KafkaTail> tail(new KafkaTail(*std::move(client), topic));
  if (absl::Status status = tail->StartPartitions(*offsets); !status.ok()) return status;
  return tail;
}

absl::Status KafkaTail::StartPartitions(const std::vector<int64_t>& offsets) {
  handle_.reset(rd_kafka_topic_new(client_->get(), topic_.c_str(), nullptr));
  if (handle_ == nullptr) return StatusOf(rd_kafka_last_error(), absl::StrCat("topic \"", topic_, "\""));
  queue_.reset(rd_kafka_queue_new(client_->get()));
  for (const int64_t offset : offsets) {
    const auto partition = static_cast<int32_t>(at_end_.size());
    if (rd_kafka_consume_start_queue(handle_.get(), partition, offset, queue_.get()) != 0) {
      return StatusOf(rd_kafka_last_error(), absl::StrCat("read topic ", topic_, ", partition ", partition));
    }
    at_end_.push_back(false);
  }
  return absl::OkStatus();
}

KafkaTail::~KafkaTail() {
  for (size_t i = taken_; i < fetched_.size(); ++i) rd_kafka_message_destroy(fetched_[i]);
  for (size_t i = 0; i < at_end_.size(); ++i) rd_kafka_consume_stop(handle_.get(), static_cast<int32_t>(i));
}

bool KafkaTail::at_end() const {
  return taken_ == fetched_.size() && std::all_of(at_end_.begin(), at_end_.end(), [](bool end) { return end; });
}

absl::StatusOr<std::optional<Record>> KafkaTail::Next(Duration timeout) {
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  while (true) {
    if (taken_ == fetched_.size()) {
      const auto rest = std::chrono::duration_cast<Duration>(deadline - std::chrono::steady_clock::now());
      batcher_.EndBatch();
      taken_ = 0;
      if (!FetchMessages(*client_, queue_.get(), rest, fetched_)) {
        if (absl::Status reachable = client_->CheckReachable(); !reachable.ok()) return reachable;
        return std::nullopt;
      }
    }
    rd_kafka_message_t* message = fetched_[taken_++];
    if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
      at_end_[static_cast<size_t>(message->partition)] = false;
      return batcher_.Take(message, 0);
    }
    const KafkaMessagePtr owner(message);
    if (absl::Status status = HandleError(*message); !status.ok()) return status;
  }
}

absl::Status KafkaTail::HandleError(const rd_kafka_message_t& message) {
  if (message.err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
    at_end_[static_cast<size_t>(message.partition)] = true;
    return absl::OkStatus();
  }
  if (StatusCodeOf(message.err) == absl::StatusCode::kUnavailable) return absl::OkStatus();
  return StatusOf(message.err, absl::StrCat("read topic ", topic_, ", partition ", message.partition),
                  rd_kafka_message_errstr(&message));
}

}  // namespace portrait
