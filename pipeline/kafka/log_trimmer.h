// A LogTrimmer over librdkafka's DeleteRecords: needs the right to delete records of the topic.
#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "pipeline/kafka/client.h"
#include "pipeline/kafka/handles.h"
#include "pipeline/kafka/options.h"
#include "pipeline/ports/log_trimmer.h"

namespace portrait {

// One thread.
class KafkaLogTrimmer final : public LogTrimmer {
 public:
  // InvalidArgument: a property is refused. Does not wait for a broker.
  static absl::StatusOr<std::unique_ptr<KafkaLogTrimmer>> Create(const KafkaOptions& options);

  absl::Status Trim(const std::string& topic, int32_t partition, int64_t below) override;

 private:
  explicit KafkaLogTrimmer(std::shared_ptr<KafkaClient> client);
  absl::Status TakeAnswers();

  std::shared_ptr<KafkaClient> client_;
  KafkaQueuePtr answers_;
};

}  // namespace portrait
