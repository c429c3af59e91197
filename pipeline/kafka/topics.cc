#include "pipeline/kafka/topics.h"

#include <algorithm>
#include <limits>
#include <thread>
#include <unordered_map>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "pipeline/kafka/errors.h"

namespace portrait {
namespace {

using NewTopicPtr = std::unique_ptr<rd_kafka_NewTopic_t, KafkaDeleter<rd_kafka_NewTopic_destroy>>;
using DeleteTopicPtr = std::unique_ptr<rd_kafka_DeleteTopic_t, KafkaDeleter<rd_kafka_DeleteTopic_destroy>>;
using ConfigResourcePtr = std::unique_ptr<rd_kafka_ConfigResource_t, KafkaDeleter<rd_kafka_ConfigResource_destroy>>;

template <typename Pointers>
auto RawPointers(const Pointers& owners) {
  std::vector<typename Pointers::value_type::pointer> raw;
  raw.reserve(owners.size());
  for (const auto& owner : owners) raw.push_back(owner.get());
  return raw;
}

TopicDescription DescriptionOf(const rd_kafka_metadata_topic_t& topic) {
  TopicDescription description{.name = topic.topic, .partitions = topic.partition_cnt};
  int replication = std::numeric_limits<int>::max();
  for (int i = 0; i < topic.partition_cnt; ++i) replication = std::min(replication, topic.partitions[i].replica_cnt);
  description.replication = topic.partition_cnt > 0 ? replication : 0;
  return description;
}

bool HasLeaders(const rd_kafka_metadata_topic_t& topic) {
  for (int i = 0; i < topic.partition_cnt; ++i) {
    if (topic.partitions[i].leader < 0) return false;
  }
  return topic.partition_cnt > 0;
}

// Asks for all topics, because asking for one by name may create it.
absl::StatusOr<KafkaMetadataPtr> AllTopics(KafkaClient& client, Duration timeout) {
  const rd_kafka_metadata_t* metadata = nullptr;
  const rd_kafka_resp_err_t error =
      rd_kafka_metadata(client.get(), /*all_topics=*/1, nullptr, &metadata, TimeoutMillis(timeout));
  if (error == RD_KAFKA_RESP_ERR_NO_ERROR) {
    client.HeardFromBroker();
    return KafkaMetadataPtr(metadata);
  }
  rd_kafka_poll(client.get(), 0);  // hears why
  if (absl::Status reachable = client.CheckReachable(); !reachable.ok()) return reachable;
  return StatusOf(error, "list topics");
}

absl::Status FirstError(const rd_kafka_topic_result_t** results, size_t count, std::string_view what) {
  for (size_t i = 0; i < count; ++i) {
    const rd_kafka_resp_err_t error = rd_kafka_topic_result_error(results[i]);
    if (error == RD_KAFKA_RESP_ERR_NO_ERROR) continue;
    const char* text = rd_kafka_topic_result_error_string(results[i]);
    return StatusOf(
        error,
        absl::StrCat(absl::string_view(what.data(), what.size()), " topic ", rd_kafka_topic_result_name(results[i])),
        text != nullptr ? text : "");
  }
  return absl::OkStatus();
}

absl::StatusOr<NewTopicPtr> NewTopicOf(const NewTopic& topic) {
  char why[512] = "";
  NewTopicPtr created(rd_kafka_NewTopic_new(topic.name.c_str(), topic.partitions, topic.replication, why, sizeof why));
  if (created == nullptr) return absl::InvalidArgumentError(absl::StrCat("create topic ", topic.name, ": ", why));
  for (const auto& [name, value] : topic.configs) {
    const rd_kafka_resp_err_t error = rd_kafka_NewTopic_set_config(created.get(), name.c_str(), value.c_str());
    if (absl::Status status = StatusOf(error, absl::StrCat("create topic ", topic.name, ": ", name)); !status.ok()) {
      return status;
    }
  }
  return created;
}

}  // namespace

absl::StatusOr<std::unique_ptr<KafkaTopics>> KafkaTopics::Create(const KafkaOptions& options) {
  if (absl::Status status = CheckKafkaOptions(options); !status.ok()) return status;
  KafkaConf conf;
  conf.AddUser(options);
  auto client = KafkaClient::Create(RD_KAFKA_CONSUMER, std::move(conf), {.name = options.instance_id + ":topics"});
  if (!client.ok()) return client.status();
  return std::unique_ptr<KafkaTopics>(new KafkaTopics(*std::move(client)));
}

absl::StatusOr<std::vector<TopicDescription>> KafkaTopics::Describe(const std::vector<std::string>& names,
                                                                    bool with_configs, Duration timeout) {
  absl::StatusOr<KafkaMetadataPtr> metadata = AllTopics(*client_, timeout);
  if (!metadata.ok()) return metadata.status();
  std::unordered_map<std::string, const rd_kafka_metadata_topic_t*> known;
  for (int i = 0; i < (*metadata)->topic_cnt; ++i) known[(*metadata)->topics[i].topic] = &(*metadata)->topics[i];

  std::vector<TopicDescription> topics;
  for (const std::string& name : names) {
    const auto found = known.find(name);
    topics.push_back(found != known.end() ? DescriptionOf(*found->second) : TopicDescription{.name = name});
  }
  if (with_configs) {
    if (absl::Status status = AddConfigs(topics, timeout); !status.ok()) return status;
  }
  return topics;
}

absl::StatusOr<int> KafkaTopics::SourcePartitions(const std::vector<std::string>& sources, Duration timeout) {
  absl::StatusOr<std::vector<TopicDescription>> topics = Describe(sources, /*with_configs=*/false, timeout);
  if (!topics.ok()) return topics.status();
  if (topics->empty()) return absl::InvalidArgumentError("no source topics");
  std::vector<std::string> missing, counts;
  bool equal = true;
  for (const TopicDescription& topic : *topics) {
    if (topic.partitions == 0) missing.push_back(topic.name);
    equal = equal && topic.partitions == topics->front().partitions;
    counts.push_back(absl::StrCat(topic.name, " ", topic.partitions));
  }
  if (!missing.empty()) return absl::NotFoundError(absl::StrCat("no such topic: ", absl::StrJoin(missing, ", ")));
  if (!equal)
    return absl::FailedPreconditionError(absl::StrCat("partition count differs: ", absl::StrJoin(counts, ", ")));
  return topics->front().partitions;
}

absl::Status KafkaTopics::CreateAll(const std::vector<NewTopic>& topics, Duration timeout) {
  if (topics.empty()) return absl::OkStatus();
  std::vector<NewTopicPtr> requests;
  std::vector<std::string> names;
  for (const NewTopic& topic : topics) {
    absl::StatusOr<NewTopicPtr> request = NewTopicOf(topic);
    if (!request.ok()) return request.status();
    requests.push_back(*std::move(request));
    names.push_back(topic.name);
  }
  std::vector<rd_kafka_NewTopic_t*> raw = RawPointers(requests);
  auto event = Ask(RD_KAFKA_ADMIN_OP_CREATETOPICS, absl::StrCat("create topics ", absl::StrJoin(names, ", ")), timeout,
                   [&](const rd_kafka_AdminOptions_t* options, rd_kafka_queue_t* queue) {
                     rd_kafka_CreateTopics(client_->get(), raw.data(), raw.size(), options, queue);
                   });
  if (!event.ok()) return event.status();
  size_t count = 0;
  const rd_kafka_topic_result_t** results =
      rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(event->get()), &count);
  if (absl::Status status = FirstError(results, count, "create"); !status.ok()) return status;
  return WaitUntil(names, /*there=*/true, timeout);
}

absl::Status KafkaTopics::DeleteAll(const std::vector<std::string>& names, Duration timeout) {
  if (names.empty()) return absl::OkStatus();
  std::vector<DeleteTopicPtr> requests;
  requests.reserve(names.size());
  for (const std::string& name : names) requests.emplace_back(rd_kafka_DeleteTopic_new(name.c_str()));
  std::vector<rd_kafka_DeleteTopic_t*> raw = RawPointers(requests);
  auto event = Ask(RD_KAFKA_ADMIN_OP_DELETETOPICS, absl::StrCat("delete topics ", absl::StrJoin(names, ", ")), timeout,
                   [&](const rd_kafka_AdminOptions_t* options, rd_kafka_queue_t* queue) {
                     rd_kafka_DeleteTopics(client_->get(), raw.data(), raw.size(), options, queue);
                   });
  if (!event.ok()) return event.status();
  size_t count = 0;
  const rd_kafka_topic_result_t** results =
      rd_kafka_DeleteTopics_result_topics(rd_kafka_event_DeleteTopics_result(event->get()), &count);
  if (absl::Status status = FirstError(results, count, "delete"); !status.ok()) return status;
  return WaitUntil(names, /*there=*/false, timeout);
}

absl::StatusOr<KafkaEventPtr> KafkaTopics::Ask(rd_kafka_admin_op_t kind, const std::string& what, Duration timeout,
                                               const Request& request) {
  const KafkaAdminOptionsPtr options(rd_kafka_AdminOptions_new(client_->get(), kind));
  char why[512] = "";
  const int millis = std::max(TimeoutMillis(timeout), 1);
  rd_kafka_resp_err_t error = rd_kafka_AdminOptions_set_request_timeout(options.get(), millis, why, sizeof why);
  if (error == RD_KAFKA_RESP_ERR_NO_ERROR && kind != RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS) {
    error = rd_kafka_AdminOptions_set_operation_timeout(options.get(), millis, why, sizeof why);
  }
  if (error != RD_KAFKA_RESP_ERR_NO_ERROR) return StatusOf(error, what, why);
  const KafkaQueuePtr queue(rd_kafka_queue_new(client_->get()));
  request(options.get(), queue.get());
  KafkaEventPtr event(rd_kafka_queue_poll(queue.get(), millis + 1000));
  rd_kafka_poll(client_->get(), 0);
  if (event == nullptr) return absl::UnavailableError(absl::StrCat(what, ": no answer in time"));
  error = rd_kafka_event_error(event.get());
  if (error != RD_KAFKA_RESP_ERR_NO_ERROR) return StatusOf(error, what, rd_kafka_event_error_string(event.get()));
  return event;
}

absl::Status KafkaTopics::AddConfigs(std::vector<TopicDescription>& topics, Duration timeout) {
  std::vector<ConfigResourcePtr> requests;
  for (const TopicDescription& topic : topics) {
    if (topic.partitions == 0) continue;
    requests.emplace_back(rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, topic.name.c_str()));
  }
  if (requests.empty()) return absl::OkStatus();
  std::vector<rd_kafka_ConfigResource_t*> raw = RawPointers(requests);
  auto event = Ask(RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS, "topic settings", timeout,
                   [&](const rd_kafka_AdminOptions_t* options, rd_kafka_queue_t* queue) {
                     rd_kafka_DescribeConfigs(client_->get(), raw.data(), raw.size(), options, queue);
                   });
  if (!event.ok()) return event.status();
  size_t count = 0;
  const rd_kafka_ConfigResource_t** results =
      rd_kafka_DescribeConfigs_result_resources(rd_kafka_event_DescribeConfigs_result(event->get()), &count);
  for (size_t i = 0; i < count; ++i) {
    const std::string name = rd_kafka_ConfigResource_name(results[i]);
    const char* text = rd_kafka_ConfigResource_error_string(results[i]);
    absl::Status status = StatusOf(rd_kafka_ConfigResource_error(results[i]), absl::StrCat("settings of topic ", name),
                                   text != nullptr ? text : "");
    if (!status.ok()) return status;
    const auto topic = std::find_if(topics.begin(), topics.end(), [&](const auto& t) { return t.name == name; });
    if (topic == topics.end()) continue;
    size_t entries = 0;
    const rd_kafka_ConfigEntry_t** configs = rd_kafka_ConfigResource_configs(results[i], &entries);
    for (size_t j = 0; j < entries; ++j) {
      const char* value = rd_kafka_ConfigEntry_value(configs[j]);
      if (value != nullptr) topic->configs[rd_kafka_ConfigEntry_name(configs[j])] = value;
    }
  }
  return absl::OkStatus();
}

absl::Status KafkaTopics::WaitUntil(const std::vector<std::string>& names, bool there, Duration timeout) {
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  while (true) {
    absl::StatusOr<KafkaMetadataPtr> metadata = AllTopics(*client_, timeout);
    if (!metadata.ok() && !absl::IsUnavailable(metadata.status())) return metadata.status();
    size_t seen = 0;
    for (int i = 0; metadata.ok() && i < (*metadata)->topic_cnt; ++i) {
      const rd_kafka_metadata_topic_t& topic = (*metadata)->topics[i];
      const bool asked = std::find(names.begin(), names.end(), topic.topic) != names.end();
      if (asked && (!there || HasLeaders(topic))) ++seen;
    }
    if (metadata.ok() && seen == (there ? names.size() : 0)) return absl::OkStatus();
    if (std::chrono::steady_clock::now() >= deadline) {
      return absl::UnavailableError(
          absl::StrCat(there ? "not yet ready: topics " : "not yet gone: topics ", absl::StrJoin(names, ", ")));
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
}

}  // namespace portrait
