#include <atomic>
#include <chrono>
#include <csignal>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "bench/tool/commands.h"
#include "pipeline/kafka/client.h"
#include "pipeline/kafka/record_writer.h"

namespace portrait::bench {
namespace {

using std::chrono::steady_clock;

std::atomic<bool> stopping{false};

absl::StatusOr<std::shared_ptr<KafkaClient>> MakeConsumer(const BareClientOptions& options) {
  KafkaConf conf;
  conf.Set("bootstrap.servers", options.brokers)
      .Set("group.id", options.group)
      .Set("client.id", "bench-bare")
      .Set("queued.min.messages", 2'000'000)
      .Set("queued.max.messages.kbytes", 64 << 10)
      .Set("isolation.level", "read_committed")
      .Set("enable.auto.commit", "false")
      .Set("enable.auto.offset.store", "false")
      .Set("auto.offset.reset", "earliest");
  return KafkaClient::Create(RD_KAFKA_CONSUMER, std::move(conf), {.name = "bare"});
}

absl::StatusOr<std::shared_ptr<KafkaClient>> MakeProducer(const BareClientOptions& options) {
  KafkaConf conf = ProducerConf({.brokers = options.brokers, .client_id = "bench-bare"});
  conf.Set("transactional.id", options.group).Set("transaction.timeout.ms", 10'000);
  return KafkaClient::Create(RD_KAFKA_PRODUCER, std::move(conf), {.name = "bare"});
}

absl::Status Checked(rd_kafka_error_t* error, std::string_view what) { return StatusOf(KafkaErrorPtr(error), what); }

class Copy {
 public:
  Copy(const BareClientOptions& options, rd_kafka_t* consumer, rd_kafka_t* producer)
      : options_(options),
        consumer_(consumer),
        producer_(producer),
        queue_(rd_kafka_queue_get_consumer(consumer)),
        output_(rd_kafka_topic_new(producer, options.output.c_str(), nullptr)),
        batch_(10'000) {}

  absl::Status Run() {
    if (absl::Status s = Checked(rd_kafka_init_transactions(producer_, 60'000), "init"); !s.ok()) return s;
    if (absl::Status s = Checked(rd_kafka_begin_transaction(producer_), "begin"); !s.ok()) return s;
    const auto interval = std::chrono::milliseconds(options_.commit_interval_ms);
    auto last_commit = steady_clock::now();
    while (!stopping) {
      const ssize_t count = rd_kafka_consume_batch_queue(queue_.get(), 10, batch_.data(), batch_.size());
      for (ssize_t i = 0; i < count; ++i) {
        if (absl::Status s = Take(KafkaMessagePtr(batch_[static_cast<size_t>(i)])); !s.ok()) return s;
      }
      rd_kafka_poll(producer_, 0);
      if (steady_clock::now() - last_commit < interval) continue;
      last_commit = steady_clock::now();
      if (absl::Status s = Commit(); !s.ok()) return s;
    }
    return absl::OkStatus();
  }

 private:
  absl::Status Take(KafkaMessagePtr message) {
    if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR) return absl::OkStatus();  // it passes, or the watch times out
    next_[{message->rkt, message->partition}] = message->offset + 1;
    due_ += 1;
    if (due_ < options_.every) return absl::OkStatus();
    due_ -= options_.every;
    const int failed = rd_kafka_produce(output_.get(), RD_KAFKA_PARTITION_UA, RD_KAFKA_MSG_F_COPY, message->payload,
                                        message->len, message->key, message->key_len, nullptr);
    return failed == 0 ? absl::OkStatus() : StatusOf(rd_kafka_last_error(), "produce");
  }

  absl::Status Commit() {
    if (next_.empty()) return absl::OkStatus();
    const TopicPartitionsPtr offsets(rd_kafka_topic_partition_list_new(static_cast<int>(next_.size())));
    for (const auto& [at, offset] : next_) {
      rd_kafka_topic_partition_list_add(offsets.get(), rd_kafka_topic_name(at.first), at.second)->offset = offset;
    }
    const GroupMetadataPtr group(rd_kafka_consumer_group_metadata(consumer_));
    absl::Status s =
        Checked(rd_kafka_send_offsets_to_transaction(producer_, offsets.get(), group.get(), 10'000), "offsets");
    if (s.ok()) s = Checked(rd_kafka_commit_transaction(producer_, 10'000), "commit");
    if (s.ok()) s = Checked(rd_kafka_begin_transaction(producer_), "begin");
    next_.clear();
    return s;
  }

  const BareClientOptions& options_;
  rd_kafka_t* const consumer_;
  rd_kafka_t* const producer_;
  const KafkaQueuePtr queue_;
  const KafkaTopicPtr output_;
  std::vector<rd_kafka_message_t*> batch_;
  std::map<std::pair<rd_kafka_topic_t*, int32_t>, int64_t> next_;
  double due_ = 0;
};

}  // namespace

absl::Status BareClient(const BareClientOptions& options) {
  signal(SIGTERM, [](int) { stopping = true; });
  const auto consumer = MakeConsumer(options);
  if (!consumer.ok()) return consumer.status();
  const auto producer = MakeProducer(options);
  if (!producer.ok()) return producer.status();
  rd_kafka_poll_set_consumer((*consumer)->get());
  const TopicPartitionsPtr topics(rd_kafka_topic_partition_list_new(static_cast<int>(options.topics.size())));
  for (const std::string& topic : options.topics) {
    rd_kafka_topic_partition_list_add(topics.get(), topic.c_str(), RD_KAFKA_PARTITION_UA);
  }
  if (absl::Status s = StatusOf(rd_kafka_subscribe((*consumer)->get(), topics.get()), "subscribe"); !s.ok()) return s;
  const absl::Status status = Copy(options, (*consumer)->get(), (*producer)->get()).Run();
  rd_kafka_consumer_close((*consumer)->get());
  return status;
}

}  // namespace portrait::bench
