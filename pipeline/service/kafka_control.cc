#include "pipeline/service/kafka_control.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "pipeline/control/rule_standing.h"
#include "pipeline/kafka/topics.h"
#include "pipeline/service/kafka_client_options.h"

namespace portrait {
namespace {

constexpr Duration kAskTimeout = seconds(10);
constexpr Duration kPublishTimeout = seconds(30);

}  // namespace

absl::StatusOr<std::unique_ptr<KafkaControl>> KafkaControl::Open(const Config& config) {
  std::unique_ptr<KafkaControl> control(new KafkaControl());
  control->topic_ = config.engine.ControlTopic();
  const KafkaOptions options = KafkaClientOptions(config, "control");
  auto topics = KafkaTopics::Create(options);
  if (!topics.ok()) return topics.status();
  const auto found = (*topics)->Describe({control->topic_}, /*with_configs=*/false, kAskTimeout);
  if (!found.ok()) return found.status();
  const int partitions = found->front().partitions;
  if (partitions == 0) {
    return absl::NotFoundError(
        absl::StrCat("no such topic: ", control->topic_, "; `portrait topics --create` makes what is missing"));
  }
  if (partitions != 1) {
    return absl::FailedPreconditionError(
        absl::StrCat("must have one partition: ", control->topic_, " has ", partitions));
  }
  auto reader = KafkaLogReader::Create(options);
  if (!reader.ok()) return reader.status();
  auto producer = KafkaProducer::Create(options);
  if (!producer.ok()) return producer.status();
  control->reader_ = *std::move(reader);
  control->producer_ = *std::move(producer);
  return control;
}

absl::Status KafkaControl::Publish(const v1::ControlRecord& record) {
  const std::string value = record.SerializeAsString();
  const std::string& key = IsOfModels(record) ? record.models() : record.rules();
  NewRecord written{.topic = topic_, .partition = 0, .key = key, .value = value};
  if (absl::Status s = producer_->Write(written); !s.ok()) return s;
  return producer_->Flush(kPublishTimeout);
}

}  // namespace portrait
