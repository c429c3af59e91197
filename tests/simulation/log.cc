#include "tests/simulation/log.h"

#include <algorithm>

namespace portrait::simulation {

int64_t Log::Append(LogRecord record) {
  record.offset = end();
  if (record.state == LogRecord::State::kOpen) open_.insert(record.offset);
  records_.push_back(std::move(record));
  return end() - 1;
}

void Log::End(const std::string& transactional_id, uint64_t transaction, bool commit, int64_t timestamp_us) {
  for (auto it = open_.begin(); it != open_.end();) {
    LogRecord& record = records_[static_cast<size_t>(*it)];
    if (record.transactional_id != transactional_id || record.transaction != transaction) {
      ++it;
      continue;
    }
    record.state = commit ? LogRecord::State::kCommitted : LogRecord::State::kAborted;
    it = open_.erase(it);
  }
  LogRecord marker;
  marker.state = LogRecord::State::kMarker;
  marker.timestamp_us = timestamp_us;
  Append(std::move(marker));
}

void Log::Cut(int64_t offset) { begin_ = std::max(begin_, std::min(offset, end())); }

void Log::Compact(int64_t now_us, int64_t tombstones_kept_us) {
  std::map<std::string, int64_t> last;
  const int64_t stable = stable_end();
  for (int64_t offset = begin_; offset < stable; ++offset) {
    const LogRecord& record = at(offset);
    if (record.state == LogRecord::State::kCommitted) last[record.key.value_or("")] = offset;
  }
  for (int64_t offset = begin_; offset < stable; ++offset) {
    LogRecord& record = records_[static_cast<size_t>(offset)];
    if (record.state != LogRecord::State::kCommitted) continue;
    if (last[record.key.value_or("")] != offset) {
      record.compacted = true;
    } else if (!record.value) {
      if (record.first_compaction_us == 0) record.first_compaction_us = now_us;
      record.compacted |= now_us - record.first_compaction_us > tombstones_kept_us;
    }
  }
}

const LogRecord* Log::Next(int64_t from) const {
  const LogRecord* record = NextEver(std::max(from, begin_));
  while (record != nullptr && record->compacted) record = NextEver(record->offset + 1);
  return record;
}

const LogRecord* Log::NextEver(int64_t from) const {
  const int64_t stable = stable_end();
  for (int64_t offset = from; offset < stable; ++offset) {
    if (at(offset).state == LogRecord::State::kCommitted) return &at(offset);
  }
  return nullptr;
}

}  // namespace portrait::simulation
