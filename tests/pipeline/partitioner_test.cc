#include "pipeline/partitioner.h"

#include <librdkafka/rdkafka.h>

#include <catch2/catch_test_macros.hpp>
#include <string>

namespace portrait {
namespace {

TEST_CASE("murmur2 gives the values of Kafka's own tests") {
  CHECK(Murmur2("21") == static_cast<uint32_t>(-973932308));
  CHECK(Murmur2("foobar") == static_cast<uint32_t>(-790332482));
  CHECK(Murmur2("a-little-bit-long-string") == static_cast<uint32_t>(-985981536));
  CHECK(Murmur2("abc") == static_cast<uint32_t>(479470107));
}

TEST_CASE("partitions are those of librdkafka's murmur2 partitioner") {
  for (int i = 0; i < 1000; ++i) {
    const std::string key = "customer-" + std::string(static_cast<size_t>(i % 7), 'x') + std::to_string(i * 7919);
    CHECK(PartitionOf(key, 12) ==
          rd_kafka_msg_partitioner_murmur2(nullptr, key.data(), key.size(), 12, nullptr, nullptr));
  }
}

}  // namespace
}  // namespace portrait
