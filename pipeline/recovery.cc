#include "pipeline/recovery.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>

#include "absl/random/random.h"
#include "absl/strings/str_cat.h"
#include "google/protobuf/util/message_differencer.h"
#include "pipeline/changelog_follower.h"
#include "pipeline/log.h"
#include "pipeline/mutation.h"
#include "pipeline/recovery_calls.h"
#include "pipeline/store_judgement.h"

namespace portrait {
namespace {

constexpr Duration kReadable = std::chrono::milliseconds(300);  // what can be read of a log has come within this

}  // namespace

std::string Recovery::NewLineage() {
  absl::BitGen random;
  return absl::StrCat(absl::Hex(absl::Uniform<uint64_t>(random), absl::kZeroPad16));
}

absl::StatusOr<Recovery::Ends> Recovery::ReadEnds() {
  Ends ends;
  auto committed = Patiently([&](Duration d) { return ports_.consumer.Committed(task_.partition_, d); });
  if (!committed.ok()) return Annotated(committed.status(), "reading the committed offsets");
  ends.committed = *std::move(committed);
  ends.asked = ports_.clock.Now();
  const auto journal = RangeOf(task_.options_.JournalTopic());
  if (!journal.ok()) return Annotated(journal.status(), "reading the end of the journal");
  const auto changelog = RangeOf(task_.options_.ChangelogTopic());
  if (!changelog.ok()) return Annotated(changelog.status(), "reading the end of the changelog");
  ends.journal = *journal;
  ends.changelog = *changelog;
  return ends;
}

absl::StatusOr<RecoveryReport> Recovery::Run(const std::function<void(double)>& progress) {
  progress_.emplace(ports_.clock, task_.partition_, progress);
  Duration mark = ports_.clock.Monotonic();
  const auto lap = [&] {
    const Duration now = ports_.clock.Monotonic();
    return now - std::exchange(mark, now);
  };
  const auto ends = ReadEnds();
  if (!ends.ok()) return ends.status();
  auto tail = ReadTail(ends->journal);
  if (!tail.ok()) return Annotated(tail.status(), "reading the journal");
  report_.reading = lap();
  if (tail->empty()) {
    if (absl::Status s = StartHistory(ends->committed, ends->changelog); !s.ok()) return s;
  } else {
    const v1::JournalEntry& last = tail->back();
    if (absl::Status s = OpenStore(last.lineage(), ends->changelog); !s.ok()) return s;
    progress_->Expect(static_cast<uint64_t>(ends->changelog.end - position_.changelog_position),
                      last.last() < last.floor() ? 0 : last.last() + 1 - last.floor());
    if (absl::Status s = RestoreRows(*ends, last.last()); !s.ok()) return s;
    report_.restoring = lap();
    if (absl::Status s = ReplayTail(*tail); !s.ok()) return s;
    report_.replaying = lap();
    if (absl::Status s = CheckOffsets(last, ends->committed); !s.ok()) return s;
    position_.last_entry = last.id();
  }
  position_.known_ends = KnownEnds();
  task_.Start(position_);
  return report_;
}

absl::StatusOr<bool> Recovery::Resume() {
  const TaskPosition& kept = task_.position();
  if (task_.HasSteps() || task_.rows().dirty() > 0 || kept.last_entry.number() == 0) return false;
  const auto ends = ReadEnds();
  if (!ends.ok()) return ends.status();
  const auto tail = ReadTail(ends->journal);
  if (!tail.ok()) return Annotated(tail.status(), "reading the journal");
  position_ = kept;
  if (tail->empty()) return false;
  const v1::JournalEntry& last = tail->back();
  if (!google::protobuf::util::MessageDifferencer::Equals(last.id(), position_.last_entry)) return false;
  if (last.last() != position_.last_step || last.lineage() != position_.lineage) {
    return absl::DataLossError(absl::StrCat("a task differs from its own last entry: step ", position_.last_step,
                                            ", journal ", last.last(), ", lineage ", position_.lineage, ", journal ",
                                            last.lineage()));
  }
  if (absl::Status s = CheckOffsets(last, ends->committed); !s.ok()) return s;
  position_.known_ends = KnownEnds();
  task_.Start(position_);
  return true;
}

// A dead owner's open transaction holds back its offsets and the ends of the logs until it times out. This process has
// the partition now, so that transaction can only be aborted: it need not be waited for. The journal's last entry that
// can be read says who it was. If the owner lives after all, it only begins anew: fencing it is as if its transaction
// had timed out.
void Recovery::EndPredecessorsTransaction() {
  if (!ports_.end_transaction_of || asked_predecessor_) return;
  const std::string topic = task_.options_.JournalTopic();
  const auto range = ports_.reader.Range(topic, task_.partition_, kRecoveryPatience);
  if (!range.ok()) return;
  auto cursor = ports_.reader.Open(topic, task_.partition_, std::max(range->begin, range->end - 64), range->end);
  if (!cursor.ok()) return;
  v1::JournalEntry last;
  while (true) {
    const auto record = (*cursor)->Next(kReadable);
    if (!record.ok() || !record->has_value()) break;
    const auto value = (*record)->value.value_or(std::string_view());
    if (!last.ParseFromArray(value.data(), static_cast<int>(value.size()))) return;
  }
  if (last.id().transactional_id().empty()) return;  // nothing can be read
  asked_predecessor_ = true;
  ports_.end_transaction_of(last.id().transactional_id());
}

// How far the sources are known to reach: a task does not go on with one source while another has older events.
std::vector<int64_t> Recovery::KnownEnds() {
  std::vector<int64_t> ends;
  ends.reserve(task_.topics_.size());
  for (const std::string& topic : task_.topics_) {
    auto source = RangeOf(topic);
    ends.push_back(source.ok() ? source->end : -1);
  }
  return ends;
}

absl::StatusOr<LogRange> Recovery::RangeOf(const std::string& topic) {
  return Patiently([&](Duration d) { return ports_.reader.Range(topic, task_.partition_, d); });
}

// Only the entry that holds the floor and those after it are needed; so the journal is read from near its end, further
// back until that entry is found.
absl::StatusOr<std::vector<v1::JournalEntry>> Recovery::ReadTail(LogRange journal) {
  for (int64_t back = 64;; back *= 8) {
    const int64_t from = std::max(journal.begin, journal.end - back);
    auto cursor = ports_.reader.Open(task_.options_.JournalTopic(), task_.partition_, from, journal.end);
    if (absl::IsOutOfRange(cursor.status()) && from == journal.begin) {
      // It was cut meanwhile: by this process before it lost the task, or by another owner.
      auto now = RangeOf(task_.options_.JournalTopic());
      if (!now.ok()) return now.status();
      if (now->begin <= journal.begin) return cursor.status();
      journal.begin = now->begin;
      back /= 8;
      continue;
    }
    if (!cursor.ok()) return cursor.status();
    std::vector<v1::JournalEntry> entries;
    std::vector<int64_t> offsets;
    while (true) {
      auto record = Patiently([&](Duration d) { return (*cursor)->Next(d); });
      if (!record.ok()) return record.status();
      if (!record->has_value()) break;
      v1::JournalEntry& entry = entries.emplace_back();
      offsets.push_back((*record)->offset);
      const auto value = (*record)->value.value_or(std::string_view());
      if (!entry.ParseFromArray(value.data(), static_cast<int>(value.size()))) {
        return absl::DataLossError(
            absl::StrCat("no journal entry: partition ", task_.partition_, " offset ", (*record)->offset));
      }
      found_ |= sought_ && google::protobuf::util::MessageDifferencer::Equals(*sought_, entry.id());
      if (entries.size() > 1 && entries[entries.size() - 2].last() + 1 != entry.first()) {
        return absl::DataLossError(absl::StrCat("journal entries do not follow each other: ",
                                                EntryName(entries[entries.size() - 2]), ", ", EntryName(entry)));
      }
    }
    if (Mutated(Mutation::kTailWithoutLastEntry) && entries.size() > 1) entries.pop_back();
    const bool whole = from == journal.begin;
    if (entries.empty() && whole) return entries;
    if (entries.empty()) continue;
    const uint64_t floor = entries.back().floor();
    if (entries.front().first() <= floor) {
      const auto needed = std::find_if(entries.begin(), std::prev(entries.end()), [&](const auto& entry) {
        return entry.last() >= floor && entry.first() <= entry.last();
      });
      for (auto entry = needed; entry != entries.end(); ++entry) {
        position_.journal.Add(entry->last(), entry->floor(), offsets[static_cast<size_t>(entry - entries.begin())]);
      }
      entries.erase(entries.begin(), needed);
      return entries;
    }
    if (whole) {
      return absl::DataLossError(
          absl::StrCat("the journal begins at step ", entries.front().first(), " but its floor is ", floor));
    }
  }
}

absl::Status Recovery::StartHistory(const std::vector<int64_t>& committed, const LogRange& changelog) {
  const std::string partition = absl::StrCat("partition ", task_.partition_);
  if (std::any_of(committed.begin(), committed.end(), [](int64_t offset) { return offset >= 0; })) {
    return absl::FailedPreconditionError(
        absl::StrCat("the group has committed offsets but the journal ", task_.options_.JournalTopic(),
                     " is empty: ", partition, "; was the topic deleted? To begin anew use another application id"));
  }
  auto meta = task_.rows_.store().Meta();
  if (!meta.ok()) return meta.status();
  if (meta->has_value() && (*meta)->last_committed_step() > 0) {
    return absl::FailedPreconditionError(absl::StrCat(
        "there is local state but the journal ", task_.options_.JournalTopic(), " is empty: ", partition, ", lineage ",
        (*meta)->lineage(), "; was Kafka's data deleted? To begin anew delete the local state in ",
        task_.options_.state_dir.string()));
  }
  // The first transaction of all may have been aborted: what counts is whether it left anything committed.
  auto rows = ports_.reader.Open(task_.options_.ChangelogTopic(), task_.partition_, changelog.begin, changelog.end);
  if (!rows.ok()) return rows.status();
  const auto row = Patiently([&](Duration d) { return (*rows)->Next(d); });
  if (!row.ok()) return Annotated(row.status(), "reading the changelog");
  if (row->has_value()) {
    return absl::FailedPreconditionError(absl::StrCat("the changelog ", task_.options_.ChangelogTopic(),
                                                      " has records but the journal is empty: ", partition));
  }
  position_.lineage = NewLineage();
  position_.changelog_position = changelog.end;
  for (const std::string& topic : task_.topics_) {
    auto range = RangeOf(topic);
    if (!range.ok()) return Annotated(range.status(), absl::StrCat("reading the range of ", topic));
    position_.next_offsets.push_back(range->begin);
  }
  return task_.rows_.Load(0).status();
}

absl::Status Recovery::OpenStore(const std::string& lineage, const LogRange& changelog) {
  auto meta = task_.rows_.store().Meta();
  if (!meta.ok()) return meta.status();
  position_.lineage = lineage;
  position_.changelog_position = changelog.begin;
  as_of_ = ports_.clock.Now();  // of an empty store, which misses nothing
  if (!meta->has_value()) return absl::OkStatus();
  const StoreJudgement judged = Judge(**meta, lineage, ports_.clock.Now(), task_.options_.changelog_tombstones_kept);
  if (judged == StoreJudgement::kOfAnotherBuild) return task_.rows_.store().Clear();  // restored
  if (judged == StoreJudgement::kOfAnotherHistory) {
    return absl::FailedPreconditionError(
        absl::StrCat("the local state of partition ", task_.partition_, " belongs to another history: local ",
                     (*meta)->lineage(), ", journal ", lineage, "; delete it (in ", task_.options_.state_dir.string(),
                     ") to restore from the changelog"));
  }
  if ((*meta)->changelog_position() > changelog.end) {
    return absl::DataLossError(absl::StrCat("the local state of partition ", task_.partition_,
                                            " is ahead of the changelog: position ", (*meta)->changelog_position(),
                                            ", changelog's end ", changelog.end));
  }
  position_.changelog_position = std::max((*meta)->changelog_position(), changelog.begin);
  if (Mutated(Mutation::kStaleStoreTakenForFresh)) position_.changelog_position = changelog.end;
  as_of_ = FromMicros((*meta)->as_of_us());
  if (judged != StoreJudgement::kTooOld || Mutated(Mutation::kOldStoreTrusted)) return absl::OkStatus();
  LogWarning("local state is too old to be caught up: it is thrown away and restored",
             {{"partition", task_.partition_},
              {"hours_old", std::chrono::floor<std::chrono::hours>(ports_.clock.Now() - as_of_).count()}});
  position_.changelog_position = changelog.begin;
  as_of_ = ports_.clock.Now();
  return task_.rows_.store().Clear();
}

absl::Status Recovery::RestoreRows(const Ends& ends, uint64_t last) {
  constexpr size_t kRecordsAtOnce = 100'000;  // or until the batch is full
  const int64_t begin = position_.changelog_position;
  const Duration started = ports_.clock.Monotonic();
  ChangelogFollower follower(task_.rows_.store(), ports_.reader, ports_.clock,
                             {.topic = task_.options_.ChangelogTopic(),
                              .partition = task_.partition_,
                              .lineage = position_.lineage,
                              .position = begin,
                              .batch_bytes = restore_bytes_,
                              .as_of_us = ToMicros(as_of_),
                              .last_step = last,
                              .tombstones_kept = task_.options_.changelog_tombstones_kept,
                              .step_limit = last});
  absl::Status opened = Patiently([&](Duration) { return follower.Open(ends.changelog.end, ends.asked); });
  if (!opened.ok()) return Annotated(opened, "reading the changelog");
  for (bool done = false; !done;) {
    auto advanced = Patiently([&](Duration d) { return follower.Advance(kRecordsAtOnce, d); });
    if (!advanced.ok()) return Annotated(advanced.status(), "reading the changelog");
    done = *advanced;
    progress_->Restored(follower.rows());
  }
  report_.rows_restored = follower.rows();
  if (report_.rows_restored > 0) {
    const Duration took = ports_.clock.Monotonic() - started;
    LogInfo("rows restored from the changelog", {{"partition", task_.partition_},
                                                 {"rows", report_.rows_restored},
                                                 {"seconds", std::chrono::duration<double>(took).count()}});
  }
  position_.changelog_position = follower.position();
  return absl::OkStatus();
}

absl::Status Recovery::CheckOffsets(const v1::JournalEntry& last, const std::vector<int64_t>& committed) {
  for (size_t s = 0; s < committed.size(); ++s) {
    const auto* source = SourceOf(last, task_.topics_[s]);
    // No offset at all: the group was away so long that Kafka forgot it. The journal still knows.
    if (source == nullptr || committed[s] < 0 || committed[s] == source->next_offset()) continue;
    return absl::FailedPreconditionError(absl::StrCat(
        "the group's offset differs from the journal's: ", task_.topics_[s], " partition ", task_.partition_,
        ", group ", committed[s], ", journal ", source->next_offset(), "; somebody moved the group's offsets"));
  }
  return absl::OkStatus();
}

}  // namespace portrait
