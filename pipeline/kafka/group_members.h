// Who is in a consumer group, as its coordinator says.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "pipeline/kafka/client.h"
#include "pipeline/kafka/options.h"
#include "pipeline/ports/group_members.h"

namespace portrait {

class KafkaGroupMembers final : public GroupMembers {
 public:
  // InvalidArgument: a property is refused. Does not wait for a broker.
  static absl::StatusOr<std::unique_ptr<KafkaGroupMembers>> Create(const KafkaOptions& options);

  absl::StatusOr<std::vector<GroupMember>> Describe(Duration timeout) override;

 private:
  KafkaGroupMembers(std::string group, std::shared_ptr<KafkaClient> client)
      : group_(std::move(group)), client_(std::move(client)) {}

  const std::string group_;
  std::shared_ptr<KafkaClient> client_;
};

}  // namespace portrait
