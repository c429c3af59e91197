#include "tests/simulation/group.h"

#include <algorithm>
#include <utility>

namespace portrait::simulation {

void Group::Begin(Duration now) {
  rebalancing_ = true;
  since_ = now;
  ++rebalances_;
  for (auto& [instance, member] : members_) member.joined = false;
}

void Group::Join(Membership& me, Duration now) {
  const bool known = members_.contains(me.instance);
  Member& member = members_[me.instance];
  if (!known || me.member != member.id) {
    // A new member starts a rebalance; a static one that comes again takes its predecessor's place.
    me.member = member.id = ++ids_;
    me.generation = 0;
    if (!known && !rebalancing_) Begin(now);
  }
  member.heartbeat = now;
  member.joined = true;
  CompleteIfAllJoined();
}

void Group::CompleteIfAllJoined() {
  if (!rebalancing_) return;
  if (std::all_of(members_.begin(), members_.end(), [](const auto& entry) { return entry.second.joined; })) Complete();
}

void Group::Complete() {
  rebalancing_ = false;
  ++generation_;
  const auto members = static_cast<int32_t>(members_.size());
  int32_t next = 0, n = 0;
  for (auto& [instance, member] : members_) {
    const int32_t share = partitions_ / members + (n++ < partitions_ % members ? 1 : 0);
    member.partitions.clear();
    for (int32_t i = 0; i < share; ++i) member.partitions.push_back(next++);
  }
}

Group::News Group::Look(const Membership& me) const {
  const auto it = members_.find(me.instance);
  if (it == members_.end()) return News::kUnknown;
  if (it->second.id != me.member) return News::kFenced;
  if (rebalancing_) return it->second.joined ? News::kWaiting : News::kRebalance;
  return me.generation == generation_ ? News::kNone : News::kAssignment;
}

std::vector<int32_t> Group::Take(Membership& me) {
  me.generation = generation_;
  return members_.at(me.instance).partitions;
}

bool Group::Accepts(const Membership& me) const {
  // Kafka takes the offsets of a client that names neither member nor generation: it checks members only.
  if (me.member == 0 && me.generation < 0) return true;
  const auto it = members_.find(me.instance);
  return it != members_.end() && it->second.id == me.member && me.generation == generation_;
}

Membership Group::Current(const std::string& instance) const {
  const auto it = members_.find(instance);
  return it == members_.end() ? Membership{instance, 0, -1} : Membership{instance, it->second.id, generation_};
}

void Group::Heartbeat(const Membership& me, Duration now) {
  const auto it = members_.find(me.instance);
  if (it != members_.end() && it->second.id == me.member) it->second.heartbeat = now;
}

void Group::Expel(const std::string& instance, Duration now) {
  if (members_.erase(instance) == 0) return;
  if (members_.empty()) {
    rebalancing_ = false;
    ++generation_;
  } else if (!rebalancing_) {
    Begin(now);
  }
  CompleteIfAllJoined();
}

int Group::Expire(Duration now) {
  std::vector<std::string> gone;
  for (const auto& [instance, member] : members_) {
    if (now - member.heartbeat >= session_timeout_) gone.push_back(instance);
  }
  for (const std::string& instance : gone) Expel(instance, now);
  // Static members that have not joined in time stay, with partitions, until they do or their session ends.
  if (rebalancing_ && now - since_ >= rebalance_timeout_) Complete();
  return static_cast<int>(gone.size());
}

std::vector<std::string> Group::instances() const {
  std::vector<std::string> out;
  for (const auto& [instance, member] : members_) out.push_back(instance);
  return out;
}

std::vector<int32_t> Group::partitions(const std::string& instance) const {
  const auto it = members_.find(instance);
  return it == members_.end() ? std::vector<int32_t>() : it->second.partitions;
}

}  // namespace portrait::simulation
