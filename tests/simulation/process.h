// A process of the engine in the simulated world: its disks, which stay, and its life, which ends with every kill.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "pipeline/port_factory.h"
#include "pipeline/standby.h"
#include "pipeline/worker.h"
#include "state/memory_row_store.h"
#include "tests/simulation/editions.h"

namespace portrait::simulation {

class World;
class SimulatedConsumer;
struct Life;

// One worker of one life.
struct Seat {
  Life* life = nullptr;
  int number = 0;
  std::string instance;  // of the group's member, and the transactional id
  std::unique_ptr<Worker> worker;
  bool started = false;
  bool running = false;  // a call of it is on the stack
  bool restoring = false, handing_over = false;
  SimulatedConsumer* consumer = nullptr;
};

// From start to kill or stop. Stays in memory as long as a call of one of its workers is on the stack.
struct Life final : public PortFactory {
  Life(World& its_world, int its_process, const std::string& name, int workers, bool with_standby);

  int32_t partitions() const override;
  absl::StatusOr<std::unique_ptr<GroupConsumer>> NewConsumer(int worker) override;
  absl::StatusOr<std::unique_ptr<TransactionalProducer>> NewProducer(int worker) override;
  absl::StatusOr<std::unique_ptr<LogReader>> NewReader(int worker) override;
  absl::StatusOr<std::unique_ptr<LogTrimmer>> NewTrimmer(int worker) override;
  absl::StatusOr<std::unique_ptr<RowStore>> OpenStore(int32_t partition) override;
  std::unique_ptr<EventDecoder> NewDecoder() override;
  const Clock& clock() const override;

  // FailedPrecondition: it is open already.
  absl::StatusOr<std::unique_ptr<RowStore>> OpenDisk(int32_t partition);

  World& world;
  const int process;
  KnownEditions editions;
  bool alive = true;
  bool paused = false;
  bool stopping = false;
  bool standby_held = false;
  std::map<int32_t, int> open_stores;  // by partition; a folder can be open once
  std::unique_ptr<Standby> standby;    // null: this process has none
  std::vector<Seat> seats;             // last: workers go before what they stand on
};

struct Process {
  std::string name;  // two may have the same, by mistake: then each is fenced by the other's start
  int workers = 1;
  bool with_standby = false;
  std::map<int32_t, MemoryDisk> disks;      // by partition
  std::map<int32_t, MemoryDisk> snapshots;  // older contents, to come back to
  std::shared_ptr<Life> life;               // null: down
};

}  // namespace portrait::simulation
