// Which partitions a process keeps warm for others: those that it would own if one of them left.
//
// Nobody coordinates this. The group's assignor is `range` over the instance ids in the order of their text, so every
// process works out from the list of members what each would have after a loss; a list that is out of date costs a
// restore, never a result.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "pipeline/ports/group_members.h"

namespace portrait {

// "host-1-worker-3" is of process "host-1": the workers of a process come and go together.
std::string_view ProcessOf(std::string_view instance_id);

// What `range` gives to the members of a process, when these are the members of the group.
std::set<int32_t> RangeAssignment(std::vector<std::string> instance_ids, std::string_view process, int32_t partitions);

// What `process` would own after the loss of up to `losses` other processes, without what it has now.
std::set<int32_t> StandbyPartitions(const std::vector<GroupMember>& members, std::string_view process,
                                    int32_t partitions, int losses);

}  // namespace portrait
