// The port to the input: one member of a consumer group over the source topics.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "operators/time.h"
#include "pipeline/ports/record.h"

namespace portrait {

// One partition index of every source topic, and where to go on in each (in the order of the sources).
struct PartitionStart {
  int32_t partition = 0;
  std::vector<int64_t> next_offsets;
};

// What fences a member that the group has moved on from. Kept from the assignment, never asked for at commit.
class GroupGeneration {
 public:
  virtual ~GroupGeneration() = default;
};

// Called from within GroupConsumer::Poll and Close, on the caller's thread.
class AssignmentListener {
 public:
  virtual ~AssignmentListener() = default;

  // These partition indexes are this member's now, each of every source; none when there are more members than indexes.
  // Returns where to start each of them; fetching begins when this returns. May take long (recovery). An error ends
  // Poll with that error.
  virtual absl::StatusOr<std::vector<PartitionStart>> OnAssigned(const std::vector<int32_t>& partitions) = 0;
  // They go to somebody else once this returns: the last chance to commit.
  virtual void OnRevoked(const std::vector<int32_t>& partitions) = 0;
  // They already belong to somebody else: what is not committed is lost and must be dropped.
  virtual void OnLost(const std::vector<int32_t>& partitions) = 0;
};

// One thread. Guarantees: records of one partition of one source come in offset order, without gaps but for what the
// log no longer holds; records of aborted or open transactions never come; index p of all sources is always on one
// member.
class GroupConsumer {
 public:
  virtual ~GroupConsumer() = default;

  // Joins the group. `sources` are topics with equal partition counts; Record::source is the place in this list.
  virtual absl::Status Subscribe(const std::vector<std::string>& sources, AssignmentListener* listener) = 0;

  // Appends what has come, waiting at most `timeout` for the first record. At most `max_records`.
  // OutOfRange: the log no longer holds the next offset of a source (retention passed it); the message names topic,
  // partition and offsets. Unavailable: the brokers are away; call again. Anything else is fatal.
  virtual absl::Status Poll(Duration timeout, size_t max_records, std::vector<Record>& records) = 0;

  // The group's committed offset in every source, -1 where there is none. Waits for open transactions that hold
  // offsets of the group. Unavailable after `timeout`: call again. From within OnAssigned, several threads at once.
  virtual absl::StatusOr<std::vector<int64_t>> Committed(int32_t partition, Duration timeout) = 0;

  // The offset after the last record that can be read now, as last heard from the broker, or -1 when nothing has been
  // heard since the assignment. Says whether a partition is known to have more: above the offset after the last record
  // that Poll gave. It may be too high for a moment (markers, aborted and open records are not told apart from others
  // at once), and falls again. Cheap.
  virtual int64_t EndOffset(int32_t source, int32_t partition) = 0;

  // Stops or goes on fetching one source of one partition index; what was fetched already may still come.
  virtual absl::Status Pause(int32_t source, int32_t partition, bool paused) = 0;

  // The generation of the last assignment; null before the first and after a loss.
  virtual std::shared_ptr<const GroupGeneration> generation() const = 0;

  // Leaves the group for this session: revokes, then closes. A static member stays a member until its session ends.
  virtual absl::Status Close() = 0;
};

}  // namespace portrait
