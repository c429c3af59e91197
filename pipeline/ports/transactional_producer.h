// The port to the output: a transactional producer.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "pipeline/ports/group_consumer.h"
#include "pipeline/ports/record.h"

namespace portrait {

enum class CommitOutcome {
  kCommitted,
  kAborted,  // nothing of the transaction will ever be seen
  kUnknown,  // throw this producer away; a new one with the same id settles it (Init), then look at the journal
  // Another producer with this id has begun, or the coordinator gave up on this transaction, which stayed open for too
  // long. Does not say whether the transaction was committed: look at the journal, if this process still owns the task.
  kFenced,
};

// One thread. A producer that has returned an error other than Unavailable from Init is of no more use but to be
// destroyed. Nothing that was written becomes visible to read-committed readers before Commit, all or nothing.
class TransactionalProducer {
 public:
  virtual ~TransactionalProducer() = default;

  virtual const std::string& transactional_id() const = 0;
  // Drawn at random for each producer: tells its transactions from those of its predecessors under the same id.
  virtual uint64_t incarnation() const = 0;

  // Fences earlier producers with the same id, and waits until their last transaction is settled.
  // Unavailable: the brokers are away; call again.
  virtual absl::Status Init(Duration timeout) = 0;

  virtual absl::Status Begin() = 0;
  // Copies the record. Waits when the queue is full. On an error the transaction can only be aborted.
  virtual absl::Status Write(const NewRecord& record) = 0;
  // Adds the offsets of every source of these partitions (all of them, moved or not: they are the fence).
  // `sources` as given to the consumer; Aborted when the generation is no longer the group's.
  virtual absl::Status SendOffsets(const std::vector<std::string>& sources, const std::vector<PartitionStart>& offsets,
                                   const GroupGeneration& generation) = 0;
  virtual CommitOutcome Commit(Duration timeout) = 0;
  // After kCommitted: one after the last offset that this transaction is known to have written in the partition, else
  // -1. Never too high; too low where an answer was lost and the records were sent twice.
  virtual int64_t WrittenEnd(std::string_view topic, int32_t partition) const = 0;
  // After an error of Write or SendOffsets. Not OK: throw the producer away.
  virtual absl::Status Abort(Duration timeout) = 0;
};

}  // namespace portrait
