// Which partition a key belongs to: Kafka's default for Java clients.
#pragma once

#include <cstdint>
#include <string_view>

namespace portrait {

// Java-compatible murmur2, as org.apache.kafka.common.utils.Utils.murmur2.
uint32_t Murmur2(std::string_view key);

// The partition of a key among `partitions` (at least 1).
inline int32_t PartitionOf(std::string_view key, int32_t partitions) {
  return static_cast<int32_t>((Murmur2(key) & 0x7fffffffu) % static_cast<uint32_t>(partitions));
}

}  // namespace portrait
