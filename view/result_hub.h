// The latest committed results, for streams that follow them and for timelines: those of this process as it commits
// them, and those of others as they are read (other_results.h).
//
//   ResultHub hub(options, thread);      // a ResultListener of the engine
//   hub.Follow(filter, last_id) …        // a TextStream of server-sent events
//
// Workers hand results over and go on; what they are made into is made on the server's thread. The ring is bounded in
// bytes: the oldest results leave. A stream remembers only its place in the ring; one that falls out of it is cut off.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "operators/time.h"
#include "pipeline/ports/clock.h"
#include "pipeline/result_listener.h"
#include "portrait/v1/result.pb.h"
#include "view/http_message.h"
#include "view/server_thread.h"

namespace portrait::view {

struct StreamFilter {
  std::set<std::string, std::less<>> customers, tags;  // empty: all
  bool changes = true, alerts = true;
  v1::ChurnAlert::Band band = v1::ChurnAlert::NONE;  // of alerts, at least
  bool masked = false;
};

// What was counted since the process started, of its own, for the overview.
struct ResultCounts {
  absl::flat_hash_map<std::string, int64_t> gained, lost;  // by tag
  absl::flat_hash_map<int, int64_t> alerts;                // by v1::ChurnAlert::Band; NONE: closed
  int64_t results = 0;
  std::vector<double> latency_ms;  // of live results since they were last taken: from the event's time to the commit
};

class ResultHub final : public ResultListener {
 public:
  struct Options {
    std::string instance;
    size_t bytes = 32u << 20;
  };
  // `clock` and `thread` must outlive it.
  ResultHub(Options options, ServerThread& thread, const Clock& clock);
  ~ResultHub() override;

  // -- Workers' threads --
  void OnCommitted(const CommittedResults& results) override;
  void OnGap() override;

  // -- Any thread --

  // A v1.ChurnAlert or v1.TagChange that is committed, perhaps by this process: then it is not told twice.
  void OnElsewhere(bool alert, const v1::ResultInfo& info, std::string bytes);
  // Others may have committed what this process has not heard of.
  void OnGapElsewhere();

  // -- The server's thread --

  // A stream after the result `last_id`; empty: of what comes from now on.
  std::shared_ptr<TextStream> Follow(StreamFilter filter, std::string_view last_id);

  struct Remembered {
    std::vector<v1::TagChange> changes;
    std::vector<v1::ChurnAlert> alerts;
    Timestamp since;  // no result committed later is missing
  };
  // A customer's results, in the order in which they were committed.
  Remembered Of(std::string_view customer);
  // Adds what came since the last call.
  void TakeCounts(ResultCounts& counts);

 private:
  class Stream;
  struct Entry {
    uint64_t number = 0;
    bool alert = false;
    std::string customer;
    std::string bytes;  // v1.TagChange or v1.ChurnAlert
    int64_t emission_us = 0;
    bool gap = false;  // stands for results that are not known
    bool elsewhere = false;
    uint64_t id = 0;  // a hash of the result's
    // As they are sent, made when first needed.
    std::string text[2];  // as it is, masked
    std::string tag;      // of a change
    v1::ChurnAlert::Band band = v1::ChurnAlert::NONE;
    bool read = false;  // tag and band are set
  };

  void HandOver(std::vector<Entry> entries, bool lost);
  void Drain();
  void Add(Entry entry);
  void Read(Entry& entry);
  const std::string& TextOf(Entry& entry, bool masked);
  std::string IdOf(uint64_t number) const;
  uint64_t oldest() const { return ring_.empty() ? next_ : ring_.front().number; }

  const Options options_;
  ServerThread& thread_;
  const Clock& clock_;
  const std::string epoch_;

  std::mutex mutex_;
  std::vector<Entry> incoming_;  // guarded by mutex_
  size_t incoming_bytes_ = 0;
  bool incoming_lost_ = false;

  // On the server's thread.
  std::deque<Entry> ring_;
  size_t bytes_ = 0;
  absl::flat_hash_set<uint64_t> ids_;  // of those in the ring
  uint64_t next_ = 1;
  Timestamp since_;  // no result of this process is missing after it
  ResultCounts counts_;
  std::set<Stream*> streams_;
};

}  // namespace portrait::view
