#include "pipeline/kafka/record_writer.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "pipeline/kafka/errors.h"

namespace portrait {
namespace {

// librdkafka takes a null pointer for a null value, and an empty string_view may have one.
void* PointerOf(const std::optional<std::string_view>& bytes) {
  if (!bytes.has_value()) return nullptr;
  return const_cast<char*>(bytes->empty() ? "" : bytes->data());
}

KafkaHeadersPtr HeadersOf(const NewRecord& record) {
  if (record.headers.empty()) return nullptr;
  KafkaHeadersPtr headers(rd_kafka_headers_new(record.headers.size()));
  for (const HeaderView& header : record.headers) {
    rd_kafka_header_add(headers.get(), header.name.data(), static_cast<ssize_t>(header.name.size()),
                        PointerOf(header.value),
                        header.value.has_value() ? static_cast<ssize_t>(header.value->size()) : -1);
  }
  return headers;
}

}  // namespace

KafkaConf ProducerConf(const KafkaOptions& options) {
  KafkaConf conf;
  conf.Set("compression.codec", "lz4")
      .Set("linger.ms", "10")  // commits flush without waiting for it
      .Set("batch.num.messages", 100'000)
      .Set("queue.buffering.max.messages", 1'000'000)
      .Set("queue.buffering.max.kbytes", static_cast<int64_t>(std::max<size_t>(options.send_memory_bytes >> 10, 1)))
      .SetMillis("reconnect.backoff.max.ms", seconds(2))
      .AddUser(options)
      .Set("enable.idempotence", "true")
      .Set("acks", "all")
      .Set("delivery.report.only.error", "false")  // each report also wakes whoever waits in a flush
      .Set("partitioner", "murmur2_random");       // as pipeline/partitioner.h; records without a key anywhere
  return conf;
}

absl::Status RecordWriter::Write(const NewRecord& record) {
  rd_kafka_topic_t* topic = nullptr;
  if (absl::Status status = TopicOf(record.topic, topic); !status.ok()) return status;
  const rd_kafka_resp_err_t error = Enqueue(record, topic);
  if (error == RD_KAFKA_RESP_ERR_NO_ERROR) return absl::OkStatus();
  if (error == RD_KAFKA_RESP_ERR__QUEUE_FULL) return WaitForRoom(record, topic);
  const size_t size = record.key.value_or("").size() + record.value.value_or("").size();
  return StatusOf(error, absl::StrCat("write to topic ", absl::string_view(record.topic.data(), record.topic.size()),
                                      " (", size, " bytes)"));
}

absl::Status RecordWriter::WaitForRoom(const NewRecord& record, rd_kafka_topic_t* topic) {
  const auto deadline = std::chrono::steady_clock::now() + full_timeout_;
  rd_kafka_resp_err_t error = RD_KAFKA_RESP_ERR__QUEUE_FULL;
  while (error == RD_KAFKA_RESP_ERR__QUEUE_FULL && std::chrono::steady_clock::now() < deadline) {
    rd_kafka_poll(client_->get(), 100);  // until something is delivered
    error = Enqueue(record, topic);
  }
  return StatusOf(error, absl::StrCat("write to topic ", absl::string_view(record.topic.data(), record.topic.size())));
}

absl::Status RecordWriter::TopicOf(std::string_view name, rd_kafka_topic_t*& topic) {
  if (last_topic_ == nullptr || last_name_ != name) {
    auto found = topics_.find(name);
    if (found == topics_.end()) {
      const std::string key(name);
      KafkaTopicPtr created(rd_kafka_topic_new(client_->get(), key.c_str(), nullptr));
      if (created == nullptr) return StatusOf(rd_kafka_last_error(), absl::StrCat("topic \"", key, "\""));
      found = topics_.emplace(key, std::move(created)).first;
    }
    last_name_ = found->first;
    last_topic_ = found->second.get();
  }
  topic = last_topic_;
  return absl::OkStatus();
}

rd_kafka_resp_err_t RecordWriter::Enqueue(const NewRecord& record, rd_kafka_topic_t* topic) {
  KafkaHeadersPtr headers = HeadersOf(record);
  const rd_kafka_resp_err_t error = rd_kafka_producev(
      client_->get(), RD_KAFKA_V_RKT(topic), RD_KAFKA_V_PARTITION(record.partition),
      RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_KEY(PointerOf(record.key), record.key.value_or("").size()),
      RD_KAFKA_V_VALUE(PointerOf(record.value), record.value.value_or("").size()),
      RD_KAFKA_V_TIMESTAMP(record.timestamp_us / 1000), RD_KAFKA_V_HEADERS(headers.get()), RD_KAFKA_V_END);
  if (error == RD_KAFKA_RESP_ERR_NO_ERROR) headers.release();  // the message's now
  return error;
}

}  // namespace portrait
