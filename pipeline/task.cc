#include "pipeline/task.h"

#include <algorithm>
#include <utility>

#include "pipeline/mutation.h"
namespace portrait {
namespace {

// Decoded at once. Few enough that records, events and the rows that are fetched for them stay in the processor's own
// cache until they are used; many enough that the fetching of one row overlaps with that of others.
constexpr int kDecodedAtOnce = 32;
constexpr size_t kStepsBetweenSweeps = 256;  // while there is a backlog
constexpr int kInputsForARow = 4;            // while more timers are due than fire at once
constexpr Duration kLive = seconds(60);      // an input as young as this has somebody waiting for what comes of it
constexpr Duration kTickInterval = seconds(1);
constexpr Duration kAsOfInterval = seconds(600);

// What a record takes in memory until it is applied, about: itself, librdkafka's message, key and value.
size_t BytesOf(const Record& record) {
  constexpr size_t kMessage = 320;
  return sizeof(Record) + kMessage + record.key.value_or(std::string_view()).size() +
         record.value.value_or(std::string_view()).size();
}

std::vector<std::string> TopicsOf(const EngineOptions& options) {
  std::vector<std::string> topics;
  topics.reserve(options.sources.size());
  for (const SourceOptions& source : options.sources) topics.push_back(source.topic);
  return topics;
}

}  // namespace

Task::Task(int32_t partition, int32_t partitions, ChainCatalog& chains, const EngineOptions& options,
           EventDecoder& decoder, std::unique_ptr<RowStore> store, size_t cache_bytes)
    : partition_(partition),
      chains_(chains),
      options_(options),
      topics_(TopicsOf(options)),
      waiting_(options.sources.size()),
      intake_(chains.base(), options, decoder, partitions),
      merge_(options.sources.size(), options.merge_wait),
      rows_(chains.base(), std::move(store), cache_bytes),
      applier_(chains.base(), options, rows_, emitter_),
      log_(options.sources.size()) {}

void Task::Start(TaskPosition position) {
  position_ = std::move(position);
  committed_step_ = last_committed_ = position_.last_step;
  before_ = position_.state;
  applier_.set_state(position_.state);
  applier_.counts() = {};
  for (Waiting& waiting : waiting_) {
    waiting.records.clear();
    waiting.bytes = 0;
  }
  merge_.Start(position_.next_offsets, position_.known_ends);
}

void Task::Add(Record record) {
  Waiting& waiting = waiting_[static_cast<size_t>(record.source)];
  waiting.bytes += BytesOf(record);
  waiting.records.push_back(std::move(record));
}

// The merge compares times, so it gets the next inputs of every source that has records.
void Task::DecodeNext() {
  decoded_.clear();
  int64_t highest_us = INT64_MIN;
  for (size_t source = 0; source < waiting_.size(); ++source) {
    Waiting& waiting = waiting_[source];
    if (!merge_.empty(source) || waiting.records.empty()) continue;
    waiting.events.Reset();
    for (int n = 0; n < kDecodedAtOnce && !waiting.records.empty(); ++n) {
      waiting.bytes -= BytesOf(waiting.records.front());
      Input input = intake_.Take(std::move(waiting.records.front()), waiting.events);
      waiting.records.pop_front();
      if (!input.rejection) {
        decoded_.push_back(RowKey(*input.event));
        highest_us = std::max(highest_us, input.event->event_time_us());
      }
      merge_.Push(source, std::move(input));
    }
  }
  if (decoded_.empty()) return;
  AddDue(highest_us);
  rows_.Prefetch(decoded_);
}

// The customers whose timers these inputs make due.
void Task::AddDue(int64_t highest_us) {
  due_.clear();
  const auto before = JustAfter(highest_us - options_.allowed_lateness.count());
  rows_.timers().VisitBelow(before, kDecodedAtOnce, [&](std::string_view customer) { due_.emplace_back(customer); });
  decoded_.insert(decoded_.end(), due_.begin(), due_.end());
}

absl::Status Task::ApplyNext(Duration now, Timestamp wall) {
  const Input& input = merge_.First();
  live_ = options_.clock == ClockMode::kWall && wall - FromMicros(input.record.timestamp_us) < kLive;
  const auto source = static_cast<size_t>(input.record.source);
  if (absl::Status s = applier_.Input(++position_.last_step, input, 0, now); !s.ok()) return s;
  log_.Input(source, input.record.offset);
  position_.next_offsets[source] = input.record.offset + 1;
  merge_.Pop();
  return absl::OkStatus();
}

absl::StatusOr<bool> Task::FireDue(Duration now) {
  const auto mark = applier_.watermark();
  if (!mark || rows_.timers().NotBeforeUs() > ToMicros(*mark)) return false;
  auto bound = applier_.FireDue(position_.last_step + 1, options_.rows_fired_at_once, now);
  if (!bound.ok()) return bound.status();
  if (!bound->has_value()) return false;
  ++position_.last_step;
  log_.Firing(**bound);
  inputs_first_ = InStorm() ? kInputsForARow * options_.rows_fired_at_once : 0;
  return true;
}

// At midnight, or at a moment that a rule names. Were all of them to fire before the next input, everybody who is awake
// would wait for those who sleep. Nobody's own timers come late by it: they fire before his next event.
bool Task::InStorm() const { return live_ && rows_.timers().NotBeforeUs() <= ToMicros(*applier_.watermark()); }

absl::Status Task::UseEdition(std::string_view rules, int64_t control_position) {
  auto edition = chains_.Find(rules, control_position);
  if (!edition.ok()) return edition.status();
  edition_ = *std::move(edition);
  applier_.UseChain(*edition_->chain);
  return absl::OkStatus();
}

// Editions count up: a process that has not heard of the latest one goes on with what the journal says.
void Task::FollowEdition() {
  auto current = chains_.current();
  const v1::TaskState& state = applier_.state();
  if (current->control_position <= state.control_position() && !Mutated(Mutation::kSwitchesBack)) return;
  if (current->control_position == state.control_position()) return;
  edition_ = std::move(current);
  v1::Switch to;
  to.set_rules(edition_->rules);
  to.set_control_position(edition_->control_position);
  to.set_shadow(edition_->shadow);
  to.set_models(edition_->models);
  to.set_models_shadow(edition_->models_shadow);
  applier_.Switch(*edition_->chain, to);
  if (Mutated(Mutation::kSwitchNotJournalled)) return;
  ++position_.last_step;
  log_.Switch(std::move(to));
}

absl::Status Task::Sweep(Duration now) {
  auto bound = applier_.SweepSome(position_.last_step + 1, static_cast<size_t>(options_.rows_swept_at_once), now);
  if (!bound.ok()) return bound.status();
  ++position_.last_step;
  log_.Sweep(*std::move(bound));
  return absl::OkStatus();
}

bool Task::Tick(Timestamp wall) {
  if (options_.clock != ClockMode::kWall) return false;
  if (wall - FromMicros(applier_.state().last_tick_us()) < kTickInterval) return false;
  applier_.Tick(ToMicros(wall));
  if (Mutated(Mutation::kTickNotJournalled)) return true;
  ++position_.last_step;
  log_.Tick(ToMicros(wall));
  return true;
}

absl::StatusOr<Task::Progress> Task::Advance(size_t max_steps, Duration now, Timestamp wall,
                                             const Merge::EndOffset& end_offset) {
  FollowEdition();
  bool swept = false;
  // Timers fire after the step that made them due, before the next input, or so many inputs later; so the order follows
  // from the input alone while there is a backlog, and only an idle task fires more at a time of its own choice.
  for (size_t n = 0; n < max_steps; ++n) {
    DecodeNext();
    const Merge::State state = merge_.Look(now, end_offset);
    const bool sweeping = applier_.state().sweeping();
    if (state == Merge::State::kWaiting && !sweeping) return Progress::kWaiting;
    if (state == Merge::State::kReady) {
      if (absl::Status s = ApplyNext(now, wall); !s.ok()) return s;
      if (inputs_first_ > 0 && --inputs_first_ > 0) continue;
      if (auto fired = FireDue(now); !fired.ok()) return fired.status();
      continue;
    }
    auto fired = FireDue(now);
    if (!fired.ok()) return fired.status();
    if (*fired && InStorm()) return Progress::kSweeping;  // look for inputs first
    if (*fired || (state != Merge::State::kWaiting && Tick(wall))) continue;
    if (!sweeping) return Progress::kIdle;
    if (swept) return Progress::kSweeping;
    if (absl::Status s = Sweep(now); !s.ok()) return s;
    swept = true;
  }
  since_sweep_ = swept ? 0 : since_sweep_ + std::min(max_steps, kStepsBetweenSweeps);
  if (applier_.state().sweeping() && since_sweep_ >= kStepsBetweenSweeps) {
    if (absl::Status s = SweepBesideBacklog(now); !s.ok()) return s;
  }
  return Progress::kBusy;
}

// A backlog does not keep new rules from the silent; but timers that are due come first.
absl::Status Task::SweepBesideBacklog(Duration now) {
  auto fired = FireDue(now);
  if (!fired.ok()) return fired.status();
  if (*fired) return absl::OkStatus();
  since_sweep_ = 0;
  return Sweep(now);
}

TaskCommit Task::Freeze(v1::EntryId id, Duration now, bool hand_over, const std::function<void()>& between) {
  TaskCommit commit;
  v1::JournalEntry& entry = commit.entry;
  *entry.mutable_id() = std::move(id);
  entry.set_lineage(position_.lineage);
  entry.set_first(committed_step_ + 1);
  entry.set_last(position_.last_step);
  log_.MoveTo(entry, topics_, position_.next_offsets);
  if (!Mutated(Mutation::kStateBeforeNotJournalled)) *entry.mutable_before() = before_;
  *entry.mutable_after() = applier_.state();
  entry.set_chain_version(chains_.base().version());
  for (v1::Witness& witness : rows_.TakeWitnesses(entry.first())) *entry.add_witnesses() = std::move(witness);
  commit.images = rows_.TakeImages({options_.commit_interval, options_.checkpoint_interval, hand_over}, now, between);
  rows_.TakeRemovals(Mutated(Mutation::kRemovedAtOnce) ? UINT64_MAX : position_.journal.floor(), commit.images);
  entry.set_floor(Mutated(Mutation::kFloorIsEnd) ? entry.last() + 1 : rows_.Floor(entry.last()));
  if (Mutated(Mutation::kRowsBeforeCommit)) {
    const auto staged = rows_.Stage(commit.images, Meta(Timestamp(now)));
    static_cast<void>(rows_.Write(staged));
    rows_.Settle(staged);
  }
  Emitter::Taken outputs = emitter_.Take();
  entry.set_output_digest(outputs.digest);
  entry.set_outputs(outputs.count);
  commit.outputs = std::move(outputs.batch);
  commit.next_offsets = position_.next_offsets;
  before_ = position_.state = applier_.state();
  committed_step_ = position_.last_step;
  position_.last_entry = entry.id();
  return commit;
}

v1::StoreMeta Task::Meta(Timestamp wall) const {
  v1::StoreMeta meta;
  meta.set_lineage(position_.lineage);
  meta.set_changelog_position(position_.changelog_position);
  meta.set_as_of_us(ToMicros(wall));
  meta.set_last_committed_step(committed_step_);
  return meta;
}

std::optional<RowSet::Staged> Task::Stage(TaskCommit commit, const WrittenEnds& ends, Timestamp wall) {
  last_committed_ = commit.entry.last();
  position_.journal.Add(commit.entry.last(), commit.entry.floor(), ends.journal - 1);
  // Without images the meta may lag behind, but not so far that the store would be taken for an old one.
  if (commit.images.empty() && wall - stored_as_of_ < kAsOfInterval) return std::nullopt;
  if (!commit.images.empty() && ends.changelog >= 0) position_.changelog_position = ends.changelog;
  stored_as_of_ = wall;
  return rows_.Stage(std::move(commit.images), Meta(wall));
}

}  // namespace portrait
