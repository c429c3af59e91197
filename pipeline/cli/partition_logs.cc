#include "pipeline/cli/partition_logs.h"

#include <utility>

#include "pipeline/kafka/topics.h"
#include "pipeline/service/kafka_client_options.h"

namespace portrait {

absl::StatusOr<PartitionLogs> OpenPartitionLogs(const Config& config, const std::string& command,
                                                const std::string& topic) {
  const KafkaOptions options = KafkaClientOptions(config, command);
  const auto topics = KafkaTopics::Create(options);
  if (!topics.ok()) return topics.status();
  const auto partitions = (*topics)->SourcePartitions({topic}, seconds(10));
  if (!partitions.ok()) return partitions.status();
  auto reader = KafkaLogReader::Create(options);
  if (!reader.ok()) return reader.status();
  return PartitionLogs{.partitions = *partitions, .reader = *std::move(reader)};
}

}  // namespace portrait
