#include "view/group_map.h"

#include <algorithm>
#include <map>
#include <utility>

#include "pipeline/standby_plan.h"

namespace portrait::view {
namespace {

constexpr Duration kInterval = seconds(5), kLeastInterval = std::chrono::milliseconds(200);
constexpr Duration kTimeout = seconds(10);

std::vector<GroupMap::Process> ProcessesOf(const std::vector<GroupMember>& members) {
  std::map<std::string, GroupMap::Process> by_instance;
  for (const GroupMember& member : members) {
    GroupMap::Process& process = by_instance[std::string(ProcessOf(member.instance_id))];
    process.instance = std::string(ProcessOf(member.instance_id));
    process.partitions.insert(process.partitions.end(), member.partitions.begin(), member.partitions.end());
    const size_t mark = member.client_id.find(kViewMark);
    if (mark != std::string::npos) process.address = member.client_id.substr(mark + sizeof(kViewMark) - 1);
  }
  std::vector<GroupMap::Process> out;
  for (auto& [instance, process] : by_instance) {
    std::sort(process.partitions.begin(), process.partitions.end());
    out.push_back(std::move(process));
  }
  return out;
}

}  // namespace

GroupMap::GroupMap(std::unique_ptr<GroupMembers> members) : members_(std::move(members)) {
  if (members_) thread_ = std::thread([this] { Ask(); });
}

GroupMap::~GroupMap() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void GroupMap::Ask() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return stop_ || wanted_; });
  while (!stop_) {
    lock.unlock();
    auto described = members_->Describe(kTimeout);
    lock.lock();
    if (described.ok()) processes_ = ProcessesOf(*described);
    refresh_ = false;
    changed_.wait_for(lock, kLeastInterval, [this] { return stop_; });
    changed_.wait_for(lock, kInterval - kLeastInterval, [this] { return stop_ || refresh_; });
  }
}

void GroupMap::Refresh() {
  {
    const std::lock_guard lock(mutex_);
    refresh_ = true;
  }
  changed_.notify_all();
}

void GroupMap::Want() {
  {
    const std::lock_guard lock(mutex_);
    wanted_ = true;
  }
  changed_.notify_all();
}

std::vector<GroupMap::Process> GroupMap::Processes() const {
  const std::lock_guard lock(mutex_);
  return processes_;
}

std::optional<GroupMap::Process> GroupMap::OwnerOf(int32_t partition) const {
  const std::lock_guard lock(mutex_);
  for (const Process& process : processes_) {
    if (std::binary_search(process.partitions.begin(), process.partitions.end(), partition)) return process;
  }
  return std::nullopt;
}

}  // namespace portrait::view
