// Puts the records of a task's sources into one order: by (event time, source, offset).
//
// A source that has nothing here is waited for only while it is known to have more, and at most merge_wait (as
// Kafka Streams does, KIP-353 and KIP-695): an idle topic delays nothing, and a backlog that was there from the start
// is always taken in the same order.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "pipeline/fifo.h"
#include "pipeline/input.h"

namespace portrait {

// One thread.
class Merge {
 public:
  // What the broker last said of a source: the offset after its last readable record, or -1 for unknown.
  using EndOffset = std::function<int64_t(size_t source)>;

  Merge(size_t sources, Duration merge_wait) : sources_(sources), merge_wait_(merge_wait) {}

  // Where each source goes on, and the end that is known already (so that waiting is right before the broker answers).
  void Start(const std::vector<int64_t>& next_offsets, const std::vector<int64_t>& known_ends);

  // Records of one source in offset order.
  void Push(size_t source, Input&& input);

  enum class State {
    kReady,    // Pop may be called
    kWaiting,  // something is here, or known to come, but a source is waited for
    kIdle,     // nothing is here, and nothing is known to come
  };
  // `now`: monotonic time.
  State Look(Duration now, const EndOffset& end_offset);

  // The first input in order, until Pop. Both only after Look said kReady.
  const Input& First();
  void Pop();

  bool empty(size_t source) const { return sources_[source].inputs.empty(); }
  // Records known to be in the log beyond what was popped.
  int64_t Lag(size_t source, int64_t end_offset) const;

 private:
  struct Source {
    Fifo<Input> inputs;
    int64_t next_offset = 0;  // after the last record that was pushed
    int64_t known_end = -1;
    int64_t given_up_end = -1;  // waited for this end in vain: what lies below it are no records
    std::optional<Duration> waiting_since;
  };
  bool MustWaitFor(Source& source, Duration now, int64_t end);

  std::vector<Source> sources_;
  Source* first_ = nullptr;  // what First has found
  Duration merge_wait_;
  size_t buffered_ = 0;
};

}  // namespace portrait
