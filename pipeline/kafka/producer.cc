#include "pipeline/kafka/producer.h"

#include "absl/strings/str_cat.h"
#include "pipeline/kafka/errors.h"

namespace portrait {
namespace {

constexpr Duration kPatience = seconds(60);
constexpr int kWritesPerPoll = 1000;

}  // namespace

absl::StatusOr<std::unique_ptr<KafkaProducer>> KafkaProducer::Create(const KafkaOptions& options) {
  if (absl::Status status = CheckKafkaOptions(options); !status.ok()) return status;
  std::unique_ptr<KafkaProducer> producer(new KafkaProducer);
  auto client = KafkaClient::Create(
      RD_KAFKA_PRODUCER, ProducerConf(options),
      {.name = options.instance_id + ":plain-producer",
       .on_delivery = [self = producer.get()](const rd_kafka_message_t* message) { self->NoteDelivery(*message); }});
  if (!client.ok()) return client.status();
  producer->client_ = *std::move(client);
  producer->writer_ = std::make_unique<RecordWriter>(producer->client_, kPatience);
  return producer;
}

void KafkaProducer::NoteDelivery(const rd_kafka_message_t& message) {
  if (message.err == RD_KAFKA_RESP_ERR_NO_ERROR) {
    ++delivered_;
    return;
  }
  ++failed_;
  ++failed_since_flush_;
  if (!first_failure_.ok()) return;
  first_failure_ = StatusOf(message.err, absl::StrCat("delivery to topic ", rd_kafka_topic_name(message.rkt),
                                                      ", partition ", message.partition));
}

absl::Status KafkaProducer::Write(const NewRecord& record) {
  if (++writes_ % kWritesPerPoll == 0) rd_kafka_poll(client_->get(), 0);  // frees what is delivered
  return writer_->Write(record);
}

absl::Status KafkaProducer::Flush(Duration timeout) {
  const rd_kafka_resp_err_t error = rd_kafka_flush(client_->get(), TimeoutMillis(timeout));
  if (absl::Status fatal = client_->Fatal(); !fatal.ok()) return fatal;
  if (error != RD_KAFKA_RESP_ERR_NO_ERROR) {
    return absl::UnavailableError(
        absl::StrCat("not delivered in time: ", rd_kafka_outq_len(client_->get()), " records"));
  }
  if (failed_since_flush_ == 0) return absl::OkStatus();
  const absl::Status failure(first_failure_.code(),
                             absl::StrCat(first_failure_.message(), "; records not delivered: ", failed_since_flush_));
  failed_since_flush_ = 0;
  first_failure_ = absl::OkStatus();
  return failure;
}

}  // namespace portrait
