// The end of a history: no more faults, everything comes to rest, and what must be true then.
#include <map>
#include <string>

#include "absl/strings/str_cat.h"
#include "pipeline/store_judgement.h"
#include "tests/simulation/world.h"

namespace portrait::simulation {

void World::RunAll(bool until_idle) {
  quiet_ = true;
  while (!delayed_.empty()) DeliverDelayed(false);
  EndExternal(true);
  while (transactions.WriteMarker(0, clock.Monotonic())) {
  }
  // One of two with the same name: somebody has seen it.
  for (size_t n = 0; n < processes_.size(); ++n) {
    const Process* twin = TwinOf(n);
    if (twin != nullptr && twin->life != nullptr && processes_[n].life != nullptr) Kill(n);
  }
  bool done = false;
  for (int round = 0; round < 30000 && !done && failure_.empty(); ++round) {
    done = checker_->all_applied();
    size_t owned = 0;  // not by the sessions of those who are gone
    for (size_t n = 0; n < processes_.size() && failure_.empty(); ++n) {
      const std::shared_ptr<Life> life = Living(n);
      if (life == nullptr) continue;
      for (Seat& seat : life->seats) {
        if (failure_.empty() && life->alive) RunSeat(life, seat);
        if (!until_idle) continue;
        const size_t partitions = group.partitions(seat.instance).size();
        const bool has_work = partitions > 0;
        owned += partitions;
        done &=
            life->alive && seat.started && (!has_work || (seat.worker->status().joined && seat.worker->status().idle));
      }
    }
    done &= !until_idle || owned == kPartitions;
    while (transactions.WriteMarker(0, clock.Monotonic())) {
    }
  }
  if (done || !failure_.empty()) return;
  std::string states = checker_->all_applied() ? "all is applied" : "inputs are left";
  for (const Process& process : processes_) {
    if (process.life == nullptr) continue;
    for (const Seat& seat : process.life->seats) {
      const WorkerStatus& status = seat.worker->status();
      absl::StrAppend(&states, "; ", seat.instance, seat.started ? "" : " not started",
                      status.joined ? "" : " not joined", status.idle ? "" : " not idle", " has ",
                      group.partitions(seat.instance).size(), " partitions, ", status.tasks.load(), " tasks");
    }
  }
  Fail("the engine does not come to rest: " + states);
}

// Started, and not paused. Null: its twin lives.
std::shared_ptr<Life> World::Living(size_t n) {
  const Process* twin = TwinOf(n);
  if (twin != nullptr && twin->life != nullptr) return nullptr;
  std::shared_ptr<Life>& life = processes_[n].life;
  if (life == nullptr) Start(n);
  life->paused = false;
  life->editions.Hear();
  return life;
}

bool World::Fresh(MemoryDisk& disk) const {
  const auto meta = MemoryRowStore(&disk).Meta();
  if (!meta.ok() || !meta->has_value()) return false;
  return Judge(**meta, (*meta)->lineage(), clock.Now(), options_.changelog_tombstones_kept) ==
         StoreJudgement::kCanBeCaughtUp;
}

void World::StopAndCheck() {
  std::map<int32_t, size_t> owners;
  for (size_t n = 0; n < processes_.size(); ++n) {
    if (processes_[n].life == nullptr) continue;
    for (const Seat& seat : processes_[n].life->seats) {
      for (const int32_t partition : group.partitions(seat.instance)) owners[partition] = n;
    }
  }
  for (size_t n = 0; n < processes_.size() && failure_.empty(); ++n) {
    if (processes_[n].life != nullptr) Stop(n);
  }
  while (transactions.WriteMarker(0, clock.Monotonic())) {
  }
  if (!failure_.empty()) return;
  if (owners.size() != kPartitions) return Fail("a partition has no owner");
  // What standbys have may be behind, and is right as far as it goes.
  for (Process& process : processes_) {
    for (auto& [partition, disk] : process.disks) {
      const std::string name = absl::StrCat(process.name, "/", partition);
      checker_->CheckDisk(disk, partition, name);
      if (Fresh(disk)) checker_->CheckPosition(disk, partition, name);
    }
  }
  for (const auto& [partition, owner] : owners) {
    checker_->CheckDiskComplete(processes_[owner].disks[partition], partition,
                                absl::StrCat(processes_[owner].name, "/", partition));
  }
  checker_->CheckEnd(editions.latest().control_position);
  if (!checker_->wrong().empty()) Fail(checker_->wrong());
}

}  // namespace portrait::simulation
