// The past of customers, for trials of rules: their events, read from the source topics or from files.
//
//   History history({.customers = {"00042"}});
//   status = history.ReadFile("events.ndjson");
//   history.ForEach([&](const std::string& customer, const std::vector<Event>& events) { … });
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "operators/event.h"
#include "pipeline/config/config.h"
#include "pipeline/decode/decoder.h"

namespace portrait {

struct HistoryOptions {
  std::set<std::string, std::less<>> customers;  // only these; all when empty
  double share = 1;                              // of the customers, by a hash of their ids: always the same ones
  std::function<void(uint64_t events)> progress;
};

// Holds all events in memory, as bytes. One thread.
class History {
 public:
  explicit History(HistoryOptions options = {}) : options_(std::move(options)) {}

  // These files, or the source topics when there are none.
  absl::Status Read(const std::vector<std::string>& files, const Config& config);

  // A file with a JSON event a line, as `portrait generate` and `portrait import` write them with --out; plain or
  // gzipped. What cannot be read is counted by its code.
  absl::Status ReadFile(const std::filesystem::path& path);

  // All that the source topics hold now. Unavailable: the brokers are away; Cancelled: a signal came.
  absl::Status ReadTopics(const Config& config);

  void Add(const Event& event);

  // Each customer in the order of their ids, with the events in the order of their time.
  void ForEach(const std::function<void(const std::string& customer, const std::vector<Event>& events)>& visit) const;

  uint64_t events() const { return events_; }
  size_t customers() const { return by_customer_.size(); }
  Timestamp first() const { return FromMicros(first_us_); }
  Timestamp last() const { return FromMicros(last_us_); }
  const std::map<std::string, uint64_t>& rejected() const { return rejected_; }

 private:
  struct Held {
    int64_t time_us;
    std::string bytes;
  };

  bool Wanted(std::string_view customer) const;
  void Take(Decoder& decoder, const Record& record, const SourceOptions& source);

  HistoryOptions options_;
  std::map<std::string, std::vector<Held>, std::less<>> by_customer_;
  std::map<std::string, uint64_t> rejected_;  // by code
  uint64_t events_ = 0;
  int64_t first_us_ = INT64_MAX, last_us_ = INT64_MIN;
};

}  // namespace portrait
