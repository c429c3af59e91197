// The simulated broker's logs, its transaction coordinator, and the group's committed offsets.
//
// As in Kafka: a decision to commit or abort is one moment; its markers are written later, one partition after another,
// in any order, the group's offsets among them. A new producer (InitProducer) and a time-out raise the epoch, and what
// still comes with an older epoch is refused.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "operators/time.h"
#include "tests/simulation/log.h"

namespace portrait::simulation {

struct Transaction {
  enum class State { kNone, kOngoing, kCommitting, kAborting, kDone };
  std::string id;
  State state = State::kNone;
  int64_t epoch = 0;
  uint64_t number = 0;
  Duration since{};
  bool committed = false;                          // how the last one ended
  std::vector<std::pair<Place, int64_t>> records;  // in the order in which they were sent
  std::map<Place, int64_t> offsets;                // of the group, by source and partition
  uint64_t offsets_order = 0;
  std::vector<Place> markers;   // still to be written
  bool offsets_marker = false;  // still to be written
};

enum class Answer { kOk, kFenced, kRetry };

class Transactions {
 public:
  explicit Transactions(Duration timeout) : timeout_(timeout) {}

  void CreateTopic(const std::string& topic, int32_t partitions) { partitions_[topic] = partitions; }
  int32_t partitions(const std::string& topic) const { return partitions_.at(topic); }
  bool has(const std::string& topic) const { return partitions_.contains(topic); }
  Log& log(const std::string& topic, int32_t partition) { return logs_[{topic, partition}]; }

  // Called at the moment of a decision to commit, before any reader can see it.
  std::function<void(const Transaction&)> on_commit;

  // kRetry: the predecessor's transaction is being ended; ask again.
  Answer InitProducer(const std::string& id, Duration now, int64_t& epoch);
  // kRetry: the last transaction's markers are not all written yet.
  Answer Produce(const std::string& id, int64_t epoch, const Place& place, LogRecord record, Duration now,
                 int64_t& offset);
  Answer SendOffsets(const std::string& id, int64_t epoch, const std::map<Place, int64_t>& offsets, Duration now);
  Answer End(const std::string& id, int64_t epoch, bool commit, Duration now);

  // Aborts what has been open for too long. Returns how many.
  int Expire(Duration now);

  // Writes one marker that is due; false when there is none. `which` picks.
  bool WriteMarker(uint64_t which, Duration now);
  bool WriteMarkerOf(const std::string& id, uint64_t which, Duration now);

  std::optional<int64_t> committed_offset(const Place& place) const;
  bool offsets_pending(const Place& place) const;
  bool any_open() const;

 private:
  Answer Enter(Transaction& transaction, int64_t epoch, Duration now);
  void Decide(Transaction& transaction, bool commit);

  Duration timeout_;
  std::map<std::string, int32_t> partitions_;
  std::map<Place, Log> logs_;
  std::map<std::string, Transaction> transactions_;
  std::map<Place, std::pair<uint64_t, int64_t>> committed_offsets_;  // order, offset
  std::map<Place, std::set<std::string>> pending_offsets_;
  uint64_t orders_ = 0;
};

}  // namespace portrait::simulation
