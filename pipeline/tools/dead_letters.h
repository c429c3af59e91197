// Dead letters: what they are about, and sending their records again once the cause is gone.
//
// A record goes back as it was: topic, key, bytes, headers, timestamp; the partition is found anew from the key (so a
// wrong partition heals), or stays for a record without one. A letter that was cut holds only the start of the value:
// the original is fetched from its topic, as long as it is still there.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "pipeline/ports/log_reader.h"
#include "pipeline/tools/record_sink.h"
#include "portrait/v1/result.pb.h"

namespace portrait {

// How many there are, of what, since when.
class LetterCounts {
 public:
  void Add(const v1::DeadLetter& letter);
  uint64_t total() const { return total_; }
  // A table by code and topic with count, first and last time, and one example; ends with a line break.
  std::string Text() const;

 private:
  struct Group {
    uint64_t count = 0;
    int64_t first_us = INT64_MAX, last_us = INT64_MIN;
    std::string example;
  };
  std::map<std::pair<std::string, std::string>, Group> groups_;  // by code and topic
  uint64_t total_ = 0;
};

// One thread.
class LetterSender {
 public:
  // `sink` and `reader` must outlive this. `sink` null: a dry run. `reader` null: cut letters cannot be sent.
  LetterSender(RecordSink* sink, LogReader* reader, Duration timeout)
      : sink_(sink), reader_(reader), timeout_(timeout) {}

  // Not OK: sending itself failed. A letter whose original is gone is counted, and is no error.
  absl::Status Send(const v1::DeadLetter& letter);

  uint64_t sent() const { return sent_; }
  const std::map<std::string, uint64_t>& by_topic() const { return by_topic_; }
  const std::map<std::string, uint64_t>& not_sent() const { return not_sent_; }  // by reason

 private:
  absl::StatusOr<Record> FetchOriginal(const v1::DeadLetter& letter);

  RecordSink* sink_;
  LogReader* reader_;
  Duration timeout_;
  uint64_t sent_ = 0;
  std::map<std::string, uint64_t> by_topic_;
  std::map<std::string, uint64_t> not_sent_;
};

}  // namespace portrait
