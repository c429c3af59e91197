// The control topic on Kafka: read from its beginning, and written to.
//
//   auto control = KafkaControl::Open(config);
//   ControlLog log((*control)->reader(), config.engine.ControlTopic());
//   (*control)->Publish(record);
#pragma once

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "pipeline/config/config.h"
#include "pipeline/kafka/log_reader.h"
#include "pipeline/kafka/producer.h"
#include "portrait/v1/control.pb.h"

namespace portrait {

// One thread.
class KafkaControl {
 public:
  // Asks the brokers once. NotFound: there is no such topic, and how to make it. FailedPrecondition: it has more than
  // one partition, so its records have no order. Unavailable: no answer.
  static absl::StatusOr<std::unique_ptr<KafkaControl>> Open(const Config& config);

  LogReader& reader() { return *reader_; }
  // Returns when the brokers have it. Unavailable: not within 30 s; it may still come.
  absl::Status Publish(const v1::ControlRecord& record);

 private:
  KafkaControl() = default;

  std::string topic_;
  std::unique_ptr<KafkaLogReader> reader_;
  std::unique_ptr<KafkaProducer> producer_;
};

}  // namespace portrait
