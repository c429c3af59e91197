#include "pipeline/kafka/log_trimmer.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "pipeline/kafka/errors.h"

namespace portrait {
namespace {

using DeleteRecordsPtr = std::unique_ptr<rd_kafka_DeleteRecords_t, KafkaDeleter<rd_kafka_DeleteRecords_destroy>>;

}  // namespace

absl::StatusOr<std::unique_ptr<KafkaLogTrimmer>> KafkaLogTrimmer::Create(const KafkaOptions& options) {
  if (absl::Status status = CheckKafkaOptions(options); !status.ok()) return status;
  KafkaConf conf;
  conf.AddUser(options);
  auto client = KafkaClient::Create(RD_KAFKA_CONSUMER, std::move(conf), {.name = options.instance_id + ":trimmer"});
  if (!client.ok()) return client.status();
  return std::unique_ptr<KafkaLogTrimmer>(new KafkaLogTrimmer(*std::move(client)));
}

KafkaLogTrimmer::KafkaLogTrimmer(std::shared_ptr<KafkaClient> client)
    : client_(std::move(client)), answers_(rd_kafka_queue_new(client_->get())) {}

absl::Status KafkaLogTrimmer::Trim(const std::string& topic, int32_t partition, int64_t below) {
  absl::Status earlier = TakeAnswers();
  const TopicPartitionsPtr offsets(rd_kafka_topic_partition_list_new(1));
  rd_kafka_topic_partition_list_add(offsets.get(), topic.c_str(), partition)->offset = below;
  const DeleteRecordsPtr request(rd_kafka_DeleteRecords_new(offsets.get()));
  rd_kafka_DeleteRecords_t* raw = request.get();
  rd_kafka_DeleteRecords(client_->get(), &raw, 1, nullptr, answers_.get());
  return earlier;
}

absl::Status KafkaLogTrimmer::TakeAnswers() {
  absl::Status status;
  rd_kafka_poll(client_->get(), 0);
  while (const KafkaEventPtr event{rd_kafka_queue_poll(answers_.get(), 0)}) {
    status.Update(
        StatusOf(rd_kafka_event_error(event.get()), "delete records", rd_kafka_event_error_string(event.get())));
    const auto* result = rd_kafka_event_DeleteRecords_result(event.get());
    if (result == nullptr) continue;
    const rd_kafka_topic_partition_list_t* offsets = rd_kafka_DeleteRecords_result_offsets(result);
    for (int i = 0; i < offsets->cnt; ++i) {
      const rd_kafka_topic_partition_t& place = offsets->elems[i];
      status.Update(
          StatusOf(place.err, absl::StrCat("delete records of topic ", place.topic, ", partition ", place.partition)));
    }
  }
  return status;
}

}  // namespace portrait
