// What a command needs to read one of the pipeline's own topics: its partitions, and a reader of logs.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "pipeline/config/config.h"
#include "pipeline/kafka/log_reader.h"

namespace portrait {

struct PartitionLogs {
  int32_t partitions = 0;
  std::unique_ptr<KafkaLogReader> reader;
};

// `command` names the clients in the log. Unavailable: the brokers do not answer within 10 s; else the errors of
// KafkaTopics::SourcePartitions.
absl::StatusOr<PartitionLogs> OpenPartitionLogs(const Config& config, const std::string& command,
                                                const std::string& topic);

}  // namespace portrait
