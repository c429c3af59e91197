#include "pipeline/kafka/messages.h"

#include <utility>

namespace portrait {
namespace {

void AppendHeaders(const rd_kafka_message_t& message, absl::InlinedVector<HeaderView, 2>& headers) {
  rd_kafka_headers_t* parsed = nullptr;  // the message's; parsed on first use, at no cost where there are none
  if (rd_kafka_message_headers(&message, &parsed) != RD_KAFKA_RESP_ERR_NO_ERROR) return;
  const char* name = nullptr;
  const void* value = nullptr;
  size_t size = 0;
  for (size_t i = 0; rd_kafka_header_get_all(parsed, i, &name, &value, &size) == RD_KAFKA_RESP_ERR_NO_ERROR; ++i) {
    HeaderView& header = headers.emplace_back(HeaderView{.name = name});
    if (value != nullptr) header.value.emplace(static_cast<const char*>(value), size);
  }
}

}  // namespace

MessageBatch::~MessageBatch() {
  for (size_t i = 0; i < count_; ++i) rd_kafka_message_destroy(messages_[i]);
}

Record RecordOf(const rd_kafka_message_t& message, int32_t source, std::shared_ptr<const void> owner) {
  Record record;
  record.source = source;
  record.partition = message.partition;
  record.offset = message.offset;
  rd_kafka_timestamp_type_t type;
  const int64_t millis = rd_kafka_message_timestamp(&message, &type);
  if (type != RD_KAFKA_TIMESTAMP_NOT_AVAILABLE) record.timestamp_us = millis * 1000;
  if (message.key != nullptr) record.key.emplace(static_cast<const char*>(message.key), message.key_len);
  if (message.payload != nullptr) record.value.emplace(static_cast<const char*>(message.payload), message.len);
  AppendHeaders(message, record.headers);
  record.owner = std::move(owner);
  return record;
}

Record MessageBatcher::Take(rd_kafka_message_t* message, int32_t source) {
  if (batch_ == nullptr || batch_->full()) batch_ = std::make_shared<MessageBatch>(client_);
  batch_->Add(message);
  return RecordOf(*message, source, batch_);
}

}  // namespace portrait
