#include "pipeline/kafka/options.h"

#include <catch2/catch_test_macros.hpp>

namespace portrait {
namespace {

std::string Answer(std::map<std::string, std::string> properties) {
  return std::string(CheckKafkaOptions({.properties = std::move(properties)}).message());
}

TEST_CASE("properties of librdkafka are passed through") {
  CHECK(Answer({{"security.protocol", "sasl_ssl"}, {"sasl.password", "geheim"}, {"linger.ms", "50"}}).empty());
}

TEST_CASE("a property that librdkafka refuses is named with its value") {
  CHECK(Answer({{"linger.ms", "soon"}}) ==
        "kafka property linger.ms = \"soon\": librdkafka does not accept this value");
  CHECK(Answer({{"lingr.ms", "1"}}) ==
        "kafka property lingr.ms = \"1\": librdkafka has no such property; did you mean linger.ms");
}

TEST_CASE("a property that exactly-once rests on is refused by name") {
  for (const char* name : {"isolation.level", "acks", "partitioner", "enable.auto.commit"}) {
    CHECK(Answer({{name, "all"}}) ==
          "kafka property " + std::string(name) + " = \"all\": is set by Portrait; its guarantees depend on it");
  }
}

TEST_CASE("a secret never gets into a message") {
  const std::string answer = Answer({{"sasl.password", "geheim"}, {"sasl.mechanisms.password", "geheim"}});
  CHECK(answer.find("geheim") == std::string::npos);
  CHECK(answer.find("sasl.mechanisms.password = (not shown)") == 15);
}

TEST_CASE("a transaction must not stay open for longer than a session") {
  const absl::Status status = CheckKafkaOptions({.session_timeout = seconds(6), .transaction_timeout = seconds(10)});
  CHECK(status.message() ==
        "transaction time-out must be at least 1 ms and at most the session time-out: transaction 10000 ms, session "
        "6000 ms");
}

}  // namespace
}  // namespace portrait
