#include "pipeline/kafka/log_reader.h"

#include <algorithm>
#include <chrono>
#include <thread>

#include "absl/strings/str_cat.h"
#include "pipeline/kafka/errors.h"
#include "pipeline/kafka/log_cursor.h"

namespace portrait {
namespace {

constexpr Duration kAskAgain = std::chrono::milliseconds(100);

// A topic that has just been made, or one whose leader changes.
bool WaitsForLeader(rd_kafka_resp_err_t error) {
  return error == RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION || error == RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE;
}

std::string NameOf(std::string_view topic, int32_t partition) {
  return absl::StrCat("topic ", absl::string_view(topic.data(), topic.size()), ", partition ", partition);
}

}  // namespace

absl::StatusOr<std::unique_ptr<KafkaLogReader>> KafkaLogReader::Create(const KafkaOptions& options) {
  if (absl::Status status = CheckKafkaOptions(options); !status.ok()) return status;
  std::unique_ptr<KafkaLogReader> reader(new KafkaLogReader(options));
  KafkaConf conf = ReaderConf(options);
  conf.Set("isolation.level", "read_uncommitted");
  auto client = KafkaClient::Create(RD_KAFKA_CONSUMER, std::move(conf), {.name = options.instance_id + ":watermarks"});
  if (!client.ok()) return client.status();
  reader->uncommitted_ = *std::move(client);
  return reader;
}

absl::StatusOr<LogRange> KafkaLogReader::Range(std::string_view topic, int32_t partition, Duration timeout) {
  rd_kafka_poll(uncommitted_->get(), 0);
  LogRange range;
  const std::string name(topic);
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  auto error = RD_KAFKA_RESP_ERR_NO_ERROR;
  while (true) {
    const auto left = std::chrono::duration_cast<Duration>(deadline - std::chrono::steady_clock::now());
    error = rd_kafka_query_watermark_offsets(uncommitted_->get(), name.c_str(), partition, &range.begin, &range.end,
                                             TimeoutMillis(std::max(left, Duration::zero())));
    if (!WaitsForLeader(error) || left <= kAskAgain) break;
    std::this_thread::sleep_for(kAskAgain);
  }
  if (error != RD_KAFKA_RESP_ERR_NO_ERROR) return StatusOf(error, absl::StrCat("range of ", NameOf(topic, partition)));
  uncommitted_->HeardFromBroker();
  return range;
}

absl::StatusOr<std::unique_ptr<LogCursor>> KafkaLogReader::Open(std::string_view topic, int32_t partition, int64_t from,
                                                                int64_t end) {
  if (from < 0) {
    return absl::InvalidArgumentError(absl::StrCat("not an offset: ", NameOf(topic, partition), ", offset ", from));
  }
  absl::StatusOr<LogRange> range = Range(topic, partition, options_.request_timeout);
  if (!range.ok()) return range.status();
  if (from < range->begin || from > range->end || end > range->end) {
    return absl::OutOfRangeError(absl::StrCat("the log does not hold all that is asked for: ", NameOf(topic, partition),
                                              ", offsets ", from, " to ", end, "; the log holds ", range->begin, " to ",
                                              range->end, " (excluded)"));
  }
  absl::StatusOr<std::shared_ptr<KafkaReadHandle>> handle = HandleFor(std::string(topic), partition);
  if (!handle.ok()) return handle.status();
  const std::pair<std::string, int32_t> key(topic, partition);
  auto cursor = KafkaLogCursor::Open((*handle)->client, key.first, partition, from, end,
                                     [handle = *handle, key] { handle->open.erase(key); });
  if (!cursor.ok()) return cursor.status();
  (*handle)->open.insert(key);
  return *std::move(cursor);
}

absl::StatusOr<std::shared_ptr<KafkaReadHandle>> KafkaLogReader::HandleFor(const std::string& topic,
                                                                           int32_t partition) {
  for (const auto& handle : handles_) {
    if (!handle->open.contains({topic, partition})) return handle;
  }
  auto client = KafkaClient::Create(RD_KAFKA_CONSUMER, ReaderConf(options_),
                                    {.name = absl::StrCat(options_.instance_id, ":reader-", handles_.size())});
  if (!client.ok()) return client.status();
  handles_.push_back(std::make_shared<KafkaReadHandle>(KafkaReadHandle{.client = *std::move(client)}));
  return handles_.back();
}

absl::StatusOr<int64_t> KafkaLogReader::OffsetAt(std::string_view topic, int32_t partition, Timestamp time,
                                                 Duration timeout) {
  const TopicPartitionsPtr list(rd_kafka_topic_partition_list_new(1));
  rd_kafka_topic_partition_t* entry =
      rd_kafka_topic_partition_list_add(list.get(), std::string(topic).c_str(), partition);
  entry->offset = std::max<int64_t>(ToMicros(time) / 1000, 0);
  const rd_kafka_resp_err_t error = rd_kafka_offsets_for_times(uncommitted_->get(), list.get(), TimeoutMillis(timeout));
  const rd_kafka_resp_err_t cause = error != RD_KAFKA_RESP_ERR_NO_ERROR ? error : entry->err;
  if (cause != RD_KAFKA_RESP_ERR_NO_ERROR) {
    return StatusOf(cause, absl::StrCat("offset by time of ", NameOf(topic, partition)));
  }
  if (entry->offset >= 0) return entry->offset;
  absl::StatusOr<LogRange> range = Range(topic, partition, timeout);
  if (!range.ok()) return range.status();
  return range->end;
}

}  // namespace portrait
