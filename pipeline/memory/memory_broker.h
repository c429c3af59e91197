// A broker in memory, for tests and the simulator: logs with transactions, one consumer group, and faults on demand.
//
// It keeps what a real one keeps when clients die: committed records and offsets, open transactions, producer epochs.
// It does not lose what it has acknowledged. Everything is deterministic. One thread.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "pipeline/ports/clock.h"
#include "pipeline/ports/group_consumer.h"
#include "pipeline/ports/log_reader.h"
#include "pipeline/ports/log_trimmer.h"
#include "pipeline/ports/transactional_producer.h"

namespace portrait {

// A clock that stands still until it is moved.
class ManualClock final : public Clock {
 public:
  explicit ManualClock(Timestamp start) : now_(start) {}
  Timestamp Now() const override { return now_; }
  Duration Monotonic() const override { return now_.time_since_epoch(); }
  void Advance(Duration by) { now_ += by; }

 private:
  Timestamp now_;
};

// A record as the broker keeps it.
struct StoredRecord {
  enum class State { kCommitted, kOpen, kAborted, kMarker };
  int64_t offset = 0;
  int64_t timestamp_us = 0;
  std::optional<std::string> key;
  std::optional<std::string> value;
  std::vector<std::pair<std::string, std::string>> headers;
  State state = State::kCommitted;
  std::string transactional_id;
};

// What happens to the next EndTxn of a transactional id.
enum class CommitFault {
  kNone,
  kAnswerLost,   // committed, but the client does not learn it
  kRequestLost,  // stays open, and the client does not learn it
};

class MemoryBroker {
 public:
  explicit MemoryBroker(ManualClock* clock, Duration transaction_timeout = seconds(10))
      : clock_(clock), transaction_timeout_(transaction_timeout) {}

  void CreateTopic(const std::string& topic, int32_t partitions) { partitions_[topic] = partitions; }
  int32_t partitions(const std::string& topic) const { return partitions_.at(topic); }

  // Writes without a transaction. Returns the offset.
  int64_t Append(const std::string& topic, int32_t partition, StoredRecord record);
  // Committed records, in order.
  std::vector<const StoredRecord*> Committed(const std::string& topic, int32_t partition) const;
  // The first offset still there.
  int64_t Begin(const std::string& topic, int32_t partition) { return logs_[{topic, partition}].begin; }
  // Forgets what lies below the offset.
  void Cut(const std::string& topic, int32_t partition, int64_t offset);

  void FailNextCommit(const std::string& transactional_id, CommitFault fault) { faults_[transactional_id] = fault; }
  // Limits what one Poll returns (0 = no limit), so that batches of any size can be tried.
  void LimitPolls(size_t records) { poll_limit_ = records; }

  std::unique_ptr<GroupConsumer> NewConsumer(const std::string& member);
  std::unique_ptr<TransactionalProducer> NewProducer(const std::string& transactional_id);
  std::unique_ptr<LogReader> NewReader();
  std::unique_ptr<LogTrimmer> NewTrimmer();

 private:
  friend class MemoryConsumer;
  friend class MemoryProducer;
  friend class MemoryReader;
  friend class MemoryCursor;

  using Place = std::pair<std::string, int32_t>;  // topic, partition
  struct Log {
    int64_t begin = 0;
    std::deque<StoredRecord> records;  // records[i].offset == first + i
    int64_t end = 0;
  };
  struct Transaction {
    int64_t epoch = 0;
    bool open = false;
    Duration since{};
    std::vector<std::pair<Place, int64_t>> records;
    std::map<Place, int64_t> offsets;
  };

  int64_t StableEnd(const Log& log) const;
  const StoredRecord* Find(const Log& log, int64_t offset) const;
  void EndTransaction(const std::string& id, bool commit);
  // Time passes for a client that waits: transactions past their time-out are aborted.
  void Wait(Duration timeout);
  bool OffsetsPending(const Place& place) const;

  ManualClock* clock_;
  Duration transaction_timeout_;
  std::map<std::string, int32_t> partitions_;
  std::map<Place, Log> logs_;
  std::map<std::string, Transaction> transactions_;
  std::map<Place, int64_t> committed_offsets_;
  std::map<std::string, CommitFault> faults_;
  std::string member_;  // who owns all partitions
  int64_t generation_ = 0;
  size_t poll_limit_ = 0;
  uint64_t incarnations_ = 0;
};

}  // namespace portrait
