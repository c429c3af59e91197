// What a transaction's offsets are fenced with: the group metadata as it was when partitions were assigned.
#pragma once

#include <librdkafka/rdkafka.h>

#include <memory>

#include "absl/status/statusor.h"
#include "pipeline/kafka/handles.h"
#include "pipeline/ports/group_consumer.h"

namespace portrait {

// Immutable, so it may be shared between threads.
class KafkaGroupGeneration final : public GroupGeneration {
 public:
  // That of the consumer now. FailedPrecondition when it is a member of no generation (its number is below 0, or it has
  // no member id): the broker would take offsets sent with that from anybody, so they would fence nothing.
  static absl::StatusOr<std::shared_ptr<const KafkaGroupGeneration>> Of(rd_kafka_t* consumer);

  const rd_kafka_consumer_group_metadata_t* metadata() const { return metadata_.get(); }
  int32_t number() const { return number_; }

 private:
  KafkaGroupGeneration(GroupMetadataPtr metadata, int32_t number) : metadata_(std::move(metadata)), number_(number) {}

  GroupMetadataPtr metadata_;
  int32_t number_;
};

}  // namespace portrait
