// The simulated consumer group: static members, generations, rebalances, sessions that expire.
//
// Eager, as Kafka's `range` assignor: when a rebalance begins, every member gives up all its partitions, joins, and
// gets new ones in the next generation. A static member that comes again gets what it had, in the same generation, and
// its predecessor is fenced.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "operators/time.h"

namespace portrait::simulation {

struct Membership {
  std::string instance;
  uint64_t member = 0;  // 0: not joined
  int64_t generation = 0;
};

class Group {
 public:
  Group(int32_t partitions, Duration session_timeout, Duration rebalance_timeout)
      : partitions_(partitions), session_timeout_(session_timeout), rebalance_timeout_(rebalance_timeout) {}

  // Joins, or joins again in a rebalance.
  void Join(Membership& me, Duration now);

  enum class News {
    kNone,
    kRebalance,   // give up everything and join again
    kWaiting,     // joined; others have not yet
    kAssignment,  // a generation that this member has not seen
    kUnknown,     // the group has forgotten this member
    kFenced,      // another member with this instance id has joined
  };
  News Look(const Membership& me) const;
  // After kAssignment.
  std::vector<int32_t> Take(Membership& me);

  // Whether a commit of this member and generation is accepted.
  bool Accepts(const Membership& me) const;

  // The member that now has this instance id, in the generation of now. Of an instance that the group has forgotten,
  // what a client knows then: no member, generation -1.
  Membership Current(const std::string& instance) const;
  void Heartbeat(const Membership& me, Duration now);
  void Expel(const std::string& instance, Duration now);
  // Expels members whose session has ended, and completes a rebalance that has waited for too long. Returns how many
  // were expelled.
  int Expire(Duration now);

  std::vector<std::string> instances() const;
  std::vector<int32_t> partitions(const std::string& instance) const;
  int rebalances() const { return rebalances_; }
  int64_t generation() const { return generation_; }

 private:
  struct Member {
    uint64_t id = 0;
    bool joined = false;  // in this rebalance
    Duration heartbeat{};
    std::vector<int32_t> partitions;
  };
  void Begin(Duration now);
  void CompleteIfAllJoined();
  void Complete();

  int32_t partitions_;
  Duration session_timeout_, rebalance_timeout_;
  std::map<std::string, Member> members_;  // by instance, in the order in which `range` gives partitions
  bool rebalancing_ = false;
  Duration since_{};
  int64_t generation_ = 0;
  uint64_t ids_ = 0;
  int rebalances_ = 0;
};

}  // namespace portrait::simulation
