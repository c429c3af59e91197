// Who in the group has which partition, asked for in the background now and then, once somebody wants to know.
//
// Not before: librdkafka 2.0.2 ends the process by an assertion of its own when it describes a group while the group's
// coordinator is still being loaded, and a process that has all partitions needs no description.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "operators/time.h"
#include "pipeline/ports/group_members.h"

namespace portrait::view {

// Safe from any thread.
class GroupMap {
 public:
  explicit GroupMap(std::unique_ptr<GroupMembers> members);
  ~GroupMap();

  struct Process {
    std::string instance;
    std::vector<int32_t> partitions;
    std::string address;  // of its view; empty: not known
  };
  // To be called once this process has its partitions and others are elsewhere.
  void Want();
  // What it knows is out of date: it asks again soon.
  void Refresh();
  // Who wants to know asks again after so long, and gives up when it is not known within that.
  static constexpr Duration kAskAgain = std::chrono::milliseconds(10);
  static constexpr Duration kKnownWithin = std::chrono::milliseconds(1500);
  // As last heard; empty: not yet.
  std::vector<Process> Processes() const;
  std::optional<Process> OwnerOf(int32_t partition) const;

 private:
  void Ask();

  const std::unique_ptr<GroupMembers> members_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  bool stop_ = false;  // guarded by mutex_, as below
  bool wanted_ = false;
  bool refresh_ = false;
  std::vector<Process> processes_;
  std::thread thread_;
};

}  // namespace portrait::view
