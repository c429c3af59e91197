#include "tests/simulation/ports.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "pipeline/mutation.h"
#include "pipeline/partitioner.h"
#include "tests/simulation/world.h"

namespace portrait::simulation {
namespace {

struct Generation final : public GroupGeneration {
  explicit Generation(Membership m) : me(std::move(m)) {}
  const Membership me;
};

Record ViewOf(const LogRecord& stored, int32_t source, int32_t partition) {
  auto owner = std::make_shared<const LogRecord>(stored);
  Record record;
  record.source = source;
  record.partition = partition;
  record.offset = owner->offset;
  record.timestamp_us = owner->timestamp_us;
  if (owner->key) record.key = *owner->key;
  if (owner->value) record.value = *owner->value;
  for (const auto& [name, value] : owner->headers) record.headers.push_back({name, value});
  record.owner = std::move(owner);
  return record;
}

absl::Status Expired(const Place& place, int64_t offset, int64_t begin) {
  return absl::OutOfRangeError(absl::StrCat(place.first, " partition ", place.second, ": offset ", offset,
                                            " is gone, the log begins at ", begin));
}

// Whether retention has taken a record that comes next. Markers and aborted records are not missed.
bool Missed(const Log& log, int64_t next) {
  if (next >= log.begin()) return false;
  const LogRecord* missed = log.NextEver(next);
  return missed != nullptr && missed->offset < log.begin();
}

}  // namespace

// ---------------------------------------------------------------- consumer

SimulatedConsumer::SimulatedConsumer(World& world, Seat& seat) : world_(world), seat_(seat) {
  me_.instance = seat.instance;
  seat_.consumer = this;
}

SimulatedConsumer::~SimulatedConsumer() {
  if (seat_.consumer == this) seat_.consumer = nullptr;
}

void SimulatedConsumer::Heartbeat() {
  if (!closed_ && me_.member != 0) world_.group.Heartbeat(me_, world_.clock.Monotonic());
}

absl::Status SimulatedConsumer::Subscribe(const std::vector<std::string>& sources, AssignmentListener* listener) {
  sources_ = sources;
  listener_ = listener;
  world_.group.Join(me_, world_.clock.Monotonic());
  return absl::OkStatus();
}

absl::Status SimulatedConsumer::Poll(Duration timeout, size_t max_records, std::vector<Record>& records) {
  world_.At(seat_, Point::kStart);
  switch (world_.group.Look(me_)) {
    case Group::News::kFenced:
      Lose();
      return absl::FailedPreconditionError("another consumer with this instance id has joined");
    case Group::News::kUnknown:
      Lose();
      me_.member = 0;
      world_.group.Join(me_, world_.clock.Monotonic());
      return absl::OkStatus();
    case Group::News::kRebalance:
      Revoke();
      if (world_.group.Look(me_) == Group::News::kRebalance) world_.group.Join(me_, world_.clock.Monotonic());
      return absl::OkStatus();
    case Group::News::kWaiting: world_.Wait(seat_, timeout); return absl::OkStatus();
    case Group::News::kAssignment:
      if (assigned_) Lose();  // the group has moved on without this member
      return Assign();
    case Group::News::kNone: return Fetch(timeout, max_records, records);
  }
  return absl::OkStatus();
}

absl::Status SimulatedConsumer::Fetch(Duration timeout, size_t max_records, std::vector<Record>& records) {
  const size_t before = records.size();
  const size_t limit = world_.poll_limit() == 0 ? max_records : std::min(max_records, world_.poll_limit());
  for (auto& [which, position] : positions_) {
    const Place place{sources_[static_cast<size_t>(which.first)], which.second};
    const Log& log = world_.transactions.log(place.first, place.second);
    if (position.next < log.begin()) {
      if (Missed(log, position.next)) return Expired(place, position.next, log.begin());
      position.next = log.begin();
    }
    position.end = log.stable_end();
    while (records.size() - before < limit) {
      const LogRecord* next = log.Next(position.next);
      if (next == nullptr) break;
      records.push_back(ViewOf(*next, which.first, which.second));
      position.next = next->offset + 1;
    }
  }
  if (records.size() == before) {
    world_.Wait(seat_, timeout);
  } else {
    world_.At(seat_, Point::kAfterPoll);
  }
  return absl::OkStatus();
}

absl::Status SimulatedConsumer::Assign() {
  partitions_ = world_.group.Take(me_);
  generation_ = std::make_shared<Generation>(me_);
  assigned_ = true;
  positions_.clear();
  seat_.restoring = true;
  auto starts = listener_->OnAssigned(partitions_);
  seat_.restoring = false;
  if (!starts.ok()) return starts.status();
  for (const PartitionStart& start : *starts) {
    for (size_t s = 0; s < sources_.size(); ++s) {
      positions_[{static_cast<int32_t>(s), start.partition}] = {start.next_offsets[s], -1};
    }
  }
  return absl::OkStatus();
}

void SimulatedConsumer::Revoke() {
  if (assigned_ && !partitions_.empty()) {
    seat_.handing_over = true;
    listener_->OnRevoked(partitions_);
    seat_.handing_over = false;
    world_.Count("hand-overs");
  }
  assigned_ = false;
  generation_.reset();
  positions_.clear();
}

void SimulatedConsumer::Lose() {
  if (assigned_ && !partitions_.empty()) {
    generation_.reset();
    listener_->OnLost(partitions_);
    world_.Count("partitions lost by a zombie");
  }
  assigned_ = false;
  generation_.reset();
  positions_.clear();
}

absl::StatusOr<std::vector<int64_t>> SimulatedConsumer::Committed(int32_t partition, Duration timeout) {
  world_.At(seat_, Point::kRestoring);
  std::vector<int64_t> offsets;
  for (const std::string& source : sources_) {
    if (world_.transactions.offsets_pending({source, partition}) && !Mutated(Mutation::kOffsetsNotStable)) {
      world_.Count("waits for stable offsets");
      world_.Wait(seat_, timeout);
      return absl::UnavailableError("offsets of an open transaction");
    }
    offsets.push_back(world_.transactions.committed_offset({source, partition}).value_or(-1));
  }
  return offsets;
}

int64_t SimulatedConsumer::EndOffset(int32_t source, int32_t partition) {
  const auto it = positions_.find({source, partition});
  return it == positions_.end() ? -1 : it->second.end;
}

absl::Status SimulatedConsumer::Pause(int32_t, int32_t, bool) { return absl::OkStatus(); }

std::shared_ptr<const GroupGeneration> SimulatedConsumer::generation() const {
  if (Mutated(Mutation::kGenerationAskedAtCommit))
    return std::make_shared<Generation>(world_.group.Current(me_.instance));
  return generation_;
}

absl::Status SimulatedConsumer::Close() {
  if (closed_) return absl::OkStatus();
  if (world_.group.Accepts(me_)) {
    Revoke();
  } else {
    Lose();
  }
  closed_ = true;
  return absl::OkStatus();
}

// ---------------------------------------------------------------- producer

SimulatedProducer::SimulatedProducer(World& world, Seat& seat, uint64_t incarnation)
    : world_(world), seat_(seat), incarnation_(incarnation) {}

absl::Status SimulatedProducer::Init(Duration) {
  world_.At(seat_, Point::kStart);
  while (world_.transactions.InitProducer(seat_.instance, world_.clock.Monotonic(), epoch_) == Answer::kRetry) {
    world_.At(seat_, Point::kStart);
    world_.transactions.WriteMarkerOf(seat_.instance, world_.Pick(8), world_.clock.Monotonic());
  }
  return absl::OkStatus();
}

absl::Status SimulatedProducer::Begin() {
  queue_.clear();
  written_.clear();
  return absl::OkStatus();
}

absl::Status SimulatedProducer::Flush() {
  for (auto& [place, record] : std::exchange(queue_, {})) {
    int64_t offset = 0;
    while (true) {
      const Answer answer =
          world_.transactions.Produce(seat_.instance, epoch_, place, record, world_.clock.Monotonic(), offset);
      if (answer == Answer::kFenced) return absl::AbortedError("fenced");
      if (answer == Answer::kOk) break;
      world_.transactions.WriteMarkerOf(seat_.instance, world_.Pick(8), world_.clock.Monotonic());
    }
    written_[place] = offset + 1;
    world_.At(seat_, Point::kWriting);
  }
  return absl::OkStatus();
}

absl::Status SimulatedProducer::Write(const NewRecord& record) {
  const std::string topic(record.topic);
  if (!world_.transactions.has(topic)) return absl::NotFoundError(absl::StrCat("no such topic: ", topic));
  const int32_t partition = record.partition >= 0
                                ? record.partition
                                : PartitionOf(record.key.value_or(""), world_.transactions.partitions(topic));
  LogRecord stored;
  stored.timestamp_us = record.timestamp_us != 0 ? record.timestamp_us : ToMicros(world_.clock.Now());
  if (record.key) stored.key = std::string(*record.key);
  if (record.value) stored.value = std::string(*record.value);
  for (const HeaderView& header : record.headers) {
    stored.headers.emplace_back(std::string(header.name), std::string(header.value.value_or("")));
  }
  queue_.emplace_back(Place{topic, partition}, std::move(stored));
  return world_.Pick(16) == 0 ? Flush() : absl::OkStatus();
}

absl::Status SimulatedProducer::SendOffsets(const std::vector<std::string>& sources,
                                            const std::vector<PartitionStart>& offsets,
                                            const GroupGeneration& generation) {
  world_.At(seat_, Point::kBeforeOffsetsSent);
  if (world_.Pick(2) == 0) {
    if (absl::Status s = Flush(); !s.ok()) return s;
  }
  if (offsets.empty()) return absl::OkStatus();  // a real client does nothing then, silently
  if (!world_.group.Accepts(static_cast<const Generation&>(generation).me)) {
    world_.Count("commits refused by the group's generation");
    return absl::AbortedError("the group has moved on");
  }
  std::map<Place, int64_t> sent;
  for (const PartitionStart& start : offsets) {
    for (size_t s = 0; s < sources.size(); ++s) sent[{sources[s], start.partition}] = start.next_offsets[s];
  }
  while (true) {
    const Answer answer = world_.transactions.SendOffsets(seat_.instance, epoch_, sent, world_.clock.Monotonic());
    if (answer == Answer::kFenced) return absl::AbortedError("fenced");
    if (answer == Answer::kOk) break;
    world_.transactions.WriteMarkerOf(seat_.instance, world_.Pick(8), world_.clock.Monotonic());
  }
  world_.At(seat_, Point::kAfterOffsetsSent);
  return absl::OkStatus();
}

CommitOutcome SimulatedProducer::Commit(Duration timeout) {
  if (!Flush().ok()) return CommitOutcome::kFenced;
  const World::EndFault fault = world_.NextEndFault();
  if (fault == World::EndFault::kAborted) {
    if (world_.transactions.End(seat_.instance, epoch_, false, world_.clock.Monotonic()) == Answer::kFenced) {
      return CommitOutcome::kFenced;
    }
    return CommitOutcome::kAborted;
  }
  if (fault == World::EndFault::kDelayed || fault == World::EndFault::kLost) {
    if (fault == World::EndFault::kDelayed) world_.Delay({seat_.instance, epoch_, true});
    world_.At(seat_, Point::kEndSent);
    world_.Wait(seat_, world_.Pick(2) == 0 ? timeout : timeout / 50);
    return CommitOutcome::kUnknown;
  }
  const Answer answer = world_.transactions.End(seat_.instance, epoch_, true, world_.clock.Monotonic());
  world_.At(seat_, Point::kEndSent);
  if (answer == Answer::kFenced) return CommitOutcome::kFenced;
  if (fault == World::EndFault::kAnswerLost) {
    world_.Wait(seat_, timeout / 50);
    return CommitOutcome::kUnknown;
  }
  world_.At(seat_, Point::kEndAnswered);
  return CommitOutcome::kCommitted;
}

absl::Status SimulatedProducer::Abort(Duration) {
  world_.At(seat_, Point::kWriting);
  if (world_.transactions.End(seat_.instance, epoch_, false, world_.clock.Monotonic()) == Answer::kFenced) {
    return absl::AbortedError("fenced");
  }
  return absl::OkStatus();
}

int64_t SimulatedProducer::WrittenEnd(std::string_view topic, int32_t partition) const {
  const auto it = written_.find({std::string(topic), partition});
  return it == written_.end() ? -1 : it->second;
}

// ---------------------------------------------------------------- reader

namespace {

class Cursor final : public LogCursor {
 public:
  Cursor(World& world, Seat* seat, Place place, int64_t from, int64_t end)
      : world_(world), seat_(seat), place_(std::move(place)), next_(from), end_(end) {}

  absl::StatusOr<std::optional<Record>> Next(Duration timeout) override {
    if (seat_ != nullptr) world_.At(*seat_, Point::kRestoring);
    const Log& log = world_.transactions.log(place_.first, place_.second);
    if (Missed(log, next_)) return Expired(place_, next_, log.begin());
    const LogRecord* record = next_ < end_ ? log.Next(next_) : nullptr;
    if (record != nullptr && record->offset < end_) {
      next_ = record->offset + 1;
      return ViewOf(*record, 0, place_.second);
    }
    if (next_ < end_ && log.stable_end() < end_) {
      world_.Count("waits for the end of a log");
      next_ = std::max(next_, log.stable_end());
      if (seat_ != nullptr) world_.Wait(*seat_, timeout);
      return absl::UnavailableError("an open transaction");
    }
    return std::nullopt;
  }

 private:
  World& world_;
  Seat* seat_;
  Place place_;
  int64_t next_, end_;
};

}  // namespace

absl::StatusOr<LogRange> SimulatedReader::Range(std::string_view topic, int32_t partition, Duration) {
  if (seat_ != nullptr) world_.At(*seat_, Point::kRestoring);
  if (world_.BrokerIsAway()) return absl::UnavailableError("the brokers do not answer");
  const Log& log = world_.transactions.log(std::string(topic), partition);
  return LogRange{log.begin(), Mutated(Mutation::kEndIsStableEnd) ? log.stable_end() : log.end()};
}

absl::StatusOr<std::unique_ptr<LogCursor>> SimulatedReader::Open(std::string_view topic, int32_t partition,
                                                                 int64_t from, int64_t end) {
  const Place place{std::string(topic), partition};
  const int64_t begin = world_.transactions.log(place.first, place.second).begin();
  if (from < begin) return Expired(place, from, begin);
  return std::make_unique<Cursor>(world_, seat_, place, from, end);
}

// ---------------------------------------------------------------- trimmer

absl::Status SimulatedTrimmer::Trim(const std::string& topic, int32_t partition, int64_t below) {
  world_.At(seat_, Point::kJournalCut);
  if (world_.Pick(4) != 0) {
    world_.Count("journals cut");
    world_.transactions.log(topic, partition).Cut(below);
  }
  world_.At(seat_, Point::kJournalCut);
  return absl::OkStatus();
}

// ---------------------------------------------------------------- store and decoder

SimulatedStore::SimulatedStore(World& world, Life& life, int32_t partition)
    : MemoryRowStore(&world.disk(life.process, partition)), world_(world), life_(life), partition_(partition) {
  ++life_.open_stores[partition_];
}

SimulatedStore::~SimulatedStore() { --life_.open_stores[partition_]; }

absl::StatusOr<std::optional<std::string>> SimulatedStore::Get(std::string_view customer_id) {
  world_.AtStore(Point::kApplying);
  return MemoryRowStore::Get(customer_id);
}

absl::Status SimulatedStore::Write(const RowBatch& batch) {
  world_.AtStore(Point::kBeforeRowsWritten);
  absl::Status written = MemoryRowStore::Write(batch);
  if (written.ok() && world_.Pick(8) == 0) written = MemoryRowStore::Flush();  // as a full memtable would
  world_.AtStore(Point::kAfterRowsWritten);
  return written;
}

absl::StatusOr<std::vector<GroupMember>> SimulatedMembers::Describe(Duration) {
  if (world_.BrokerIsAway()) return absl::UnavailableError("the brokers do not answer");
  std::vector<GroupMember> members;
  for (const std::string& instance : world_.group.instances()) {
    members.push_back({instance, world_.group.partitions(instance), ""});
  }
  return members;
}

std::optional<Rejection> PlainDecoder::Decode(const Record& record, const SourceOptions&, Event& event) {
  const std::string_view value = record.value.value_or("bad");
  if (value == "bad" || !event.ParseFromArray(value.data(), static_cast<int>(value.size()))) {
    return Rejection{"bad", "not an event"};
  }
  return std::nullopt;
}

// ---------------------------------------------------------------- the ports of a life

Life::Life(World& its_world, int its_process, const std::string& name, int workers, bool with_standby)
    : world(its_world),
      process(its_process),
      editions(its_world.editions, its_world.Pick(its_world.editions.size())),
      seats(static_cast<size_t>(workers)) {
  for (int i = 0; i < workers; ++i) {
    Seat& seat = seats[static_cast<size_t>(i)];
    seat.life = this;
    seat.number = i;
    seat.instance = absl::StrCat(name, "-worker-", i);
    seat.worker = std::make_unique<Worker>(i, editions, world.options(), *this, world.metrics());
  }
  if (!with_standby) return;
  const EngineOptions& options = world.options();
  standby =
      std::make_unique<Standby>(Standby::Options{.process = name,
                                                 .partitions = World::kPartitions,
                                                 .replicas = 1,
                                                 .changelog = options.ChangelogTopic(),
                                                 .journal = options.JournalTopic(),
                                                 .tombstones_kept = options.changelog_tombstones_kept},
                                Standby::Ports{.reader = std::make_unique<SimulatedReader>(world, nullptr),
                                               .members = std::make_unique<SimulatedMembers>(world),
                                               .clock = &world.clock,
                                               .open_store = [this](int32_t partition) { return OpenDisk(partition); }},
                                world.metrics());
}

int32_t Life::partitions() const { return World::kPartitions; }

absl::StatusOr<std::unique_ptr<GroupConsumer>> Life::NewConsumer(int worker) {
  return std::make_unique<SimulatedConsumer>(world, seats[static_cast<size_t>(worker)]);
}

absl::StatusOr<std::unique_ptr<TransactionalProducer>> Life::NewProducer(int worker) {
  return std::make_unique<SimulatedProducer>(world, seats[static_cast<size_t>(worker)], world.NewIncarnation());
}

absl::StatusOr<std::unique_ptr<LogReader>> Life::NewReader(int worker) {
  return std::make_unique<SimulatedReader>(world, &seats[static_cast<size_t>(worker)]);
}

absl::StatusOr<std::unique_ptr<LogTrimmer>> Life::NewTrimmer(int worker) {
  return std::make_unique<SimulatedTrimmer>(world, seats[static_cast<size_t>(worker)]);
}

absl::StatusOr<std::unique_ptr<RowStore>> Life::OpenDisk(int32_t partition) {
  if (open_stores[partition] > 0) {
    return absl::FailedPreconditionError(absl::StrCat("partition ", partition, " is open already"));
  }
  return std::make_unique<SimulatedStore>(world, *this, partition);
}

absl::StatusOr<std::unique_ptr<RowStore>> Life::OpenStore(int32_t partition) {
  const bool open = open_stores[partition] > 0;
  auto store = standby ? standby->OpenStore(partition) : OpenDisk(partition);
  if (open && store.ok()) world.Count("standbys' rows taken over");
  if (absl::IsFailedPrecondition(store.status())) return absl::UnavailableError(store.status().message());
  return store;
}

std::unique_ptr<EventDecoder> Life::NewDecoder() { return std::make_unique<PlainDecoder>(); }
const Clock& Life::clock() const { return world.clock; }

}  // namespace portrait::simulation
