// Looks after topics: what there is, and making and removing them.
//
//   auto topics = KafkaTopics::Create(options);
//   (*topics)->CreateAll({{.name = "portrait.journal", .partitions = 8, .configs = {{"retention.ms", "-1"}}}},
//   seconds(10)); absl::StatusOr<int> partitions = (*topics)->SourcePartitions({"browsing-events", "email-events"},
//   seconds(10));
//
// Errors name the topic. Unavailable: the brokers are away; call again.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "operators/time.h"
#include "pipeline/kafka/client.h"
#include "pipeline/kafka/options.h"

namespace portrait {

struct TopicDescription {
  std::string name;
  int partitions = 0;   // 0: there is no such topic
  int replication = 0;  // the fewest replicas of a partition
  // Every setting that the broker tells, defaults included: cleanup.policy, retention.ms, min.insync.replicas,
  // message.timestamp.type, message.timestamp.before.max.ms, ... Empty when they were not asked for.
  std::map<std::string, std::string> configs;
};

struct NewTopic {
  std::string name;
  int partitions = 1;
  int replication = -1;  // -1: the broker's default
  std::map<std::string, std::string> configs;
};

// One thread.
class KafkaTopics {
 public:
  // InvalidArgument: a property is refused. Does not wait for a broker.
  static absl::StatusOr<std::unique_ptr<KafkaTopics>> Create(const KafkaOptions& options);

  // One description for each name, in this order. Never creates a topic.
  absl::StatusOr<std::vector<TopicDescription>> Describe(const std::vector<std::string>& names, bool with_configs,
                                                         Duration timeout);

  // How many partitions each of the sources has. NotFound: some do not exist. FailedPrecondition:
  //   partition count differs: browsing-events 8, email-events 6
  absl::StatusOr<int> SourcePartitions(const std::vector<std::string>& sources, Duration timeout);

  // Returns when every new topic can be written to. AlreadyExists, InvalidArgument: for the first topic refused; the
  // others may have been created.
  absl::Status CreateAll(const std::vector<NewTopic>& topics, Duration timeout);
  // Returns when none of them is there any more. NotFound for one that was not.
  absl::Status DeleteAll(const std::vector<std::string>& names, Duration timeout);

 private:
  explicit KafkaTopics(std::shared_ptr<KafkaClient> client) : client_(std::move(client)) {}

  using Request = std::function<void(const rd_kafka_AdminOptions_t*, rd_kafka_queue_t*)>;
  absl::StatusOr<KafkaEventPtr> Ask(rd_kafka_admin_op_t kind, const std::string& what, Duration timeout,
                                    const Request& request);
  absl::Status AddConfigs(std::vector<TopicDescription>& topics, Duration timeout);
  absl::Status WaitUntil(const std::vector<std::string>& names, bool there, Duration timeout);

  std::shared_ptr<KafkaClient> client_;
};

}  // namespace portrait
