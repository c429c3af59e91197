#include "tests/simulation/world.h"

#include <iostream>
#include <utility>

#include "absl/strings/str_cat.h"
#include "operators/testing/harness.h"
#include "pipeline/log.h"
#include "pipeline/partitioner.h"
#include "tests/simulation/ports.h"

namespace portrait::simulation {
namespace {

constexpr size_t kDepth = 3;  // how many calls can be interrupted within each other
constexpr Duration kSession = seconds(10), kRebalance = seconds(20), kTransaction = seconds(10);
const std::string kExternal = "external";  // a transactional producer of somebody else's

}  // namespace

const std::vector<std::string>& World::Sources() {
  static const auto* const sources = new std::vector<std::string>{"browsing", "purchases", "service"};
  return *sources;
}

World::World(uint64_t seed)
    : clock(portrait::At("2026-01-01")),
      transactions(kTransaction),
      group(kPartitions, kSession, kRebalance),
      random_(seed),
      event_time_us_(ToMicros(portrait::At("2026-01-01"))) {
  static const bool log_started = (StartLog({.level = LogLevel::kError}), true);  // its warnings are what is looked for
  static_cast<void>(log_started);
  for (const std::string& source : Sources()) options_.sources.push_back({source, WireFormat::kProtobuf});
  options_.checkpoint_interval = Pick(3) == 0 ? options_.commit_interval : seconds(1 + static_cast<int64_t>(Pick(5)));
  options_.allowed_lateness = seconds(3);
  options_.clock = Pick(2) == 0 ? ClockMode::kWall : ClockMode::kEvent;
  options_.cache_bytes = Pick(2) == 0 ? 1 : 1 << 20;
  options_.startup_timeout = seconds(60);
  very_late_ = Pick(3) == 0;
  if (very_late_ || Pick(3) == 0) options_.rows_fired_at_once = 1 + static_cast<int>(Pick(3));
  if (Pick(4) != 0) options_.rows_swept_at_once = 1 + static_cast<int>(Pick(3));
  options_.journal_trim_interval = Pick(2) == 0 ? Duration(0) : seconds(2);
  short_tombstones_ = Pick(3) == 0;
  if (short_tombstones_) options_.changelog_tombstones_kept = seconds(5 + static_cast<int64_t>(Pick(60)));
  for (const std::string& topic : Sources()) transactions.CreateTopic(topic, kPartitions);
  transactions.CreateTopic(options_.JournalTopic(), kPartitions);
  transactions.CreateTopic(options_.ChangelogTopic(), kPartitions);
  transactions.CreateTopic("results", 2);
  transactions.CreateTopic("dead-letters", 1);

  // Sometimes so many that one firing does not take all timers that are due.
  const bool crowd = Pick(10) == 0;
  const int customers = crowd ? 150 : 4 + static_cast<int>(Pick(short_tombstones_ ? 60 : 14));
  burst_ = crowd ? 150 : 20;
  for (int i = 0; i < customers; ++i) {
    customers_.push_back(absl::StrCat("c", i));
    home_[customers_.back()] = PartitionOf(customers_.back(), kPartitions);
  }
  checker_ = std::make_unique<Checker>(Layout{Sources(), options_.JournalTopic(), options_.ChangelogTopic(),
                                              kPartitions, options_.allowed_lateness.count(), home_},
                                       transactions);
  transactions.on_commit = [this](const Transaction& transaction) {
    if (transaction.id == kExternal || !failure_.empty()) return;
    checker_->OnCommit(transaction);
    if (!checker_->wrong().empty()) Fail(checker_->wrong());
  };

  processes_.resize(1 + Pick(3));
  for (size_t i = 0; i < processes_.size(); ++i) {
    processes_[i].name = absl::StrCat("portrait-", i + 1);
    processes_[i].workers = 1 + static_cast<int>(Pick(2));
    processes_[i].with_standby = processes_.size() > 1 && Pick(3) != 0;
  }
  if (processes_.size() > 1 && Pick(5) == 0) processes_[1].name = processes_[0].name;
  poll_limit_ = Pick(3) == 0 ? 0 : 1 + Pick(20);
  end_faults_ = Pick(4) == 0 ? 0 : 5 + Pick(40);
  focus_ = static_cast<Point>(Pick(kPoints));
  focus_kills_ = static_cast<int>(Pick(4));
}

World::World(Calm) : World(1) {
  quiet_ = true;
  processes_.resize(1);
  processes_[0].workers = 1;
  processes_[0].with_standby = false;
  options_.clock = ClockMode::kEvent;
  options_.checkpoint_interval = seconds(60);
  short_tombstones_ = false;
  options_.changelog_tombstones_kept = days(7);
  options_.cache_bytes = 1 << 20;
  options_.journal_trim_interval = Duration(0);
}

World::~World() = default;

void World::Say(const std::string& what) {
  if (trace_)
    std::cout << std::string(2 * running_.size(), ' ') << clock.Monotonic().count() % 100'000'000'000 << " " << what
              << "\n";
}

void World::Fail(const std::string& what) {
  Say("FAILED: " + what);
  if (failure_.empty()) failure_ = what;
}

// ---------------------------------------------------------------- time, and what happens within calls

void World::Advance(Duration duration) {
  while (duration > Duration(0)) {
    const Duration step = std::min<Duration>(duration, seconds(1));
    duration -= step;
    clock.Advance(step);
    for (const Process& process : processes_) {
      if (process.life == nullptr || process.life->paused) continue;
      for (const Seat& seat : process.life->seats) {
        if (seat.consumer != nullptr) seat.consumer->Heartbeat();
      }
    }
    if (const int expired = transactions.Expire(clock.Monotonic())) Count("transactions timed out", expired);
    if (const int expelled = group.Expire(clock.Monotonic())) Count("sessions expired", expelled);
  }
}

void World::At(Seat& seat, Point point) {
  if (!seat.life->alive || !failure_.empty()) throw Killed();
  if (quiet_) return;
  Point where = point;
  if (seat.handing_over) where = Point::kHandingOver;
  if (seat.restoring && point != Point::kRestoringRows) where = Point::kRestoring;
  // Some places are passed much more often than others.
  const bool frequent = point == Point::kApplying || point == Point::kRestoring || point == Point::kWriting;
  const uint64_t rare = frequent ? 8 : 1;
  MayDie(*seat.life, where, rare);
  if (Pick(60 * rare) == 0) Interrupt(seat);
  if (!seat.life->alive || !failure_.empty()) throw Killed();
}

void World::MayDie(Life& life, Point where, uint64_t rare) {
  const bool focused = where == focus_ && focus_kills_ > 0 && Pick(4 * rare) == 0;
  if (!focused && Pick(1500 * rare) != 0) return;
  if (focused) --focus_kills_;
  Count("killed " + std::string(kPointNames[static_cast<size_t>(where)]));
  Kill(static_cast<size_t>(life.process));
  throw Killed();
}

void World::AtStore(Point point) {
  const Running& running = running_.back();
  if (running.seat != nullptr) {
    return At(*running.seat, running.seat->restoring && point != Point::kApplying ? Point::kRestoringRows : point);
  }
  // A standby holds its lock here: nobody else gets a turn.
  if (!running.life->alive || !failure_.empty()) throw Killed();
  if (!quiet_) MayDie(*running.life, Point::kStandbyRows, 1);
}

void World::Interrupt(Seat& seat) {
  if (running_.size() > kDepth) return;
  Life& life = *seat.life;
  Count("calls interrupted by others");
  const bool paused = !life.paused && Pick(6) == 0;
  if (paused) {
    Say(absl::StrCat(seat.instance, " is PAUSED in the middle of a call"));
    Count("processes paused in the middle of a call");
    life.paused = true;
    Advance(Duration(Pick(25'000'000)));
  }
  const uint64_t actions = paused ? 10 + Pick(40) : 1 + Pick(8);
  for (uint64_t n = 0; n < actions && life.alive && failure_.empty(); ++n) Step();
  if (paused) {
    life.paused = false;
    if (life.alive) Say(absl::StrCat(seat.instance, " goes on"));
  }
}

void World::Wait(Seat& seat, Duration duration) {
  Advance(duration);
  if (quiet_) {
    while (transactions.WriteMarker(0, clock.Monotonic())) {
    }
  } else {
    for (uint64_t n = Pick(3); n > 0; --n) transactions.WriteMarker(random_(), clock.Monotonic());
    if (Pick(8) == 0) Interrupt(seat);
  }
  if (!seat.life->alive || !failure_.empty()) throw Killed();
}

World::EndFault World::NextEndFault() {
  if (quiet_ || end_faults_ == 0 || Pick(end_faults_) != 0) return EndFault::kNone;
  switch (Pick(5)) {
    case 0: Count("EndTxn lost"); return EndFault::kLost;
    case 1:
    case 2: Count("EndTxn delayed"); return EndFault::kDelayed;
    case 3: Count("answers to EndTxn lost"); return EndFault::kAnswerLost;
    default: Count("transactions given up by the client"); return EndFault::kAborted;
  }
}

bool World::BrokerIsAway() {
  if (quiet_ || Pick(100) != 0) return false;
  Count("broker did not answer");
  Advance(seconds(1));
  return true;
}

// ---------------------------------------------------------------- what can happen

void World::Run(int actions) {
  for (int n = 0; n < actions && failure_.empty(); ++n) Step();
}

void World::Step() {
  const uint64_t what = Pick(1000);
  const size_t n = AnyProcess();
  Process& process = processes_[n];
  if (what < 170) {
    SendEvents(1 + static_cast<int>(Pick(burst_)));
  } else if (what < 800) {
    for (uint64_t times = 1 + Pick(5); times > 0 && failure_.empty(); --times) RunSomeone();
  } else if (what < 870) {
    for (uint64_t times = 1 + Pick(4); times > 0; --times) transactions.WriteMarker(random_(), clock.Monotonic());
  } else if (what < 900) {
    DeliverDelayed(Pick(4) == 0);
  } else if (what < 906) {
    if (process.life != nullptr) {
      Count("killed between two calls");
      Kill(n);
    }
  } else if (what < 916) {
    if (process.life != nullptr) Stop(n);
  } else if (what < 924) {
    const std::vector<std::string> instances = group.instances();
    if (!instances.empty()) {
      const std::string& instance = instances[Pick(instances.size())];
      Say(absl::StrCat(instance, " is EXPELLED"));
      Count("members expelled");
      group.Expel(instance, clock.Monotonic());
    }
  } else if (what < 932) {
    const bool may_hold = process.life != nullptr && process.life->standby && !process.life->standby_held;
    if (may_hold && short_tombstones_ && running_.empty() && Pick(2) == 0) {
      HoldStandby(process);
    } else if (process.life != nullptr && !process.life->paused && Pick(2) == 0) {
      Say(absl::StrCat(process.name, " is paused"));
      Count("processes paused between two calls");
      process.life->paused = true;
    }
  } else if (what < 945) {
    if (process.life != nullptr && process.life->paused) {
      bool on_stack = false;
      for (const Running& running : running_) on_stack |= running.life == process.life.get();
      if (!on_stack) process.life->paused = false;
    }
  } else if (what < 965) {
    SomethingHappensToALog();
  } else if (what < 975) {
    SomethingHappensToADisk(process);
  } else if (what < 980) {
    const uint64_t kind = Pick(6);
    if (kind % 2 == 0 && editions.Publish(/*of_models=*/kind == 0)) Count("rules or models changed");
  } else if (what < 988) {
    const Duration longest =
        Pick(4) == 0 ? std::min<Duration>(options_.changelog_tombstones_kept, seconds(300)) : seconds(12);
    Advance(Duration(Pick(static_cast<uint64_t>(longest.count()))));
  } else {
    EndExternal(Pick(3) != 0);
  }
}

// For longer than the changelog keeps tombstones, while everybody else goes on.
void World::HoldStandby(Process& process) {
  constexpr int kParts = 30;
  const std::shared_ptr<Life> life = process.life;
  Say(absl::StrCat("the standby of ", process.name, " STANDS STILL"));
  Count("standbys that stood still for longer than tombstones are kept");
  life->standby_held = true;
  for (int part = 0; part < kParts && life->alive && failure_.empty(); ++part) {
    Advance(options_.changelog_tombstones_kept * 2 / kParts);
    for (int n = 0; n < 3 && failure_.empty(); ++n) Step();
    if (part % 5 == 4 && failure_.empty()) CompactChangelogs();
  }
  life->standby_held = false;
}

void World::SendEvents(int count) {
  for (int i = 0; i < count; ++i) {
    const std::string& customer = customers_[Pick(customers_.size())];
    const std::string& source = Sources()[Pick(Sources().size())];
    event_time_us_ += static_cast<int64_t>(Pick(1'500'000));
    if (Pick(2 * burst_) == 0) event_time_us_ += 30'000'000;  // silence
    const uint64_t lateness_us = Pick(very_late_ ? 3 : 6) != 0 ? 0 : Pick(very_late_ ? 60'000'000 : 8'000'000);
    Event event = EventFor(customer, FromMicros(event_time_us_ - static_cast<int64_t>(lateness_us)));
    event.set_event_id(absl::StrCat("e", ++sent_));
    switch (Pick(short_tombstones_ ? 6 : 20) == 0 ? 9 : Pick(4)) {
      case 9: event.mutable_customer_erased(); break;
      case 0: event.mutable_clicked(); break;
      case 1: event.mutable_order_completed(); break;
      default: event.mutable_page_viewed(); break;
    }
    LogRecord record;
    record.timestamp_us = ToMicros(clock.Now());
    record.key = customer;
    record.value = Pick(20) == 0 ? "bad" : event.SerializeAsString();
    int32_t partition = home_.at(customer);
    if (Pick(50) == 0) partition = (partition + 1) % kPartitions;  // a client with another partitioner
    Count("events");
    if (Pick(8) == 0) {
      SendExternal(source, partition, record);
    } else {
      transactions.log(source, partition).Append(std::move(record));
    }
  }
}

void World::SendExternal(const std::string& source, int32_t partition, const LogRecord& record) {
  int64_t offset = 0;
  while (true) {
    const Answer answer =
        transactions.Produce(kExternal, external_epoch_, {source, partition}, record, clock.Monotonic(), offset);
    if (answer == Answer::kOk) return;
    if (answer == Answer::kFenced) {
      while (transactions.InitProducer(kExternal, clock.Monotonic(), external_epoch_) == Answer::kRetry) {
        transactions.WriteMarkerOf(kExternal, random_(), clock.Monotonic());
      }
    }
    transactions.WriteMarkerOf(kExternal, random_(), clock.Monotonic());
  }
}

void World::EndExternal(bool commit) {
  Count(commit ? "source transactions committed" : "source transactions aborted");
  static_cast<void>(transactions.End(kExternal, external_epoch_, commit, clock.Monotonic()));
}

void World::DeliverDelayed(bool lose) {
  if (delayed_.empty()) return;
  const size_t which = Pick(delayed_.size());
  const DelayedEnd end = delayed_[which];
  delayed_.erase(delayed_.begin() + static_cast<int64_t>(which));
  if (lose) return Count("delayed EndTxn lost");
  const Answer answer = transactions.End(end.id, end.epoch, end.commit, clock.Monotonic());
  Count(answer == Answer::kOk ? "delayed EndTxn arrived in time" : "delayed EndTxn fenced");
}

void World::SomethingHappensToALog() {
  if (Pick(2) == 0) return CompactChangelogs();
  Count("sources cut by retention");
  const size_t source = Pick(Sources().size());
  for (int32_t p = 0; p < kPartitions; ++p) {
    transactions.log(Sources()[source], p).Cut(checker_->Needed(source, p));
  }
}

void World::CompactChangelogs() {
  Count("changelogs compacted");
  for (int32_t p = 0; p < kPartitions; ++p) {
    transactions.log(options_.ChangelogTopic(), p)
        .Compact(ToMicros(clock.Now()), options_.changelog_tombstones_kept.count());
  }
}

void World::SomethingHappensToADisk(Process& process) {
  if (process.life != nullptr) return;
  const auto partition = static_cast<int32_t>(Pick(kPartitions));
  switch (Pick(4)) {
    case 0:
      Count("disks wiped");
      process.disks.erase(partition);
      break;
    case 1: process.snapshots = process.disks; break;
    default:
      if (process.snapshots.empty()) {
        process.snapshots = process.disks;
        break;
      }
      Count("older disks put back");
      process.disks = process.snapshots;
  }
}

}  // namespace portrait::simulation
