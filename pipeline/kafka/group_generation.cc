#include "pipeline/kafka/group_generation.h"

#include <cstring>
#include <optional>
#include <string_view>

#include "absl/strings/str_cat.h"
#include "pipeline/kafka/errors.h"

namespace portrait {
namespace {

// librdkafka has no accessor for the generation, but writes metadata as "CGMDv2:", the generation as int32 of this
// machine, group id and member id as C strings, ...
constexpr std::string_view kMagic = "CGMDv2:";

struct Member {
  int32_t generation = -1;
  std::string_view id;
};

std::optional<Member> Parse(std::string_view bytes) {
  Member member;
  if (bytes.substr(0, kMagic.size()) != kMagic) return std::nullopt;
  bytes.remove_prefix(kMagic.size());
  if (bytes.size() < sizeof member.generation) return std::nullopt;
  std::memcpy(&member.generation, bytes.data(), sizeof member.generation);
  bytes.remove_prefix(sizeof member.generation);
  const size_t group_end = bytes.find('\0');
  if (group_end == std::string_view::npos) return std::nullopt;
  bytes.remove_prefix(group_end + 1);
  const size_t id_end = bytes.find('\0');
  if (id_end == std::string_view::npos) return std::nullopt;
  member.id = bytes.substr(0, id_end);
  return member;
}

}  // namespace

absl::StatusOr<std::shared_ptr<const KafkaGroupGeneration>> KafkaGroupGeneration::Of(rd_kafka_t* consumer) {
  GroupMetadataPtr metadata(rd_kafka_consumer_group_metadata(consumer));
  if (metadata == nullptr) return absl::FailedPreconditionError("the consumer has no group");

  void* buffer = nullptr;
  size_t size = 0;
  const KafkaErrorPtr error(rd_kafka_consumer_group_metadata_write(metadata.get(), &buffer, &size));
  if (error != nullptr) return StatusOf(error, "group metadata");
  const std::unique_ptr<void, KafkaDeleter<free>> owner(buffer);

  const std::optional<Member> member = Parse({static_cast<const char*>(buffer), size});
  if (!member.has_value()) {
    return absl::InternalError(
        absl::StrCat("group metadata is in a form not known; librdkafka ", rd_kafka_version_str()));
  }
  if (member->generation < 0 || member->id.empty()) {
    return absl::FailedPreconditionError(absl::StrCat("this member belongs to no generation of the group: generation ",
                                                      member->generation, ", member id \"",
                                                      absl::string_view(member->id.data(), member->id.size()), "\""));
  }
  return std::shared_ptr<const KafkaGroupGeneration>(new KafkaGroupGeneration(std::move(metadata), member->generation));
}

}  // namespace portrait
