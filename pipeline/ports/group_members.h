// The port to who is in the application's consumer group, and what each has.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "operators/time.h"

namespace portrait {

// In a client id, before the address of the process's view.
inline constexpr char kViewMark[] = "@";

struct GroupMember {
  std::string instance_id;          // of the member; one process may be several
  std::vector<int32_t> partitions;  // indexes, in order
  std::string client_id;            // what it calls itself beside the instance
};

// One thread.
class GroupMembers {
 public:
  virtual ~GroupMembers() = default;

  // The members of the current generation; what each has is known between rebalances only. Unavailable: nobody could
  // say within the timeout; ask again.
  virtual absl::StatusOr<std::vector<GroupMember>> Describe(Duration timeout) = 0;
};

}  // namespace portrait
