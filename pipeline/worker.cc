#include "pipeline/worker.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "pipeline/changelog_headers.h"
#include "pipeline/log.h"
#include "pipeline/mutation.h"
#include "portrait/v1/result.pb.h"

namespace portrait {
namespace {

// Of a task, before the others, the clock, and whoever looks at rows get their turn.
constexpr size_t kStepsAtOnce = 32;
constexpr std::string_view kDeadLetters = "dead-letters";

OutputOptions OutputFor(const EngineOptions& options, const std::string& name) {
  for (const OutputOptions& output : options.outputs) {
    if (output.output == name) return output;
  }
  return {name, name, WireFormat::kProtobuf};
}

}  // namespace

Worker::Worker(int index, ChainCatalog& chains, const EngineOptions& options, PortFactory& ports, Metrics& metrics,
               ResultListener* results)
    : index_(index),
      cache_bytes_(options.cache_bytes / static_cast<size_t>(options.workers)),
      chains_(chains),
      options_(options),
      ports_(ports),
      metrics_(metrics),
      results_(results),
      access_([this](int32_t partition) -> const Task* {
        const auto found = tasks_.find(partition);
        return found == tasks_.end() ? nullptr : found->second.task.get();
      }) {
  for (const SourceOptions& source : options.sources) {
    topics_.push_back(source.topic);
    records_in_.push_back(&metrics.RecordsIn(source.topic));
  }
  for (const OutputDescription& output : chains.base().outputs()) {
    outputs_.push_back(OutputFor(options, output.topic));
    output_types_.push_back(output.message);
  }
  outputs_.push_back(OutputFor(options, std::string(kDeadLetters)));
  output_types_.push_back(v1::DeadLetter::descriptor());
  for (const OutputOptions& output : outputs_) records_out_.push_back(&metrics.RecordsOut(output.topic));
}

Worker::~Worker() { Drop(); }

void Worker::Drop() {
  // Without a commit: as after a crash.
  access_.Close();
  if (results_ != nullptr && !tasks_.empty()) results_->OnGap();
  DropTasks();
  for (const auto& [partition, running] : kept_) Forget(running);
  kept_.clear();
  consumer_.reset();
  if (!Mutated(Mutation::kUnknownKeepsProducer)) producer_.reset();
  reader_.reset();
  trimmer_.reset();
  status_.joined = false;
}

absl::Status Worker::Fail(absl::Status status) {
  if (std::exchange(overtaken_, false)) status = UnlessReplaced(status);
  Drop();
  return status;
}

absl::Status Worker::Start() {
  Drop();
  failure_ = absl::OkStatus();
  overtaken_ = leaving_ = false;
  if (!producer_) {  // always, but for a planted fault
    auto producer = ports_.NewProducer(index_);
    if (!producer.ok()) return producer.status();
    producer_ = *std::move(producer);
    if (absl::Status s = producer_->Init(options_.startup_timeout); !s.ok()) return Fail(s);
  }
  auto reader = ports_.NewReader(index_);
  if (!reader.ok()) return Fail(reader.status());
  reader_ = *std::move(reader);
  auto trimmer = ports_.NewTrimmer(index_);
  if (!trimmer.ok()) return Fail(trimmer.status());
  trimmer_ = *std::move(trimmer);
  auto consumer = ports_.NewConsumer(index_);
  if (!consumer.ok()) return Fail(consumer.status());
  consumer_ = *std::move(consumer);
  last_commit_ = ports_.clock().Monotonic();
  if (absl::Status s = consumer_->Subscribe(topics_, this); !s.ok()) return Fail(s);
  return absl::OkStatus();
}

absl::Status Worker::RunOnce(Duration wait) {
  const Duration begin = ports_.clock().Monotonic();
  const Duration until_commit = std::max(Duration(0), last_commit_ + options_.commit_interval - begin);
  records_.clear();
  absl::Status polled;
  {
    const Parked parked(access_);
    polled = consumer_->Poll(busy_ || sweeping_ ? Duration(0) : std::min(wait, until_commit), kRecordsAtOnce, records_);
  }
  if (!failure_.ok()) return Fail(std::exchange(failure_, absl::OkStatus()));
  if (absl::IsOutOfRange(polled)) return Fail(UnlessOvertaken(polled));
  if (!polled.ok() && !absl::IsUnavailable(polled)) return Fail(polled);
  std::vector<int> came(records_in_.size());
  for (Record& record : records_) {
    const auto task = tasks_.find(record.partition);
    if (task == tasks_.end()) continue;  // of an assignment that is gone
    ++came[static_cast<size_t>(record.source)];
    task->second.task->Add(std::move(record));
  }
  for (size_t source = 0; source < came.size(); ++source) {
    if (came[source] > 0) records_in_[source]->Increment(came[source]);
  }
  if (absl::Status s = Advance(ports_.clock().Monotonic()); !s.ok()) return Fail(s);
  const bool due = ports_.clock().Monotonic() - last_commit_ >= options_.commit_interval;
  if (!due && !Crowded()) return absl::OkStatus();
  if (absl::Status s = Commit(/*hand_over=*/false); !s.ok()) return Fail(s);
  return absl::OkStatus();
}

absl::Status Worker::Advance(Duration now) {
  // Until everything that is here is applied, or the next commit is due: a step may set off many timers.
  const Duration deadline = last_commit_ + options_.commit_interval;
  bool idle = false, crowded = false;
  do {
    busy_ = sweeping_ = false;
    idle = status_.joined && kept_.empty();
    for (auto& [partition, running] : tasks_) {
      const auto end_offset = [&, p = partition](size_t source) {
        return consumer_->EndOffset(static_cast<int32_t>(source), p);
      };
      auto progress = running.task->Advance(kStepsAtOnce, now, ports_.clock().Now(), end_offset);
      if (!progress.ok()) {
        return absl::Status(progress.status().code(),
                            absl::StrCat("partition ", partition, ": ", progress.status().message()));
      }
      access_.Serve();
      busy_ |= *progress == Task::Progress::kBusy;
      sweeping_ |= *progress == Task::Progress::kSweeping;
      idle &= *progress == Task::Progress::kIdle && !running.task->HasSteps();
    }
    if (absl::Status s = KeepInputsBounded(); !s.ok()) return s;
    crowded = Crowded();
    now = ports_.clock().Monotonic();
  } while (busy_ && now < deadline && !crowded);
  status_.idle = idle;
  return absl::OkStatus();
}

absl::Status Worker::KeepInputsBounded() {
  size_t buffered = 0;
  for (const auto& [partition, running] : tasks_) {
    for (size_t source = 0; source < topics_.size(); ++source) buffered += running.task->buffered_bytes(source);
  }
  const bool full = buffered > options_.input_bytes;
  // Those below it hold half of the limit at most. A source that runs low goes on, or the others would wait for it.
  const size_t share = options_.input_bytes / (2 * std::max<size_t>(1, tasks_.size() * topics_.size()));
  for (auto& [partition, running] : tasks_) {
    for (size_t source = 0; source < topics_.size(); ++source) {
      const size_t bytes = running.task->buffered_bytes(source);
      const bool pause = running.paused[source] ? bytes > share / 2 : full && bytes > share;
      if (pause == running.paused[source]) continue;
      if (absl::Status s = consumer_->Pause(static_cast<int32_t>(source), partition, pause); !s.ok()) return s;
      running.paused[source] = pause;
    }
  }
  return absl::OkStatus();
}

bool Worker::Crowded() const {
  size_t results = 0;
  for (const auto& [partition, running] : tasks_) {
    if (running.task->crowded()) return true;
    results += running.task->result_bytes();
  }
  return results > options_.result_bytes;
}

absl::Status Worker::Commit(bool hand_over) {
  const Duration begin = ports_.clock().Monotonic();
  last_commit_ = begin;
  std::map<int32_t, TaskCommit> commits;
  for (auto& [partition, running] : tasks_) {
    if (!running.task->HasProgress()) continue;
    v1::EntryId id;
    id.set_transactional_id(producer_->transactional_id());
    id.set_incarnation(producer_->incarnation());
    id.set_number(++transactions_);
    commits.emplace(partition, running.task->Freeze(std::move(id), begin, hand_over, [this] { access_.Serve(); }));
    access_.Serve();
  }
  if (commits.empty()) return absl::OkStatus();

  const auto generation = consumer_->generation();
  if (!generation) return absl::AbortedError("the group's generation is gone");
  Parked parked(access_);  // what is sent is frozen
  absl::Status sent = producer_->Begin();
  std::vector<PartitionStart> offsets;
  for (auto& [partition, commit] : commits) {
    commit.emission_us = ToMicros(ports_.clock().Now());
    if (sent.ok()) sent = Write(commit, partition);
    const auto& sources = commit.entry.sources();
    const auto took = [](const v1::SourceRange& source) { return source.count() > 0; };
    if (Mutated(Mutation::kOffsetsOnlyWhenMoved) && std::none_of(sources.begin(), sources.end(), took)) continue;
    offsets.push_back({partition, commit.next_offsets});
  }
  if (sent.ok() && !Mutated(Mutation::kOffsetsNotSent)) sent = producer_->SendOffsets(topics_, offsets, *generation);
  if (!sent.ok()) {
    static_cast<void>(producer_->Abort(options_.transaction_timeout));  // ports and tasks are thrown away either way
    metrics_.Commits(CommitOutcome::kAborted).Increment();
    overtaken_ = absl::IsAborted(sent) || absl::IsFailedPrecondition(sent);
    return absl::AbortedError(absl::StrCat("the transaction could not be written: ", sent.message()));
  }
  const CommitOutcome outcome = producer_->Commit(options_.transaction_timeout);
  parked.End();
  metrics_.Commits(outcome).Increment();
  metrics_.commit_seconds.Observe(Seconds(ports_.clock().Monotonic() - begin));
  switch (outcome) {
    case CommitOutcome::kCommitted: return Conclude(std::move(commits));
    case CommitOutcome::kAborted:
      if (Mutated(Mutation::kAbortedIsCommitted)) return Conclude(std::move(commits));
      return absl::AbortedError("the transaction was aborted");
    case CommitOutcome::kUnknown:
      if (Mutated(Mutation::kUnknownIsCommitted)) return Conclude(std::move(commits));
      for (const auto& [partition, commit] : commits) in_doubt_[partition] = commit.entry.id();
      return absl::AbortedError("the outcome of a commit is unknown: the journal will tell");
    case CommitOutcome::kFenced:
      if (Mutated(Mutation::kFencedIsCommitted)) return Conclude(std::move(commits));
      overtaken_ = true;
      for (const auto& [partition, commit] : commits) in_doubt_[partition] = commit.entry.id();
      return absl::AbortedError(
          "another producer with this transactional id has begun, or a time-out ended the commit");
  }
  return absl::InternalError("no such outcome");
}

absl::Status Worker::Write(const TaskCommit& commit, int32_t partition) {
  for (size_t i = 0; i < commit.outputs.size(); ++i) {
    const Emitter::Output output = commit.outputs[i];
    const OutputOptions& to = outputs_[output.output];
    if (absl::Status s =
            EncodeResult(*output_types_[output.output], output.payload, commit.emission_us, to.format, scratch_);
        !s.ok()) {
      return s;
    }
    NewRecord record{.topic = to.topic, .value = scratch_};
    if (!output.key.empty()) record.key = output.key;
    record.headers.push_back({"content-type", ContentType(to.format)});
    if (absl::Status s = producer_->Write(record); !s.ok()) return s;
    records_out_[output.output]->Increment();
  }
  const std::string changelog = options_.ChangelogTopic(), journal = options_.JournalTopic();
  for (const RowImage& image : commit.images) {
    NewRecord record{.topic = changelog, .partition = partition, .key = image.customer_id};
    if (image.row) {
      record.value = *image.row;
      metrics_.changelog_bytes.Increment(static_cast<double>(image.row->size()));
      if (image.timer_removed_us != INT64_MAX) {
        scratch_ = absl::StrCat(image.timer_removed_us);
        record.headers.push_back({kTimerBeforeHeader, scratch_});
      }
    } else {
      scratch_ = absl::StrCat(image.number);
      record.headers.push_back({kNumberHeader, scratch_});
    }
    if (absl::Status s = producer_->Write(record); !s.ok()) return s;
  }
  if (Mutated(Mutation::kEntryLost) && commit.entry.last() % 16 == 0) return absl::OkStatus();
  const std::string entry = commit.entry.SerializeAsString();
  metrics_.journal_bytes.Increment(static_cast<double>(entry.size()));
  return producer_->Write({.topic = journal, .partition = partition, .key = {}, .value = entry});
}

absl::Status Worker::Conclude(std::map<int32_t, TaskCommit> commits) {
  for (auto& [partition, commit] : commits) {
    Running& running = tasks_.at(partition);
    metrics_.rows_written.Increment(static_cast<double>(commit.images.size()));
    if (results_ != nullptr) Tell(partition, commit);
    const WrittenEnds ends{.changelog = producer_->WrittenEnd(options_.ChangelogTopic(), partition),
                           .journal = producer_->WrittenEnd(options_.JournalTopic(), partition)};
    if (const auto staged = running.task->Stage(std::move(commit), ends, ports_.clock().Now())) {
      {
        const Parked parked(access_);
        if (absl::Status s = running.task->Write(*staged); !s.ok()) return s;
      }
      running.task->Settle(*staged);
    }
    Publish(partition, running);
    access_.Serve();
  }
  TrimJournals(ports_.clock().Monotonic());
  return absl::OkStatus();
}

void Worker::Tell(int32_t partition, const TaskCommit& commit) {
  if (commit.outputs.size() == 0) return;
  results_->OnCommitted(
      {.partition = partition, .results = &commit.outputs, .types = &output_types_, .emission_us = commit.emission_us});
}

// What is not cut now is cut the next time, so an error costs room and nothing else.
void Worker::TrimJournals(Duration now) {
  if (now - last_trim_ < options_.journal_trim_interval) return;
  last_trim_ = now;
  for (auto& [partition, running] : tasks_) {
    const int64_t below = running.task->JournalNeededFrom() + (Mutated(Mutation::kJournalCutTooFar) ? 2 : 0);
    if (below <= running.journal_cut) continue;
    running.journal_cut = below;
    if (const absl::Status s = trimmer_->Trim(options_.JournalTopic(), partition, below); !s.ok()) {
      LogWarning("the journal could not be cut", {{"reason", std::string(s.message())}});
    }
  }
}

void Worker::Publish(int32_t partition, Running& running) {
  Task& task = *running.task;
  const AppliedCounts counts = task.TakeCounts();
  metrics_.steps.Increment(static_cast<double>(counts.steps));
  metrics_.late_events.Increment(static_cast<double>(counts.late));
  metrics_.duplicate_events.Increment(static_cast<double>(counts.duplicates));
  metrics_.timers_fired.Increment(static_cast<double>(counts.timers));
  metrics_.rows_swept.Increment(static_cast<double>(counts.swept));
  for (const auto& [code, count] : counts.dead_letters) {
    metrics_.DeadLetters(code).Increment(static_cast<double>(count));
  }
  for (const auto& [tag, changes] : task.TakeShadowChanges()) {
    metrics_.ShadowChanges(tag, true).Increment(static_cast<double>(changes.entries));
    metrics_.ShadowChanges(tag, false).Increment(static_cast<double>(changes.exits));
  }
  metrics_.CountShadow(task.TakeShadowCounts());
  PublishLag(partition, running);
  PublishRows(running);
  if (const auto mark = task.watermark()) running.metrics->watermark_seconds.Set(Seconds(mark->time_since_epoch()));
}

void Worker::PublishLag(int32_t partition, Running& running) {
  for (size_t source = 0; source < topics_.size(); ++source) {
    const int64_t end = consumer_->EndOffset(static_cast<int32_t>(source), partition);
    running.lag[source]->Set(static_cast<double>(running.task->Lag(source, end)));
  }
}

// The gauges are sums over all tasks of the process, so each task adds what has changed.
void Worker::PublishRows(Running& running) {
  const RowSet& rows = running.task->rows();
  const RowFigures now{rows.cache().rows(), rows.cache().bytes(), rows.dirty(), rows.hits(), rows.misses()};
  const RowFigures was = std::exchange(running.published, now);
  metrics_.cache_rows.Increment(static_cast<double>(now.rows) - static_cast<double>(was.rows));
  metrics_.cache_bytes.Increment(static_cast<double>(now.bytes) - static_cast<double>(was.bytes));
  metrics_.dirty_rows.Increment(static_cast<double>(now.dirty) - static_cast<double>(was.dirty));
  metrics_.cache_hits.Increment(static_cast<double>(now.hits - was.hits));
  metrics_.cache_misses.Increment(static_cast<double>(now.misses - was.misses));
}

void Worker::Forget(const Running& running) {
  metrics_.cache_rows.Decrement(static_cast<double>(running.published.rows));
  metrics_.cache_bytes.Decrement(static_cast<double>(running.published.bytes));
  metrics_.dirty_rows.Decrement(static_cast<double>(running.published.dirty));
}

void Worker::DropTasks() {
  access_.Close();
  for (const auto& [partition, running] : tasks_) Forget(running);
  if (Mutated(Mutation::kPartialRollback) && tasks_.size() > 1) {
    tasks_.erase(tasks_.begin());
    return;
  }
  tasks_.clear();
  status_.tasks = 0;
}

void Worker::LimitCache(size_t bytes) {
  cache_bytes_ = bytes;
  for (auto& [partition, running] : tasks_) running.task->LimitCache(bytes / tasks_.size());
}

absl::Status Worker::Stop() {
  if (!consumer_) return absl::OkStatus();
  absl::Status closed = consumer_->Close();
  closed.Update(std::exchange(failure_, absl::OkStatus()));
  closed.Update(LetGoOfKept({}));
  Drop();
  return closed;
}

}  // namespace portrait
