// The second half of a recovery: the journal's tail is applied again, and what comes out is compared with what it says.
#include <algorithm>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "google/protobuf/util/message_differencer.h"
#include "pipeline/mutation.h"
#include "pipeline/recovery.h"
#include "pipeline/recovery_calls.h"

namespace portrait {

// Feeds the records of the entries' source ranges to the task in the order of the journal.
class Recovery::Replay final : public StepVisitor {
 public:
  Replay(Recovery& recovery, uint64_t floor)
      : recovery_(recovery), task_(recovery.task_), floor_(floor), sources_(task_.topics_.size()) {}

  absl::Status Open(const std::vector<v1::JournalEntry>& tail) {
    for (size_t s = 0; s < sources_.size(); ++s) {
      int64_t from = -1, end = -1;
      for (const v1::JournalEntry& entry : tail) {
        if (s >= static_cast<size_t>(entry.sources_size()) ||
            entry.sources(static_cast<int>(s)).topic() != task_.topics_[s]) {
          return absl::FailedPreconditionError(absl::StrCat(
              "the sources differ from those of the journal's tail: source ", s, " is ", task_.topics_[s]));
        }
        const auto& range = entry.sources(static_cast<int>(s));
        if (range.count() == 0) continue;
        if (from < 0) from = range.first_offset();
        end = range.last_offset() + 1;
      }
      if (from < 0) continue;
      auto cursor = recovery_.ports_.reader.Open(task_.topics_[s], task_.partition_, from, end);
      if (!cursor.ok()) {
        return Annotated(cursor.status(), absl::StrCat("the input to replay is gone: ", task_.topics_[s], " partition ",
                                                       task_.partition_, " offsets ", from, "..", end - 1));
      }
      sources_[s].cursor = *std::move(cursor);
    }
    return absl::OkStatus();
  }

  absl::Status Run(const v1::JournalEntry& entry) {
    entry_ = &entry;
    for (Source& source : sources_) source.taken = 0;
    return VisitSteps(entry, *this);
  }

  absl::Status OnInput(uint64_t step, size_t source) override {
    Source& from = sources_[source];
    if (from.inputs.empty()) {
      if (absl::Status s = FetchAhead(source); !s.ok()) return s;
    }
    absl::Status applied = task_.applier_.Input(step, from.inputs.front(), floor_, Now());
    from.inputs.pop_front();
    return applied;
  }

  absl::Status OnTick(uint64_t, int64_t time_us) override {
    task_.applier_.Tick(time_us);
    return absl::OkStatus();
  }

  absl::Status OnFiring(uint64_t step, const TimerHint& bound) override {
    return task_.applier_.FireUpTo(step, bound, floor_, Now());
  }

  absl::Status OnSwitch(uint64_t, const v1::Switch& to) override {
    if (absl::Status s = task_.UseEdition(to.rules(), to.control_position()); !s.ok()) return s;
    task_.applier_.Switch(*task_.edition_->chain, to);
    return absl::OkStatus();
  }

  absl::Status OnSweep(uint64_t step, const v1::Sweep& bound) override {
    return task_.applier_.SweepUpTo(step, bound, floor_, Now());
  }

 private:
  struct Source {
    std::unique_ptr<LogCursor> cursor;
    uint64_t taken = 0;  // of the entry's records, those ahead included
    Fifo<Input> inputs;
    EventArena events;
  };

  Duration Now() const { return recovery_.ports_.clock.Monotonic(); }

  // The entry's next records of this source, and their rows, as a live task does it.
  absl::Status FetchAhead(size_t source) {
    constexpr uint64_t kAtOnce = 32;
    Source& from = sources_[source];
    const auto& range = entry_->sources(static_cast<int>(source));
    const uint64_t left = range.count() - std::min(range.count(), from.taken);
    from.events.Reset();
    soon_.clear();
    for (uint64_t n = std::clamp<uint64_t>(left, 1, kAtOnce); n > 0; --n) {
      auto record = from.cursor ? recovery_.Patiently([&](Duration d) { return from.cursor->Next(d); })
                                : absl::StatusOr<std::optional<Record>>(std::nullopt);
      if (!record.ok()) return record.status();
      const uint64_t taken = ++from.taken;
      const bool fits = record->has_value() && (taken != 1 || (*record)->offset == range.first_offset()) &&
                        (taken != range.count() || (*record)->offset == range.last_offset()) && taken <= range.count();
      if (!fits) {
        return absl::OutOfRangeError(absl::StrCat(
            "the input differs from what was applied: ", range.topic(), " partition ", task_.partition_, " offsets ",
            range.first_offset(), "..", range.last_offset(), " held ", range.count(), " records, record ", taken,
            record->has_value() ? absl::StrCat(" is now at ", (*record)->offset) : absl::StrCat(" is gone"),
            " (compacted or expired?)"));
      }
      (*record)->source = static_cast<int32_t>(source);
      Input input = task_.intake_.Take(**std::move(record), from.events);
      if (!input.rejection) soon_.push_back(RowKey(*input.event));
      from.inputs.push_back(std::move(input));
    }
    task_.rows_.Prefetch(soon_);
    return absl::OkStatus();
  }

  Recovery& recovery_;
  Task& task_;
  uint64_t floor_;
  std::vector<Source> sources_;
  std::vector<std::string_view> soon_;  // customers whose rows will be used soon
  const v1::JournalEntry* entry_ = nullptr;
};

absl::Status Recovery::ReplayTail(const std::vector<v1::JournalEntry>& tail) {
  const v1::JournalEntry& last = tail.back();
  auto highest = task_.rows_.Load(last.last());
  if (!highest.ok()) return highest.status();
  highest_ = *highest;
  const uint64_t floor = last.floor();
  position_.last_step = last.last();
  position_.state = last.after();
  if (floor <= last.last()) {
    for (const v1::JournalEntry& entry : tail) {
      if (entry.first() <= entry.last() && !Replays(entry.chain_version())) {
        return absl::FailedPreconditionError(absl::StrCat(
            "the journal's tail was written by another version: ", entry.chain_version(), ", this is ",
            task_.chains_.base().version(),
            "; start the old version once and stop it cleanly, then this one replays nothing. Or accept that this one "
            "computes those steps anew, by --replay-tail-of ",
            entry.chain_version()));
      }
    }
    Replay replay(*this, floor);
    if (absl::Status s = replay.Open(tail); !s.ok()) return s;
    const v1::TaskState& start = Mutated(Mutation::kReplayInStateAfter) ? tail.front().after() : tail.front().before();
    if (absl::Status s = UseEditionOf(start); !s.ok()) return s;
    task_.applier_.set_state(start);
    task_.emitter_.Discard(true);
    for (const v1::JournalEntry& entry : tail) {
      if (absl::Status s = ReplayEntry(entry, floor, replay); !s.ok())
        return Annotated(s, absl::StrCat("replay of ", EntryName(entry)));
      progress_->Replayed(report_.steps_replayed);
    }
    task_.emitter_.Discard(false);
  } else if (absl::Status s = UseEditionOf(last.after()); !s.ok()) {
    return s;
  }
  // Sources may come and go between two runs when there is no tail: each goes on where the journal left it.
  for (const std::string& topic : task_.topics_) {
    if (const auto* source = SourceOf(last, topic)) {
      position_.next_offsets.push_back(source->next_offset());
      continue;
    }
    auto range = RangeOf(topic);
    if (!range.ok()) return Annotated(range.status(), absl::StrCat("reading the range of ", topic));
    position_.next_offsets.push_back(range->begin);
  }
  return absl::OkStatus();
}

absl::Status Recovery::UseEditionOf(const v1::TaskState& state) {
  return Patiently([&](Duration) { return task_.UseEdition(state.rules(), state.control_position()); });
}

bool Recovery::Replays(const std::string& chain_version) const {
  return chain_version == task_.chains_.base().version() || chain_version == task_.options_.replay_tail_of;
}

absl::Status Recovery::ReplayEntry(const v1::JournalEntry& entry, uint64_t floor, Replay& replay) {
  task_.applier_.clear_skipped();
  if (absl::Status s = replay.Run(entry); !s.ok()) return s;
  report_.steps_replayed += entry.last() + 1 - entry.first();
  return CheckEntry(entry, floor);
}

absl::Status Recovery::CheckEntry(const v1::JournalEntry& entry, uint64_t floor) {
  const auto outputs = task_.emitter_.Take();
  if (!google::protobuf::util::MessageDifferencer::Equals(task_.applier_.state(), entry.after())) {
    return absl::DataLossError(absl::StrCat("the task's state differs: replayed ",
                                            task_.applier_.state().ShortDebugString(), ", journal ",
                                            entry.after().ShortDebugString()));
  }
  // Another version may compute other rows and results, and somebody has said that this is well.
  if (entry.chain_version() != task_.chains_.base().version()) return absl::OkStatus();
  for (const v1::Witness& witness : entry.witnesses()) {
    if (absl::Status s = CheckWitness(entry, witness); !s.ok()) return s;
  }
  // A row that is ahead no longer shows the timers it fired: only a store wholly below the entry can be compared.
  if (entry.first() < floor || (highest_ >= entry.first() && !Mutated(Mutation::kDigestWhenNoSkipSeen)) ||
      task_.applier_.skipped())
    return absl::OkStatus();
  ++report_.digests_compared;
  if (Mutated(Mutation::kSelfChecksOff)) return absl::OkStatus();
  if (outputs.digest == entry.output_digest() && outputs.count == entry.outputs()) return absl::OkStatus();
  return absl::DataLossError(
      absl::StrCat("the results differ: replayed ", outputs.count, ", journal ", entry.outputs()));
}

absl::Status Recovery::CheckWitness(const v1::JournalEntry& entry, const v1::Witness& witness) {
  auto row = task_.rows_.Get(witness.customer_id());
  if (!row.ok()) return row.status();
  if ((*row)->number != witness.number() || (*row)->dirty_from == 0) return absl::OkStatus();  // ahead, or not replayed
  ++report_.witnesses_compared;
  if (Mutated(Mutation::kSelfChecksOff)) return absl::OkStatus();
  if (task_.rows_.Checksum(**row) == witness.checksum()) return absl::OkStatus();
  return absl::DataLossError(absl::StrCat("a row differs at step ", witness.number(), " of ", EntryName(entry)));
}

}  // namespace portrait
