#include "pipeline/memory/memory_broker.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "pipeline/partitioner.h"

namespace portrait {
namespace {

struct MemoryGeneration final : public GroupGeneration {
  explicit MemoryGeneration(int64_t n) : number(n) {}
  const int64_t number;
};

Record ViewOf(const StoredRecord& stored, int32_t source, int32_t partition) {
  auto owner = std::make_shared<const StoredRecord>(stored);
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

}  // namespace

int64_t MemoryBroker::Append(const std::string& topic, int32_t partition, StoredRecord record) {
  Log& log = logs_[{topic, partition}];
  record.offset = log.end++;
  if (record.timestamp_us == 0) record.timestamp_us = ToMicros(clock_->Now());
  log.records.push_back(std::move(record));
  return log.end - 1;
}

std::vector<const StoredRecord*> MemoryBroker::Committed(const std::string& topic, int32_t partition) const {
  std::vector<const StoredRecord*> out;
  const auto log = logs_.find({topic, partition});
  if (log == logs_.end()) return out;
  for (const StoredRecord& record : log->second.records) {
    if (record.state == StoredRecord::State::kCommitted) out.push_back(&record);
  }
  return out;
}

void MemoryBroker::Cut(const std::string& topic, int32_t partition, int64_t offset) {
  Log& log = logs_[{topic, partition}];
  log.begin = std::max(log.begin, std::min(offset, log.end));
}

int64_t MemoryBroker::StableEnd(const Log& log) const {
  for (const StoredRecord& record : log.records) {
    if (record.state == StoredRecord::State::kOpen) return record.offset;
  }
  return log.end;
}

const StoredRecord* MemoryBroker::Find(const Log& log, int64_t offset) const {
  const int64_t first = log.end - static_cast<int64_t>(log.records.size());
  return &log.records[static_cast<size_t>(offset - first)];
}

void MemoryBroker::EndTransaction(const std::string& id, bool commit) {
  Transaction& transaction = transactions_[id];
  std::set<Place> touched;
  for (const auto& [place, offset] : transaction.records) {
    Log& log = logs_[place];
    auto* record = const_cast<StoredRecord*>(Find(log, offset));
    record->state = commit ? StoredRecord::State::kCommitted : StoredRecord::State::kAborted;
    touched.insert(place);
  }
  for (const Place& place : touched) {
    StoredRecord marker;
    marker.state = StoredRecord::State::kMarker;
    Append(place.first, place.second, std::move(marker));
  }
  if (commit) {
    for (const auto& [place, offset] : transaction.offsets) committed_offsets_[place] = offset;
  }
  transaction.open = false;
  transaction.records.clear();
  transaction.offsets.clear();
}

void MemoryBroker::Wait(Duration timeout) {
  clock_->Advance(timeout);
  for (auto& [id, transaction] : transactions_) {
    if (!transaction.open || clock_->Monotonic() - transaction.since < transaction_timeout_) continue;
    ++transaction.epoch;
    EndTransaction(id, false);
  }
}

bool MemoryBroker::OffsetsPending(const Place& place) const {
  return std::any_of(transactions_.begin(), transactions_.end(),
                     [&](const auto& entry) { return entry.second.open && entry.second.offsets.contains(place); });
}

// ---------------------------------------------------------------- consumer

class MemoryConsumer final : public GroupConsumer {
 public:
  MemoryConsumer(MemoryBroker* broker, std::string member) : broker_(broker), member_(std::move(member)) {}

  absl::Status Subscribe(const std::vector<std::string>& sources, AssignmentListener* listener) override {
    sources_ = sources;
    listener_ = listener;
    broker_->member_ = member_ + "#" + std::to_string(++broker_->incarnations_);
    me_ = broker_->member_;
    joined_ = ++broker_->generation_;
    return absl::OkStatus();
  }

  absl::Status Poll(Duration timeout, size_t max_records, std::vector<Record>& records) override {
    if (broker_->member_ != me_) {
      if (generation_) listener_->OnLost(partitions_);
      generation_.reset();
      return absl::FailedPreconditionError("another consumer with this instance id has joined");
    }
    if (!generation_) {
      if (absl::Status s = Assign(); !s.ok()) return s;
    }
    const size_t before = records.size();
    const size_t limit = broker_->poll_limit_ == 0 ? max_records : std::min(max_records, broker_->poll_limit_);
    for (auto& [place, next] : positions_) {
      const auto& log = broker_->logs_[{sources_[static_cast<size_t>(place.first)], place.second}];
      if (next < log.begin) {
        return absl::OutOfRangeError(absl::StrCat(sources_[static_cast<size_t>(place.first)], " partition ",
                                                  place.second, ": offset ", next, " is gone, the log begins at ",
                                                  log.begin));
      }
      const int64_t end = broker_->StableEnd(log);
      for (; next < end && records.size() - before < limit; ++next) {
        const StoredRecord* record = broker_->Find(log, next);
        if (record->state != StoredRecord::State::kCommitted) continue;
        records.push_back(ViewOf(*record, place.first, place.second));
      }
    }
    if (records.size() == before) broker_->Wait(timeout);
    return absl::OkStatus();
  }

  absl::StatusOr<std::vector<int64_t>> Committed(int32_t partition, Duration timeout) override {
    std::vector<int64_t> offsets;
    for (const std::string& source : sources_) {
      if (broker_->OffsetsPending({source, partition})) {
        broker_->Wait(timeout);
        return absl::UnavailableError("offsets of an open transaction");
      }
      const auto it = broker_->committed_offsets_.find({source, partition});
      offsets.push_back(it == broker_->committed_offsets_.end() ? -1 : it->second);
    }
    return offsets;
  }

  int64_t EndOffset(int32_t source, int32_t partition) override {
    return broker_->StableEnd(broker_->logs_[{sources_[static_cast<size_t>(source)], partition}]);
  }

  absl::Status Pause(int32_t, int32_t, bool) override { return absl::OkStatus(); }

  std::shared_ptr<const GroupGeneration> generation() const override { return generation_; }

  absl::Status Close() override {
    if (generation_ && broker_->member_ == me_) listener_->OnRevoked(partitions_);
    generation_.reset();
    return absl::OkStatus();
  }

 private:
  absl::Status Assign() {
    generation_ = std::make_shared<MemoryGeneration>(joined_);
    partitions_.clear();
    for (int32_t p = 0; p < broker_->partitions(sources_[0]); ++p) partitions_.push_back(p);
    auto starts = listener_->OnAssigned(partitions_);
    if (!starts.ok()) return starts.status();
    positions_.clear();
    for (const PartitionStart& start : *starts) {
      for (size_t s = 0; s < sources_.size(); ++s) {
        positions_[{static_cast<int32_t>(s), start.partition}] = start.next_offsets[s];
      }
    }
    return absl::OkStatus();
  }

  MemoryBroker* broker_;
  std::string member_, me_;
  std::vector<std::string> sources_;
  AssignmentListener* listener_ = nullptr;
  int64_t joined_ = 0;
  std::shared_ptr<const MemoryGeneration> generation_;
  std::vector<int32_t> partitions_;
  std::map<std::pair<int32_t, int32_t>, int64_t> positions_;  // source, partition
};

// ---------------------------------------------------------------- producer

class MemoryProducer final : public TransactionalProducer {
 public:
  MemoryProducer(MemoryBroker* broker, std::string id)
      : broker_(broker), id_(std::move(id)), incarnation_(++broker->incarnations_) {}

  const std::string& transactional_id() const override { return id_; }
  uint64_t incarnation() const override { return incarnation_; }

  absl::Status Init(Duration) override {
    auto& transaction = broker_->transactions_[id_];
    if (transaction.open) broker_->EndTransaction(id_, false);
    epoch_ = ++transaction.epoch;
    return absl::OkStatus();
  }

  absl::Status Begin() override {
    if (fenced()) return absl::AbortedError("fenced");
    written_.clear();
    open_ = true;
    return absl::OkStatus();
  }

  absl::Status Write(const NewRecord& record) override {
    if (absl::Status s = Enter(); !s.ok()) return s;
    const std::string topic(record.topic);
    if (!broker_->partitions_.contains(topic)) return absl::NotFoundError(absl::StrCat("no such topic: ", topic));
    const int32_t partition =
        record.partition >= 0 ? record.partition : PartitionOf(record.key.value_or(""), broker_->partitions_[topic]);
    StoredRecord stored;
    stored.state = StoredRecord::State::kOpen;
    stored.transactional_id = id_;
    stored.timestamp_us = record.timestamp_us;
    if (record.key) stored.key = std::string(*record.key);
    if (record.value) stored.value = std::string(*record.value);
    for (const HeaderView& header : record.headers) {
      stored.headers.emplace_back(std::string(header.name), std::string(header.value.value_or("")));
    }
    const MemoryBroker::Place place{topic, partition};
    const int64_t offset = broker_->Append(topic, partition, std::move(stored));
    broker_->transactions_[id_].records.emplace_back(place, offset);
    written_[place] = offset + 1;
    return absl::OkStatus();
  }

  absl::Status SendOffsets(const std::vector<std::string>& sources, const std::vector<PartitionStart>& offsets,
                           const GroupGeneration& generation) override {
    if (absl::Status s = Enter(); !s.ok()) return s;
    if (static_cast<const MemoryGeneration&>(generation).number != broker_->generation_) {
      return absl::AbortedError("the group has moved on");
    }
    auto& transaction = broker_->transactions_[id_];
    for (const PartitionStart& start : offsets) {
      for (size_t s = 0; s < sources.size(); ++s) {
        transaction.offsets[{sources[s], start.partition}] = start.next_offsets[s];
      }
    }
    return absl::OkStatus();
  }

  CommitOutcome Commit(Duration timeout) override {
    open_ = false;
    if (fenced()) return CommitOutcome::kFenced;
    const CommitFault fault = std::exchange(broker_->faults_[id_], CommitFault::kNone);
    if (fault == CommitFault::kRequestLost) {
      broker_->clock_->Advance(timeout / 2);
      return CommitOutcome::kUnknown;
    }
    if (broker_->transactions_[id_].open) broker_->EndTransaction(id_, true);
    return fault == CommitFault::kAnswerLost ? CommitOutcome::kUnknown : CommitOutcome::kCommitted;
  }

  absl::Status Abort(Duration) override {
    open_ = false;
    if (fenced()) return absl::AbortedError("fenced");
    if (broker_->transactions_[id_].open) broker_->EndTransaction(id_, false);
    return absl::OkStatus();
  }

  int64_t WrittenEnd(std::string_view topic, int32_t partition) const override {
    const auto it = written_.find({std::string(topic), partition});
    return it == written_.end() ? -1 : it->second;
  }

 private:
  bool fenced() const { return broker_->transactions_[id_].epoch != epoch_; }

  absl::Status Enter() {
    if (fenced()) return absl::AbortedError("fenced");
    auto& transaction = broker_->transactions_[id_];
    if (!transaction.open) {
      transaction.open = true;
      transaction.since = broker_->clock_->Monotonic();
    }
    return absl::OkStatus();
  }

  MemoryBroker* broker_;
  std::string id_;
  uint64_t incarnation_;
  int64_t epoch_ = 0;
  bool open_ = false;
  std::map<MemoryBroker::Place, int64_t> written_;
};

// ---------------------------------------------------------------- reader

class MemoryCursor final : public LogCursor {
 public:
  MemoryCursor(MemoryBroker* broker, MemoryBroker::Place place, int64_t from, int64_t end)
      : broker_(broker), place_(std::move(place)), next_(from), end_(end) {}

  absl::StatusOr<std::optional<Record>> Next(Duration timeout) override {
    const auto& log = broker_->logs_[place_];
    while (next_ < end_) {
      if (next_ >= broker_->StableEnd(log)) {
        broker_->Wait(timeout);
        return absl::UnavailableError("an open transaction");
      }
      const StoredRecord* record = broker_->Find(log, next_++);
      if (record->state == StoredRecord::State::kCommitted) return ViewOf(*record, 0, place_.second);
    }
    return std::nullopt;
  }

 private:
  MemoryBroker* broker_;
  MemoryBroker::Place place_;
  int64_t next_, end_;
};

class MemoryReader final : public LogReader {
 public:
  explicit MemoryReader(MemoryBroker* broker) : broker_(broker) {}

  absl::StatusOr<LogRange> Range(std::string_view topic, int32_t partition, Duration) override {
    const auto& log = broker_->logs_[{std::string(topic), partition}];
    return LogRange{log.begin, log.end};
  }

  absl::StatusOr<std::unique_ptr<LogCursor>> Open(std::string_view topic, int32_t partition, int64_t from,
                                                  int64_t end) override {
    const MemoryBroker::Place place{std::string(topic), partition};
    const int64_t begin = broker_->logs_[place].begin;
    if (from < begin) {
      return absl::OutOfRangeError(absl::StrCat(place.first, " partition ", partition, ": offset ", from,
                                                " is gone, the log begins at ", begin));
    }
    return std::make_unique<MemoryCursor>(broker_, place, from, end);
  }

 private:
  MemoryBroker* broker_;
};

class MemoryTrimmer final : public LogTrimmer {
 public:
  explicit MemoryTrimmer(MemoryBroker* broker) : broker_(broker) {}

  absl::Status Trim(const std::string& topic, int32_t partition, int64_t below) override {
    broker_->Cut(topic, partition, below);
    return absl::OkStatus();
  }

 private:
  MemoryBroker* broker_;
};

std::unique_ptr<GroupConsumer> MemoryBroker::NewConsumer(const std::string& member) {
  return std::make_unique<MemoryConsumer>(this, member);
}
std::unique_ptr<TransactionalProducer> MemoryBroker::NewProducer(const std::string& transactional_id) {
  return std::make_unique<MemoryProducer>(this, transactional_id);
}
std::unique_ptr<LogReader> MemoryBroker::NewReader() { return std::make_unique<MemoryReader>(this); }
std::unique_ptr<LogTrimmer> MemoryBroker::NewTrimmer() { return std::make_unique<MemoryTrimmer>(this); }

}  // namespace portrait
