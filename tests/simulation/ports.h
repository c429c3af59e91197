// The engine's ports over the simulated broker, group and disks. Each call tells the world where the process stands
// (World::At), which may kill it there or let others go first.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "pipeline/event_decoder.h"
#include "pipeline/ports/group_consumer.h"
#include "pipeline/ports/group_members.h"
#include "pipeline/ports/log_reader.h"
#include "pipeline/ports/log_trimmer.h"
#include "pipeline/ports/transactional_producer.h"
#include "state/memory_row_store.h"
#include "tests/simulation/group.h"
#include "tests/simulation/log.h"
#include "tests/simulation/process.h"

namespace portrait::simulation {

class SimulatedConsumer final : public GroupConsumer {
 public:
  SimulatedConsumer(World& world, Seat& seat);
  ~SimulatedConsumer() override;

  absl::Status Subscribe(const std::vector<std::string>& sources, AssignmentListener* listener) override;
  absl::Status Poll(Duration timeout, size_t max_records, std::vector<Record>& records) override;
  absl::StatusOr<std::vector<int64_t>> Committed(int32_t partition, Duration timeout) override;
  int64_t EndOffset(int32_t source, int32_t partition) override;
  absl::Status Pause(int32_t source, int32_t partition, bool paused) override;
  std::shared_ptr<const GroupGeneration> generation() const override;
  absl::Status Close() override;

  void Heartbeat();

 private:
  struct Position {
    int64_t next = 0;
    int64_t end = -1;  // as last heard
  };
  absl::Status Fetch(Duration timeout, size_t max_records, std::vector<Record>& records);
  absl::Status Assign();
  void Revoke();
  void Lose();

  World& world_;
  Seat& seat_;
  std::vector<std::string> sources_;
  AssignmentListener* listener_ = nullptr;
  Membership me_;
  bool assigned_ = false;
  bool closed_ = false;
  std::shared_ptr<const GroupGeneration> generation_;
  std::vector<int32_t> partitions_;
  std::map<std::pair<int32_t, int32_t>, Position> positions_;  // source, partition
};

class SimulatedProducer final : public TransactionalProducer {
 public:
  SimulatedProducer(World& world, Seat& seat, uint64_t incarnation);

  const std::string& transactional_id() const override { return seat_.instance; }
  uint64_t incarnation() const override { return incarnation_; }
  absl::Status Init(Duration timeout) override;
  absl::Status Begin() override;
  absl::Status Write(const NewRecord& record) override;
  absl::Status SendOffsets(const std::vector<std::string>& sources, const std::vector<PartitionStart>& offsets,
                           const GroupGeneration& generation) override;
  CommitOutcome Commit(Duration timeout) override;
  int64_t WrittenEnd(std::string_view topic, int32_t partition) const override;
  absl::Status Abort(Duration timeout) override;

 private:
  // Sends what was written so far. As with a real client, errors show later than the call that caused them.
  absl::Status Flush();

  World& world_;
  Seat& seat_;
  uint64_t incarnation_;
  int64_t epoch_ = 0;
  std::vector<std::pair<Place, LogRecord>> queue_;
  std::map<Place, int64_t> written_;
};

class SimulatedReader final : public LogReader {
 public:
  // Without a seat it is the standby's: nobody gets a turn within its calls, and what is not there yet is not waited
  // for.
  SimulatedReader(World& world, Seat* seat) : world_(world), seat_(seat) {}

  absl::StatusOr<LogRange> Range(std::string_view topic, int32_t partition, Duration timeout) override;
  absl::StatusOr<std::unique_ptr<LogCursor>> Open(std::string_view topic, int32_t partition, int64_t from,
                                                  int64_t end) override;

 private:
  World& world_;
  Seat* seat_;
};

class SimulatedTrimmer final : public LogTrimmer {
 public:
  SimulatedTrimmer(World& world, Seat& seat) : world_(world), seat_(seat) {}

  absl::Status Trim(const std::string& topic, int32_t partition, int64_t below) override;

 private:
  World& world_;
  Seat& seat_;
};

class SimulatedStore final : public MemoryRowStore {
 public:
  SimulatedStore(World& world, Life& life, int32_t partition);
  ~SimulatedStore() override;

  absl::StatusOr<std::optional<std::string>> Get(std::string_view customer_id) override;
  absl::Status Write(const RowBatch& batch) override;

 private:
  World& world_;
  Life& life_;
  int32_t partition_;
};

class SimulatedMembers final : public GroupMembers {
 public:
  explicit SimulatedMembers(World& world) : world_(world) {}

  absl::StatusOr<std::vector<GroupMember>> Describe(Duration timeout) override;

 private:
  World& world_;
};

// Reads events in Protobuf; the value "bad" is none.
class PlainDecoder final : public EventDecoder {
 public:
  std::optional<Rejection> Decode(const Record& record, const SourceOptions& source, Event& event) override;
};

}  // namespace portrait::simulation
