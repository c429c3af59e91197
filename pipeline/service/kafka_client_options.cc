#include "pipeline/service/kafka_client_options.h"

#include "absl/strings/str_cat.h"

namespace portrait {

KafkaOptions KafkaClientOptions(const Config& config, std::string_view role) {
  KafkaOptions options;
  options.brokers = config.kafka.brokers;
  options.group_id = config.engine.application_id;
  options.instance_id = absl::StrCat(config.engine.instance_id, "-", absl::string_view(role.data(), role.size()));
  options.properties = config.kafka.properties;
  options.transaction_timeout = config.engine.transaction_timeout;
  options.session_timeout = config.engine.session_timeout;
  return options;
}

}  // namespace portrait
