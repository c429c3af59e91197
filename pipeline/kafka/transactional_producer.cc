#include "pipeline/kafka/transactional_producer.h"

#include <algorithm>
#include <random>
#include <thread>

#include "absl/strings/str_cat.h"
#include "pipeline/kafka/errors.h"
#include "pipeline/kafka/group_generation.h"
#include "pipeline/log.h"

namespace portrait {
namespace {

using SteadyClock = std::chrono::steady_clock;

constexpr Duration kAbortOnDestroy = std::chrono::milliseconds(200);

uint64_t RandomIncarnation() {
  std::random_device device;
  return uint64_t{device()} << 32 | device();
}

Duration Until(SteadyClock::time_point deadline) {
  return std::max(std::chrono::duration_cast<Duration>(deadline - SteadyClock::now()), Duration::zero());
}

// Passing errors may come at once, so a retry waits a moment.
bool MayRetry(const KafkaErrorPtr& error, SteadyClock::time_point deadline) {
  if (rd_kafka_error_is_retriable(error.get()) == 0 || Until(deadline) <= Duration::zero()) return false;
  std::this_thread::sleep_for(std::chrono::milliseconds(5));
  return true;
}

bool IsFenced(const absl::Status& status) { return absl::IsFailedPrecondition(status); }

absl::StatusOr<TopicPartitionsPtr> OffsetsOf(const std::vector<std::string>& sources,
                                             const std::vector<PartitionStart>& offsets) {
  if (sources.empty() || offsets.empty()) {
    return absl::InvalidArgumentError("a transaction without offsets would not be fenced");
  }
  TopicPartitionsPtr list(rd_kafka_topic_partition_list_new(static_cast<int>(sources.size() * offsets.size())));
  for (const PartitionStart& start : offsets) {
    if (start.next_offsets.size() != sources.size()) {
      return absl::InvalidArgumentError(absl::StrCat("offsets of every source are needed: partition ", start.partition,
                                                     ", ", start.next_offsets.size(), " of ", sources.size()));
    }
    for (size_t source = 0; source < sources.size(); ++source) {
      const int64_t offset = start.next_offsets[source];
      if (offset < 0) {  // librdkafka would leave it out without a word
        return absl::InvalidArgumentError(absl::StrCat("not an offset: topic ", sources[source], ", partition ",
                                                       start.partition, ", offset ", offset));
      }
      rd_kafka_topic_partition_list_add(list.get(), sources[source].c_str(), start.partition)->offset = offset;
    }
  }
  return list;
}

}  // namespace

KafkaTransactionalProducer::KafkaTransactionalProducer(std::string transactional_id, Duration request_timeout)
    : transactional_id_(std::move(transactional_id)),
      incarnation_(RandomIncarnation()),
      request_timeout_(request_timeout) {}

absl::StatusOr<std::unique_ptr<KafkaTransactionalProducer>> KafkaTransactionalProducer::Create(
    const KafkaOptions& options, const std::string& transactional_id) {
  if (absl::Status status = CheckKafkaOptions(options); !status.ok()) return status;
  if (transactional_id.empty()) return absl::InvalidArgumentError("the transactional id is empty");
  std::unique_ptr<KafkaTransactionalProducer> producer(
      new KafkaTransactionalProducer(transactional_id, options.request_timeout));
  KafkaConf conf = ProducerConf(options);
  conf.Set("transactional.id", transactional_id).SetMillis("transaction.timeout.ms", options.transaction_timeout);
  auto client = KafkaClient::Create(
      RD_KAFKA_PRODUCER, std::move(conf),
      {.name = transactional_id + ":producer",
       .on_delivery = [self = producer.get()](const rd_kafka_message_t* message) { self->NoteDelivery(*message); }});
  if (!client.ok()) return client.status();
  producer->client_ = *std::move(client);
  producer->writer_ = std::make_unique<RecordWriter>(producer->client_, options.transaction_timeout);
  return producer;
}

// librdkafka 2.0.2 fails an assertion, and the process with it, when a producer is destroyed while a partition is being
// added to its transaction (rd_kafka_txn_handle_AddPartitionsToTxn). A transaction that is being aborted adds none.
KafkaTransactionalProducer::~KafkaTransactionalProducer() {
  if (client_ == nullptr) return;
  if (open_) KafkaErrorPtr(rd_kafka_abort_transaction(client_->get(), TimeoutMillis(kAbortOnDestroy)));
}

void KafkaTransactionalProducer::NoteDelivery(const rd_kafka_message_t& message) {
  if (message.err == RD_KAFKA_RESP_ERR_NO_ERROR) {
    NoteWritten(message);
    return;
  }
  if (!delivery_.ok()) return;
  delivery_ = StatusOf(message.err, absl::StrCat("delivery to topic ", rd_kafka_topic_name(message.rkt), ", partition ",
                                                 message.partition));
}

// An offset is not told (-1001) for a batch that had to be sent twice; then the end is that of the batch before.
void KafkaTransactionalProducer::NoteWritten(const rd_kafka_message_t& message) {
  if (message.offset < 0) return;
  const auto same = [&](const Written& w) { return w.topic == message.rkt && w.partition == message.partition; };
  if (last_written_ >= written_.size() || !same(written_[last_written_])) {
    last_written_ = static_cast<size_t>(std::find_if(written_.begin(), written_.end(), same) - written_.begin());
    if (last_written_ == written_.size()) written_.push_back({message.rkt, message.partition, 0});
  }
  Written& written = written_[last_written_];
  written.end = std::max(written.end, message.offset + 1);
}

int64_t KafkaTransactionalProducer::WrittenEnd(std::string_view topic, int32_t partition) const {
  for (const Written& written : written_) {
    if (written.partition == partition && topic == rd_kafka_topic_name(written.topic)) return written.end;
  }
  return -1;
}

absl::Status KafkaTransactionalProducer::Init(Duration timeout) {
  const KafkaErrorPtr error(rd_kafka_init_transactions(client_->get(), TimeoutMillis(timeout)));
  if (error == nullptr) {
    client_->HeardFromBroker();
    return absl::OkStatus();
  }
  absl::Status status = StatusOf(error, absl::StrCat("transactional id ", transactional_id_));
  // The call goes on in the background and may be taken up again.
  return rd_kafka_error_is_retriable(error.get()) != 0 ? absl::UnavailableError(status.message()) : status;
}

absl::Status KafkaTransactionalProducer::Begin() {
  rd_kafka_poll(client_->get(), 0);  // errors of the client
  delivery_ = absl::OkStatus();
  written_.clear();
  const KafkaErrorPtr error(rd_kafka_begin_transaction(client_->get()));
  open_ = open_ || error == nullptr;
  return StatusOf(error, absl::StrCat("begin transaction of ", transactional_id_));
}

absl::Status KafkaTransactionalProducer::Write(const NewRecord& record) {
  if (!delivery_.ok()) return delivery_;
  return writer_->Write(record);
}

absl::Status KafkaTransactionalProducer::SendOffsets(const std::vector<std::string>& sources,
                                                     const std::vector<PartitionStart>& offsets,
                                                     const GroupGeneration& generation) {
  const auto* kafka_generation = dynamic_cast<const KafkaGroupGeneration*>(&generation);
  if (kafka_generation == nullptr) return absl::InvalidArgumentError("the generation is not of a Kafka group");
  absl::StatusOr<TopicPartitionsPtr> list = OffsetsOf(sources, offsets);
  if (!list.ok()) return list.status();

  const auto deadline = SteadyClock::now() + request_timeout_;
  while (true) {
    const KafkaErrorPtr error(rd_kafka_send_offsets_to_transaction(
        client_->get(), list->get(), kafka_generation->metadata(), TimeoutMillis(Until(deadline))));
    if (error == nullptr) return absl::OkStatus();
    if (MayRetry(error, deadline)) continue;
    absl::Status status = StatusOf(error, absl::StrCat("offsets of group generation ", kafka_generation->number()));
    // Fenced as a member of the group, not as a producer.
    if (rd_kafka_error_code(error.get()) == RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID) {
      return absl::AbortedError(status.message());
    }
    return status;
  }
}

// Only librdkafka's word that the transaction is committed makes kCommitted. Up to EndTxn the transaction can still be
// aborted, and that is told apart by flushing first: what has failed is known before EndTxn is sent. From then on
// everything but fenced is kUnknown, an "abortable" error too: EndTxn may have been sent twice, the first time in vain
// only as far as we have heard, and librdkafka's abort would count a bumped epoch as success.
CommitOutcome KafkaTransactionalProducer::Commit(Duration timeout) {
  const auto deadline = SteadyClock::now() + timeout;
  const rd_kafka_resp_err_t flushed = rd_kafka_flush(client_->get(), TimeoutMillis(timeout));
  if (flushed != RD_KAFKA_RESP_ERR_NO_ERROR && delivery_.ok()) delivery_ = StatusOf(flushed, "flush");
  if (!delivery_.ok()) return AbortInstead(timeout);
  open_ = false;
  return EndCommit(deadline);
}

CommitOutcome KafkaTransactionalProducer::EndCommit(SteadyClock::time_point deadline) {
  while (true) {
    const KafkaErrorPtr error(rd_kafka_commit_transaction(client_->get(), TimeoutMillis(Until(deadline))));
    if (error == nullptr) {
      client_->HeardFromBroker();
      return CommitOutcome::kCommitted;
    }
    if (MayRetry(error, deadline)) continue;
    const absl::Status status = StatusOf(error, "commit");
    const bool fenced = IsFenced(status) || IsFenced(client_->Fatal());
    LogWarning(fenced ? "commit is fenced" : "commit of unknown outcome",
               {{"transactional_id", transactional_id_}, {"reason", std::string(status.message())}});
    return fenced ? CommitOutcome::kFenced : CommitOutcome::kUnknown;
  }
}

CommitOutcome KafkaTransactionalProducer::AbortInstead(Duration timeout) {
  LogWarning("transaction is aborted",
             {{"transactional_id", transactional_id_}, {"reason", std::string(delivery_.message())}});
  const absl::Status status = Abort(timeout);
  if (status.ok()) return CommitOutcome::kAborted;
  return IsFenced(status) ? CommitOutcome::kFenced : CommitOutcome::kUnknown;
}

absl::Status KafkaTransactionalProducer::Abort(Duration timeout) {
  const auto deadline = SteadyClock::now() + timeout;
  while (true) {
    const KafkaErrorPtr error(rd_kafka_abort_transaction(client_->get(), TimeoutMillis(Until(deadline))));
    if (error == nullptr) {
      client_->HeardFromBroker();
      open_ = false;
      delivery_ = absl::OkStatus();
      return absl::OkStatus();
    }
    if (MayRetry(error, deadline)) continue;
    return StatusOf(error, absl::StrCat("abort transaction of ", transactional_id_));
  }
}

}  // namespace portrait
