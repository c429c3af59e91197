// How to reach Kafka, and the properties of librdkafka that clients are made with.
//
//   KafkaOptions options{.brokers = "kafka-1:9093,kafka-2:9093", .group_id = "portrait", .instance_id = "portrait-1"};
//   options.properties = {{"security.protocol", "SASL_SSL"}, {"sasl.username", user}, {"sasl.password", password}};
//   if (absl::Status status = CheckKafkaOptions(options); !status.ok()) ...   // names the property and its value
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "absl/status/status.h"
#include "operators/time.h"
#include "pipeline/kafka/handles.h"

namespace portrait {

struct KafkaOptions {
  std::string brokers = "localhost:9092";
  std::string group_id = "portrait";       // the application id
  std::string instance_id = "portrait-1";  // static member of the group; its own for each consumer
  std::string client_id;                   // shown by the broker for every connection; empty: the instance id
  // For librdkafka as they are: TLS, SASL, tuning. They win over Portrait's defaults; those that exactly-once rests on
  // are refused by name.
  std::map<std::string, std::string> properties;

  // A dead member's partitions move after this long. At least transaction_timeout: who takes over waits for the dead
  // owner's open transaction anyway. The broker's default bounds are 6 s and 30 min.
  Duration session_timeout = seconds(10);
  Duration transaction_timeout = seconds(10);  // the coordinator aborts a transaction that stays open longer
  Duration max_poll_interval =
      seconds(600);  // without a Poll for longer (a recovery too), the group goes on without it
  Duration request_timeout =
      seconds(10);  // one request, tries included: metadata, watermarks, offsets in a transaction

  size_t fetch_memory_bytes =
      64u << 20;  // fetched and not yet polled: of a group consumer, and of each cursor of a reader
  size_t send_memory_bytes =
      64u << 20;  // written and not yet acknowledged, of each producer; Write waits when it is full
};

// InvalidArgument: the first thing wrong, such as
//   kafka property linger.ms = "soon": librdkafka does not accept this value
//   kafka property isolation.level = "read_uncommitted": is set by Portrait; its guarantees depend on it
absl::Status CheckKafkaOptions(const KafkaOptions& options);

// A set of librdkafka properties under construction; the first error is kept.
class KafkaConf {
 public:
  KafkaConf();

  // A value of Portrait's that the user may override: set before AddUser.
  KafkaConf& Set(const std::string& name, const std::string& value);
  KafkaConf& Set(const std::string& name, int64_t value) { return Set(name, std::to_string(value)); }
  KafkaConf& SetMillis(const std::string& name, Duration value);
  // Brokers, client id and the user's properties.
  KafkaConf& AddUser(const KafkaOptions& options);

  const absl::Status& status() const { return status_; }
  rd_kafka_conf_t* get() { return conf_.get(); }
  rd_kafka_conf_t* Release() { return conf_.release(); }

 private:
  void Apply(const std::string& name, const std::string& value);

  KafkaConfPtr conf_;
  absl::Status status_;
};

}  // namespace portrait
