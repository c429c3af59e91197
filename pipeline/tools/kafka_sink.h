// Records to Kafka, through a plain producer.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "pipeline/config/config.h"
#include "pipeline/kafka/producer.h"
#include "pipeline/tools/record_sink.h"

namespace portrait {

// One thread.
class KafkaSink final : public RecordSink {
 public:
  // Waits for the brokers, at most startup.timeout. NotFound names topics that are missing: they are never made on the
  // fly, with whatever settings the broker has for that. `role` tells this client apart in the broker's eyes.
  static absl::StatusOr<std::unique_ptr<KafkaSink>> Open(const Config& config, std::string_view role,
                                                         const std::vector<std::string>& topics);

  // Waits when the brokers cannot keep up, and while they are away at most a minute.
  absl::Status Write(const NewRecord& record) override { return producer_->Write(record); }
  absl::Status Finish() override;

 private:
  KafkaSink(std::unique_ptr<KafkaProducer> producer, Duration patience)
      : producer_(std::move(producer)), patience_(patience) {}

  std::unique_ptr<KafkaProducer> producer_;
  Duration patience_;
};

}  // namespace portrait
