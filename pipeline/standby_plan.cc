#include "pipeline/standby_plan.h"

#include <algorithm>

namespace portrait {
namespace {

constexpr std::string_view kWorker = "-worker-";

void AddAfterLosses(const std::vector<std::string>& instance_ids, std::string_view process, int32_t partitions,
                    int losses, std::set<int32_t>& out) {
  out.merge(RangeAssignment(instance_ids, process, partitions));
  if (losses == 0) return;
  std::set<std::string_view> others;
  for (const std::string& id : instance_ids) others.insert(ProcessOf(id));
  others.erase(process);
  for (const std::string_view lost : others) {
    std::vector<std::string> left;
    std::copy_if(instance_ids.begin(), instance_ids.end(), std::back_inserter(left),
                 [&](const std::string& id) { return ProcessOf(id) != lost; });
    AddAfterLosses(left, process, partitions, losses - 1, out);
  }
}

}  // namespace

std::string_view ProcessOf(std::string_view instance_id) { return instance_id.substr(0, instance_id.rfind(kWorker)); }

std::set<int32_t> RangeAssignment(std::vector<std::string> instance_ids, std::string_view process, int32_t partitions) {
  std::sort(instance_ids.begin(), instance_ids.end());
  std::set<int32_t> owned;
  if (instance_ids.empty()) return owned;
  const auto members = static_cast<int32_t>(instance_ids.size());
  const int32_t each = partitions / members, more = partitions % members;
  int32_t next = 0;
  for (int32_t m = 0; m < members; ++m) {
    const int32_t end = next + each + (m < more ? 1 : 0);
    const bool mine = ProcessOf(instance_ids[static_cast<size_t>(m)]) == process;
    for (; next < end; ++next) {
      if (mine) owned.insert(next);
    }
  }
  return owned;
}

std::set<int32_t> StandbyPartitions(const std::vector<GroupMember>& members, std::string_view process,
                                    int32_t partitions, int losses) {
  std::vector<std::string> ids;
  ids.reserve(members.size());
  for (const GroupMember& member : members) ids.push_back(member.instance_id);
  std::set<int32_t> wanted;
  AddAfterLosses(ids, process, partitions, losses, wanted);
  for (const GroupMember& member : members) {
    if (ProcessOf(member.instance_id) != process) continue;
    for (const int32_t partition : member.partitions) wanted.erase(partition);
  }
  return wanted;
}

}  // namespace portrait
