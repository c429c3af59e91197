// The processes of the world: turns of their workers and standbys, starts, kills, stops, and leaving to a twin.
#include <chrono>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "pipeline/invariant.h"
#include "tests/simulation/ports.h"
#include "tests/simulation/world.h"

namespace portrait::simulation {

template <class Call>
absl::Status World::Guarded(const std::shared_ptr<Life>& life, Seat* seat, Call call) {
  if (seat != nullptr) seat->running = true;
  running_.push_back({life.get(), seat});
  absl::Status status;
  try {
    status = call();
  } catch (const Killed&) {
    status = absl::CancelledError("killed");
#ifdef PORTRAIT_MUTANTS
  } catch (const BrokenInvariant& broken) {
    status = absl::InternalError("broken invariant: " + broken.what);
#endif
  }
  running_.pop_back();
  if (seat != nullptr) seat->running = false;
  if (!life->alive) return absl::CancelledError("killed");
  return status;
}

void World::RunSeat(const std::shared_ptr<Life>& life, Seat& seat) {
  Advance(Duration(Pick(60'000)));
  const bool start = !seat.started;
  if (start) seat.restoring = seat.handing_over = false;
  const absl::Status ran = Guarded(
      life, &seat, [&] { return start ? seat.worker->Start() : seat.worker->RunOnce(std::chrono::milliseconds(50)); });
  if (absl::IsCancelled(ran)) return;
  if (!ran.ok()) Say(absl::StrCat(seat.instance, ": ", ran.ToString()));
  seat.started = ran.ok();
  if (absl::IsAborted(ran) || absl::IsUnavailable(ran)) {
    Count("workers that began anew");
  } else if (absl::IsFailedPrecondition(ran) && TwinOf(static_cast<size_t>(life->process)) != nullptr) {
    Leave(static_cast<size_t>(life->process));
  } else if (!ran.ok()) {
    Fail(absl::StrCat("the engine stopped itself: ", seat.instance, ": ", ran.ToString()));
  }
}

void World::RunStandby(const std::shared_ptr<Life>& life) {
  Advance(Duration(Pick(2'000'000)));
  const absl::Status ran = Guarded(life, nullptr, [&] {
    Count(life->standby->RunOnce() ? "standbys up to date" : "standbys not up to date");
    return absl::OkStatus();
  });
  if (!ran.ok() && !absl::IsCancelled(ran)) Fail(absl::StrCat("a standby failed: ", ran.ToString()));
}

void World::RunSomeone() {
  const size_t n = AnyProcess();
  Process& process = processes_[n];
  if (process.life == nullptr) {
    if (Pick(3) == 0) Start(n);
    return;
  }
  const std::shared_ptr<Life> life = process.life;
  if (life->paused || life->stopping) return;
  if (Pick(10) == 0) life->editions.Hear();
  if (life->standby && !life->standby_held && Pick(4) == 0) return RunStandby(life);
  Seat& seat = life->seats[Pick(life->seats.size())];
  if (!seat.running) RunSeat(life, seat);
}

void World::Start(size_t process) {
  Say(absl::StrCat(processes_[process].name, " starts"));
  Count("starts");
  processes_[process].life = std::make_shared<Life>(*this, static_cast<int>(process), processes_[process].name,
                                                    processes_[process].workers, processes_[process].with_standby);
}

void World::Kill(size_t n) {
  Process& process = processes_[n];
  Say(absl::StrCat(process.name, " is KILLED"));
  process.life->alive = false;
  process.life.reset();
  for (auto& [partition, disk] : process.disks) {
    const size_t pending = disk.pending_batches();
    const size_t kept = Pick(pending + 1);
    if (kept < pending) Count("disks that lost batches");
    disk.Crash(kept);
    checker_->CheckDisk(disk, partition, absl::StrCat(process.name, "/", partition));
  }
  if (!quiet_ && Pick(10) == 0) SomethingHappensToADisk(process);
  if (!checker_->wrong().empty()) Fail(checker_->wrong());
}

void World::Stop(size_t n) {
  const std::shared_ptr<Life> life = processes_[n].life;
  for (const Seat& seat : life->seats) {
    if (seat.running) return;
  }
  Say(absl::StrCat(processes_[n].name, " is stopped"));
  life->stopping = true;
  for (Seat& seat : life->seats) {
    const absl::Status stopped = Guarded(life, &seat, [&] { return seat.worker->Stop(); });
    if (absl::IsCancelled(stopped)) return;
    const bool replaced = absl::IsFailedPrecondition(stopped) && TwinOf(n) != nullptr;
    if (!stopped.ok() && !absl::IsAborted(stopped) && !absl::IsUnavailable(stopped) && !replaced) {
      Fail(absl::StrCat("a stop failed: ", seat.instance, ": ", stopped.ToString()));
    }
  }
  Count("clean stops");
  life->alive = false;
  processes_[n].life.reset();
}

// Null: no other process has its name.
const Process* World::TwinOf(size_t n) const {
  for (size_t other = 0; other < processes_.size(); ++other) {
    if (other != n && processes_[other].name == processes_[n].name) return &processes_[other];
  }
  return nullptr;
}

// As the engine does it: one worker that is replaced stops the others, and the process ends.
void World::Leave(size_t n) {
  Count("processes that left to their twin");
  const std::shared_ptr<Life> life = processes_[n].life;
  Stop(n);
  if (life->alive) Kill(n);  // in the middle of a call of another worker
}

}  // namespace portrait::simulation
