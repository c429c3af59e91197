// One partition of a topic as the simulated broker keeps it: records of transactions and markers, a last stable offset,
// retention and compaction. Nothing is ever thrown away for good, so that the checker can look back.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace portrait::simulation {

using Place = std::pair<std::string, int32_t>;  // topic, partition

struct LogRecord {
  enum class State { kCommitted, kOpen, kAborted, kMarker };
  int64_t offset = 0;
  int64_t timestamp_us = 0;
  std::optional<std::string> key;
  std::optional<std::string> value;
  std::vector<std::pair<std::string, std::string>> headers;
  State state = State::kCommitted;
  std::string transactional_id;
  uint64_t transaction = 0;  // of that id
  bool compacted = false;    // no reader sees it any more
  int64_t first_compaction_us = 0;
};

class Log {
 public:
  int64_t begin() const { return begin_; }
  int64_t end() const { return static_cast<int64_t>(records_.size()); }  // the high watermark
  int64_t stable_end() const { return open_.empty() ? end() : *open_.begin(); }

  int64_t Append(LogRecord record);
  // Ends a transaction's records here: they become committed or aborted, and a marker follows.
  void End(const std::string& transactional_id, uint64_t transaction, bool commit, int64_t timestamp_us);

  // Retention: offsets below this are gone for readers.
  void Cut(int64_t offset);
  // Of each key, only the last committed record below the stable end stays; a tombstone for so long after the first
  // compaction that has met it.
  void Compact(int64_t now_us, int64_t tombstones_kept_us);

  // The first readable record from `from` on, below the stable end; null when there is none.
  const LogRecord* Next(int64_t from) const;
  // The same for the checker, who sees what retention and compaction took from the readers.
  const LogRecord* NextEver(int64_t from) const;
  const LogRecord& at(int64_t offset) const { return records_[static_cast<size_t>(offset)]; }

 private:
  int64_t begin_ = 0;
  std::vector<LogRecord> records_;  // by offset
  std::set<int64_t> open_;          // offsets of open transactions' records
};

}  // namespace portrait::simulation
