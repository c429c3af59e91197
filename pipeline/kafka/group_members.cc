#include "pipeline/kafka/group_members.h"

#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "pipeline/kafka/errors.h"

namespace portrait {
namespace {

GroupMember MemberOf(const rd_kafka_MemberDescription_t& described) {
  const char* instance = rd_kafka_MemberDescription_group_instance_id(&described);
  const char* client = rd_kafka_MemberDescription_client_id(&described);
  GroupMember member{.instance_id = instance != nullptr ? instance : "",
                     .partitions = {},
                     .client_id = client != nullptr ? client : ""};
  const rd_kafka_topic_partition_list_t* list =
      rd_kafka_MemberAssignment_partitions(rd_kafka_MemberDescription_assignment(&described));
  std::set<int32_t> indexes;
  for (int i = 0; list != nullptr && i < list->cnt; ++i) indexes.insert(list->elems[i].partition);
  member.partitions.assign(indexes.begin(), indexes.end());
  return member;
}

}  // namespace

absl::StatusOr<std::unique_ptr<KafkaGroupMembers>> KafkaGroupMembers::Create(const KafkaOptions& options) {
  if (absl::Status status = CheckKafkaOptions(options); !status.ok()) return status;
  KafkaConf conf;
  conf.SetMillis("reconnect.backoff.max.ms", seconds(2)).AddUser(options);
  auto client = KafkaClient::Create(RD_KAFKA_PRODUCER, std::move(conf), {.name = options.instance_id + ":members"});
  if (!client.ok()) return client.status();
  return std::unique_ptr<KafkaGroupMembers>(new KafkaGroupMembers(options.group_id, *std::move(client)));
}

absl::StatusOr<std::vector<GroupMember>> KafkaGroupMembers::Describe(Duration timeout) {
  const auto unknown = [this](std::string_view why) {
    return absl::UnavailableError(
        absl::StrCat("the members of group ", group_, " are not known: ", absl::string_view(why.data(), why.size())));
  };
  rd_kafka_t* const handle = client_->get();
  rd_kafka_poll(handle, 0);
  const KafkaQueuePtr answers(rd_kafka_queue_new(handle));
  const KafkaAdminOptionsPtr limits(rd_kafka_AdminOptions_new(handle, RD_KAFKA_ADMIN_OP_DESCRIBECONSUMERGROUPS));
  char why[256] = "";
  rd_kafka_AdminOptions_set_request_timeout(limits.get(), TimeoutMillis(timeout), why, sizeof why);
  const char* group = group_.c_str();
  rd_kafka_DescribeConsumerGroups(handle, &group, 1, limits.get(), answers.get());
  // An answer comes within the timeout of the request, with an error if need be.
  const KafkaEventPtr event(rd_kafka_queue_poll(answers.get(), TimeoutMillis(timeout + seconds(1))));
  if (event == nullptr) return unknown("no answer");
  if (rd_kafka_event_error(event.get()) != RD_KAFKA_RESP_ERR_NO_ERROR) {
    return unknown(rd_kafka_event_error_string(event.get()));
  }
  size_t count = 0;
  const rd_kafka_ConsumerGroupDescription_t** groups =
      rd_kafka_DescribeConsumerGroups_result_groups(rd_kafka_event_DescribeConsumerGroups_result(event.get()), &count);
  if (count != 1) return unknown("the answer is empty");
  if (const rd_kafka_error_t* error = rd_kafka_ConsumerGroupDescription_error(groups[0]); error != nullptr) {
    return unknown(rd_kafka_error_string(error));
  }
  const size_t member_count = rd_kafka_ConsumerGroupDescription_member_count(groups[0]);
  std::vector<GroupMember> members;
  members.reserve(member_count);
  for (size_t i = 0; i < member_count; ++i) {
    members.push_back(MemberOf(*rd_kafka_ConsumerGroupDescription_member(groups[0], i)));
  }
  return members;
}

}  // namespace portrait
