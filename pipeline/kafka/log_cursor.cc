#include "pipeline/kafka/log_cursor.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "pipeline/kafka/errors.h"

namespace portrait {
namespace {

constexpr size_t kFetch = 4 * MessageBatch::kCapacity;

}  // namespace

KafkaConf ReaderConf(const KafkaOptions& options) {
  KafkaConf conf;
  // A fetch at the end of a log waits this long before librdkafka says so, and a recovery waits for each log's end.
  conf.SetMillis("fetch.wait.max.ms", std::chrono::milliseconds(10))
      .Set("queued.min.messages", 2'000'000)
      .Set("queued.max.messages.kbytes", static_cast<int64_t>(std::max<size_t>(options.fetch_memory_bytes >> 10, 1)))
      .SetMillis("fetch.error.backoff.ms", std::chrono::milliseconds(100))
      .SetMillis("reconnect.backoff.max.ms", seconds(2))
      .AddUser(options)
      .Set("isolation.level", "read_committed")
      .Set("enable.auto.commit", "false")
      .Set("enable.auto.offset.store", "false")
      .Set("auto.offset.reset", "error")
      .Set("enable.partition.eof", "true");
  return conf;
}

// librdkafka's batch call waits until the batch is full, so waiting is done for one message alone. The client's own
// queue is served too: errors and outages are told there.
bool FetchMessages(KafkaClient& client, rd_kafka_queue_t* queue, Duration timeout,
                   std::vector<rd_kafka_message_t*>& messages) {
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  ssize_t count = 0;
  messages.resize(kFetch);
  while (true) {
    rd_kafka_poll(client.get(), 0);
    count = rd_kafka_consume_batch_queue(queue, 0, messages.data(), messages.size());
    const auto rest = std::chrono::duration_cast<Duration>(deadline - std::chrono::steady_clock::now());
    if (count > 0 || rest <= Duration::zero()) break;
    const Duration slice = std::min<Duration>(rest, std::chrono::milliseconds(200));
    count = rd_kafka_consume_batch_queue(queue, TimeoutMillis(slice), messages.data(), 1);
    if (count > 0) break;
  }
  messages.resize(count > 0 ? static_cast<size_t>(count) : 0);
  return !messages.empty();
}

absl::StatusOr<std::unique_ptr<KafkaLogCursor>> KafkaLogCursor::Open(std::shared_ptr<KafkaClient> client,
                                                                     const std::string& topic, int32_t partition,
                                                                     int64_t from, int64_t end,
                                                                     std::function<void()> on_close) {
  std::unique_ptr<KafkaLogCursor> cursor(new KafkaLogCursor(client, topic, partition, from, end));
  cursor->handle_.reset(rd_kafka_topic_new(client->get(), topic.c_str(), nullptr));
  if (cursor->handle_ == nullptr) return StatusOf(rd_kafka_last_error(), absl::StrCat("topic \"", topic, "\""));
  cursor->queue_.reset(rd_kafka_queue_new(client->get()));
  if (rd_kafka_consume_start_queue(cursor->handle_.get(), partition, from, cursor->queue_.get()) != 0) {
    return StatusOf(rd_kafka_last_error(), absl::StrCat("read ", cursor->Name()));
  }
  cursor->on_close_ = std::move(on_close);
  return cursor;
}

KafkaLogCursor::~KafkaLogCursor() {
  for (size_t i = taken_; i < fetched_.size(); ++i) rd_kafka_message_destroy(fetched_[i]);
  if (!on_close_) return;
  rd_kafka_consume_stop(handle_.get(), partition_);
  on_close_();
}

absl::StatusOr<std::optional<Record>> KafkaLogCursor::Next(Duration timeout) {
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  while (!done_ && next_ < end_) {
    if (taken_ == fetched_.size()) {
      const auto rest = std::chrono::duration_cast<Duration>(deadline - std::chrono::steady_clock::now());
      batcher_.EndBatch();
      taken_ = 0;
      if (!FetchMessages(*client_, queue_.get(), rest, fetched_)) {
        if (absl::Status reachable = client_->CheckReachable(); !reachable.ok()) return reachable;
        return absl::UnavailableError(absl::StrCat("nothing came in time: ", Name(), ", next offset ", next_));
      }
    }
    rd_kafka_message_t* message = fetched_[taken_++];
    if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
      const KafkaMessagePtr owner(message);
      if (absl::Status status = HandleError(*message); !status.ok()) return status;
    } else if (message->offset >= end_ || message->offset < next_) {
      done_ = done_ || message->offset >= end_;
      rd_kafka_message_destroy(message);
    } else {
      next_ = message->offset + 1;
      return batcher_.Take(message, 0);
    }
  }
  return std::nullopt;
}

absl::Status KafkaLogCursor::HandleError(const rd_kafka_message_t& message) {
  if (message.err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
    done_ = done_ || message.offset >= end_;
    return absl::OkStatus();
  }
  const absl::StatusCode code = StatusCodeOf(message.err);
  if (code == absl::StatusCode::kUnavailable) return absl::OkStatus();  // librdkafka tries again by itself
  if (code == absl::StatusCode::kOutOfRange) {
    int64_t low = -1, high = -1;
    rd_kafka_query_watermark_offsets(client_->get(), topic_.c_str(), partition_, &low, &high, 1000);
    return absl::OutOfRangeError(absl::StrCat("the log does not hold the next offset: ", Name(), ", offset ",
                                              message.offset, "; the log holds ", low, " to ", high, " (excluded)"));
  }
  return StatusOf(message.err, absl::StrCat("read ", Name()), rd_kafka_message_errstr(&message));
}

std::string KafkaLogCursor::Name() const { return absl::StrCat("topic ", topic_, ", partition ", partition_); }

}  // namespace portrait
