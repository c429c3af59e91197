#include "pipeline/kafka/group_consumer.h"

#include <algorithm>
#include <map>
#include <set>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "pipeline/kafka/errors.h"
#include "pipeline/log.h"

namespace portrait {
namespace {

constexpr Duration kOutageRemembered = minutes(5);
constexpr int kRoundsOfDraining = 100;
constexpr size_t kDrainedAtOnce = 10'000;
constexpr Duration kSeekTimeout = seconds(5);  // within the client; no broker is asked

KafkaConf GroupConsumerConf(const KafkaOptions& options) {
  KafkaConf conf;
  // librdkafka waits up to a second to fetch again once this many messages are queued, so memory is bounded by bytes
  // instead. The short wait of an empty fetch tells soon that a partition is read to its end.
  conf.Set("queued.min.messages", 2'000'000)
      .Set("queued.max.messages.kbytes", static_cast<int64_t>(std::max<size_t>(options.fetch_memory_bytes >> 10, 1)))
      .SetMillis("fetch.wait.max.ms", std::chrono::milliseconds(100))
      .SetMillis("fetch.error.backoff.ms", std::chrono::milliseconds(100))
      .SetMillis("reconnect.backoff.max.ms", seconds(2))
      // With its next heartbeat a member hears of a rebalance, for which all wait, or that it was replaced.
      .SetMillis("heartbeat.interval.ms",
                 std::min<Duration>(std::chrono::milliseconds(500), options.session_timeout / 10))
      .AddUser(options)
      .Set("group.id", options.group_id)
      .Set("group.instance.id", options.instance_id)
      .Set("partition.assignment.strategy", "range")
      .Set("isolation.level", "read_committed")
      .Set("enable.auto.commit", "false")
      .Set("enable.auto.offset.store", "false")
      .Set("auto.offset.reset", "error")
      .Set("enable.partition.eof", "true")
      .SetMillis("session.timeout.ms", options.session_timeout)
      .SetMillis("max.poll.interval.ms", options.max_poll_interval);
  return conf;
}

}  // namespace

absl::StatusOr<std::unique_ptr<KafkaGroupConsumer>> KafkaGroupConsumer::Create(const KafkaOptions& options) {
  if (absl::Status status = CheckKafkaOptions(options); !status.ok()) return status;
  std::unique_ptr<KafkaGroupConsumer> consumer(new KafkaGroupConsumer(options));
  auto client = KafkaClient::Create(
      RD_KAFKA_CONSUMER, GroupConsumerConf(options),
      {.name = options.instance_id + ":consumer",
       .on_rebalance = [self = consumer.get()](rd_kafka_resp_err_t kind, rd_kafka_topic_partition_list_t* partitions) {
         self->NoteRebalance(kind, partitions);
       }});
  if (!client.ok()) return client.status();
  consumer->client_ = *std::move(client);
  rd_kafka_poll_set_consumer(consumer->client_->get());
  consumer->queue_.reset(rd_kafka_queue_get_consumer(consumer->client_->get()));
  consumer->batcher_ = std::make_unique<MessageBatcher>(consumer->client_);
  return consumer;
}

KafkaGroupConsumer::~KafkaGroupConsumer() {
  if (client_ == nullptr) return;
  // Without Close there is nobody to tell: as after a crash, the member stays in the group until its session ends.
  closing_ = true;
  batcher_.reset();
  queue_.reset();
}

absl::Status KafkaGroupConsumer::Subscribe(const std::vector<std::string>& sources, AssignmentListener* listener) {
  if (sources.empty()) return absl::InvalidArgumentError("no source topics");
  const TopicPartitionsPtr list(rd_kafka_topic_partition_list_new(static_cast<int>(sources.size())));
  for (const std::string& source : sources) {
    if (source.empty() || source.front() == '^') {  // librdkafka would read a pattern
      return absl::InvalidArgumentError(absl::StrCat("not a topic name: \"", source, "\""));
    }
    rd_kafka_topic_partition_list_add(list.get(), source.c_str(), RD_KAFKA_PARTITION_UA);
  }
  if (std::set<std::string>(sources.begin(), sources.end()).size() != sources.size()) {
    return absl::InvalidArgumentError(absl::StrCat("a source topic is named twice: ", absl::StrJoin(sources, ", ")));
  }
  sources_ = sources;
  states_.assign(sources.size(), {});
  listener_ = listener;
  return StatusOf(rd_kafka_subscribe(client_->get(), list.get()), "subscribe");
}

absl::Status KafkaGroupConsumer::Poll(Duration timeout, size_t max_records, std::vector<Record>& records) {
  if (closed_ || listener_ == nullptr) return absl::FailedPreconditionError("the consumer is not subscribed");
  if (absl::Status fatal = Fatal(); !fatal.ok()) return fatal;
  ++round_;
  const size_t before = records.size();
  const size_t count = Fetch(timeout, max_records);
  if (!rebalances_.empty()) {
    // What came before the revocation was announced is somebody else's now, and no assignment has started yet.
    for (size_t i = 0; i < count; ++i) rd_kafka_message_destroy(fetched_[i]);
    return ServeRebalances();
  }
  absl::Status status = TakeMessages(count, records);
  if (absl::Status fatal = Fatal(); !fatal.ok()) return fatal;
  if (records.size() > before && absl::IsUnavailable(status)) return absl::OkStatus();
  if (status.ok() && count == 0) return client_->CheckReachable();
  return status;
}

absl::Status KafkaGroupConsumer::Fatal() {
  absl::Status fatal = client_->Fatal();
  if (!absl::IsFailedPrecondition(fatal)) return fatal;
  // The client fails at once, but an outage is told through the queue, where it may still wait after a long time
  // without a poll. Records of a member that is over are nobody's.
  for (int round = 0; round < kRoundsOfDraining && !client_->HadTrouble(kOutageRemembered); ++round) {
    const size_t count = Fetch(Duration::zero(), kDrainedAtOnce);
    if (count == 0) break;
    for (size_t i = 0; i < count; ++i) rd_kafka_message_destroy(fetched_[i]);
  }
  if (!client_->HadTrouble(kOutageRemembered)) return fatal;
  return absl::AbortedError(absl::StrCat("fenced after brokers were away: ", fatal.message()));
}

// Into fetched_. librdkafka's batch call waits until the batch is full, so waiting is done for one message alone.
size_t KafkaGroupConsumer::Fetch(Duration timeout, size_t max_records) {
  fetched_.resize(std::max<size_t>(max_records, 1));
  const auto fetch_what_is_there = [&](size_t from) {
    const ssize_t got = rd_kafka_consume_batch_queue(queue_.get(), 0, fetched_.data() + from, fetched_.size() - from);
    return from + (got > 0 ? static_cast<size_t>(got) : 0);
  };
  const size_t count = fetch_what_is_there(0);
  if (count > 0 || timeout <= Duration::zero() || !rebalances_.empty()) return count;

  may_yield_ = true;
  rd_kafka_message_t* first = rd_kafka_consumer_poll(client_->get(), TimeoutMillis(timeout));
  may_yield_ = false;
  if (first == nullptr) return 0;
  fetched_[0] = first;
  return fetched_.size() > 1 && rebalances_.empty() ? fetch_what_is_there(1) : 1;
}

absl::Status KafkaGroupConsumer::TakeMessages(size_t count, std::vector<Record>& records) {
  absl::Status status;
  for (size_t i = 0; i < count; ++i) {
    rd_kafka_message_t* message = fetched_[i];
    if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
      absl::Status error = HandleMessageError(*message);
      if (!error.ok() && (status.ok() || absl::IsUnavailable(status))) status = error;  // the worst, else the first
      rd_kafka_message_destroy(message);
      continue;
    }
    const int32_t source = SourceOf(message->rkt);
    SourcePartition* state = Find(source, message->partition);
    if (state == nullptr || message->offset < state->next) {  // not ours (any more), or a repeated one
      rd_kafka_message_destroy(message);
      continue;
    }
    state->heard = true;
    state->at_end = false;
    state->next = message->offset + 1;
    records.push_back(batcher_->Take(message, source));
  }
  batcher_->EndBatch();
  return status;
}

absl::Status KafkaGroupConsumer::HandleMessageError(const rd_kafka_message_t& message) {
  const std::string topic = message.rkt != nullptr ? rd_kafka_topic_name(message.rkt) : "";
  SourcePartition* state = Find(SourceOf(topic), message.partition);
  const char* text = rd_kafka_message_errstr(&message);
  switch (message.err) {
    case RD_KAFKA_RESP_ERR__PARTITION_EOF:
      if (state != nullptr) state->heard = state->at_end = true;
      return absl::OkStatus();
    case RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET:
    case RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE:
      return state == nullptr ? absl::OkStatus() : OutOfRange(topic, message.partition, message.offset);
    case RD_KAFKA_RESP_ERR__MAX_POLL_EXCEEDED:
      LogWarning("the group goes on without this member, which has not polled for too long",
                 {{"instance", options_.instance_id}, {"reason", text}});
      return absl::OkStatus();  // the loss of the assignment follows
    case RD_KAFKA_RESP_ERR_INVALID_SESSION_TIMEOUT:
      return absl::InvalidArgumentError(absl::StrCat(
          "the brokers refuse session.timeout, which must be within their group.min.session.timeout.ms and "
          "group.max.session.timeout.ms: ",
          std::chrono::duration_cast<std::chrono::milliseconds>(options_.session_timeout).count(), " ms"));
    default: break;
  }
  absl::Status status =
      StatusOf(message.err, topic.empty() ? "kafka consumer" : absl::StrCat("kafka topic ", topic), text);
  // librdkafka asks again by itself for topics that are missing, and for what brokers refuse in passing.
  const bool passing = absl::IsNotFound(status) || (absl::IsInternal(status) && message.err > 0);
  if (passing) status = absl::UnavailableError(status.message());
  if (absl::IsUnavailable(status)) {
    LogWarning("Kafka consumer waits", {{"instance", options_.instance_id}, {"topic", topic}, {"reason", text}});
  }
  return status;
}

absl::Status KafkaGroupConsumer::OutOfRange(const std::string& topic, int32_t partition, int64_t offset) {
  int64_t low = 0, high = 0;
  const rd_kafka_resp_err_t error = rd_kafka_query_watermark_offsets(client_->get(), topic.c_str(), partition, &low,
                                                                     &high, TimeoutMillis(options_.request_timeout));
  const std::string holds = error == RD_KAFKA_RESP_ERR_NO_ERROR
                                ? absl::StrCat("the log holds ", low, " to ", high, " (excluded)")
                                : absl::StrCat("what the log holds is not known: ", rd_kafka_err2str(error));
  return absl::OutOfRangeError(absl::StrCat("the log no longer holds the next offset: topic ", topic, ", partition ",
                                            partition, ", offset ", offset, "; ", holds));
}

absl::StatusOr<std::vector<int64_t>> KafkaGroupConsumer::Committed(int32_t partition, Duration timeout) {
  const TopicPartitionsPtr list(rd_kafka_topic_partition_list_new(static_cast<int>(sources_.size())));
  for (const std::string& source : sources_) {
    rd_kafka_topic_partition_list_add(list.get(), source.c_str(), partition);
  }
  const std::string what = absl::StrCat("committed offsets of partition ", partition, " of group ", options_.group_id);
  // Under read_committed this asks for stable offsets: it waits while an open transaction holds offsets of these.
  const rd_kafka_resp_err_t error = rd_kafka_committed(client_->get(), list.get(), TimeoutMillis(timeout));
  if (error != RD_KAFKA_RESP_ERR_NO_ERROR) return StatusOf(error, what);
  std::vector<int64_t> offsets;
  for (int i = 0; i < list->cnt; ++i) {
    const rd_kafka_topic_partition_t& entry = list->elems[i];
    if (entry.err != RD_KAFKA_RESP_ERR_NO_ERROR)
      return StatusOf(entry.err, absl::StrCat(what, ", topic ", entry.topic));
    offsets.push_back(entry.offset >= 0 ? entry.offset : -1);
  }
  return offsets;
}

int64_t KafkaGroupConsumer::EndOffset(int32_t source, int32_t partition) {
  SourcePartition* state = Find(source, partition);
  if (state == nullptr) return -1;
  if (state->end_round != round_) {
    state->end = FindEnd(source, partition, *state);
    state->end_round = round_;
  }
  return state->end;
}

// librdkafka 2.0.2 remembers the high watermark, not the last stable offset, and records may end before either because
// markers and aborted records follow. So: read to the end if PARTITION_EOF said so, or if librdkafka's own position,
// which counts the markers it has passed, has reached the high watermark. Otherwise there is more, up to the high
// watermark as far as is known; open transactions are found out by the next PARTITION_EOF, 0.1 s later.
int64_t KafkaGroupConsumer::FindEnd(int32_t source, int32_t partition, const SourcePartition& state) {
  if (state.at_end) return state.next;
  const std::string& topic = sources_[static_cast<size_t>(source)];
  int64_t low = -1, high = -1;
  if (rd_kafka_get_watermark_offsets(client_->get(), topic.c_str(), partition, &low, &high) !=
      RD_KAFKA_RESP_ERR_NO_ERROR) {
    high = -1;
  }
  if (high < 0 || (!state.heard && high == state.stale_high)) return -1;
  if (state.next >= high) return state.next;
  const TopicPartitionsPtr position(rd_kafka_topic_partition_list_new(1));
  const rd_kafka_topic_partition_t* entry = rd_kafka_topic_partition_list_add(position.get(), topic.c_str(), partition);
  const bool read_all = rd_kafka_position(client_->get(), position.get()) == RD_KAFKA_RESP_ERR_NO_ERROR &&
                        entry->err == RD_KAFKA_RESP_ERR_NO_ERROR && entry->offset >= high;
  return read_all ? state.next : high;
}

absl::Status KafkaGroupConsumer::Pause(int32_t source, int32_t partition, bool paused) {
  const SourcePartition* const state = Find(source, partition);
  if (state == nullptr) {
    return absl::FailedPreconditionError(absl::StrCat("not assigned: source ", source, ", partition ", partition));
  }
  const TopicPartitionsPtr list(rd_kafka_topic_partition_list_new(1));
  const std::string& topic = sources_[static_cast<size_t>(source)];
  rd_kafka_topic_partition_t* entry = rd_kafka_topic_partition_list_add(list.get(), topic.c_str(), partition);
  // It goes on where the application is, and librdkafka 2.2 to 2.11 counts PARTITION_EOF, whose offset is the end, as a
  // record (its issue 4844): the next record would be left out. So it is told the place.
  if (!paused && state->at_end && state->next >= 0) {
    entry->offset = state->next;
    const std::string what = absl::StrCat("going on with topic ", topic, ", partition ", partition);
    const KafkaErrorPtr failed(rd_kafka_seek_partitions(client_->get(), list.get(), TimeoutMillis(kSeekTimeout)));
    if (failed != nullptr) return StatusOf(failed, what);
    if (entry->err != RD_KAFKA_RESP_ERR_NO_ERROR) return StatusOf(entry->err, what);
  }
  const rd_kafka_resp_err_t error = paused ? rd_kafka_pause_partitions(client_->get(), list.get())
                                           : rd_kafka_resume_partitions(client_->get(), list.get());
  return StatusOf(error != RD_KAFKA_RESP_ERR_NO_ERROR ? error : entry->err,
                  absl::StrCat(paused ? "pause" : "resume", " topic ", topic, ", partition ", partition));
}

int32_t KafkaGroupConsumer::SourceOf(const rd_kafka_topic_t* topic) {
  for (const auto& [known, source] : source_of_topic_) {
    if (known == topic) return source;
  }
  const int32_t source = SourceOf(std::string_view(rd_kafka_topic_name(topic)));
  source_of_topic_.emplace_back(topic, source);
  return source;
}

int32_t KafkaGroupConsumer::SourceOf(std::string_view topic) const {
  const auto found = std::find(sources_.begin(), sources_.end(), topic);
  return found == sources_.end() ? -1 : static_cast<int32_t>(found - sources_.begin());
}

KafkaGroupConsumer::SourcePartition* KafkaGroupConsumer::Find(int32_t source, int32_t partition) {
  if (source < 0 || static_cast<size_t>(source) >= states_.size() || partition < 0) return nullptr;
  std::vector<SourcePartition>& states = states_[static_cast<size_t>(source)];
  if (static_cast<size_t>(partition) >= states.size()) return nullptr;
  SourcePartition& state = states[static_cast<size_t>(partition)];
  return state.assigned ? &state : nullptr;
}

}  // namespace portrait
