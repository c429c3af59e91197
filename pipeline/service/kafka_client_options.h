// The configuration as the Kafka clients of this process take it.
#pragma once

#include <string_view>

#include "pipeline/config/config.h"
#include "pipeline/kafka/options.h"

namespace portrait {

// `role` tells the clients of one process apart: its worker, or what a command does.
KafkaOptions KafkaClientOptions(const Config& config, std::string_view role);

}  // namespace portrait
