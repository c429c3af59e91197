// The journal of one task: the steps of a transaction as they are applied, and an entry taken apart again for replay.
// The format is in proto/portrait/v1/journal.proto.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "portrait/v1/journal.pb.h"
#include "state/timer_index.h"

namespace portrait {

// Collects the steps of the entry that is being written. One thread.
class StepLog {
 public:
  explicit StepLog(size_t sources) : ranges_(sources) {}

  void Input(size_t source, int64_t offset);
  void Tick(int64_t time_us);
  void Firing(const TimerHint& bound);
  void Switch(v1::Switch to);
  void Sweep(v1::Sweep bound);

  uint64_t steps() const { return steps_; }

  // Writes order, sources, ticks and firings into the entry, and begins anew. `topics` and `next_offsets` by source.
  void MoveTo(v1::JournalEntry& entry, const std::vector<std::string>& topics,
              const std::vector<int64_t>& next_offsets);

 private:
  struct Range {
    int64_t first = -1;
    int64_t last = -1;
    uint64_t count = 0;
  };
  void Append(uint64_t what, uint64_t how);

  std::vector<uint64_t> order_;
  std::vector<Range> ranges_;
  std::vector<int64_t> ticks_;
  std::vector<TimerHint> firings_;
  std::vector<v1::Switch> switches_;
  std::vector<v1::Sweep> sweeps_;
  uint64_t steps_ = 0;
};

// What one step of an entry is, as replay meets them in order.
class StepVisitor {
 public:
  virtual ~StepVisitor() = default;
  virtual absl::Status OnInput(uint64_t step, size_t source) = 0;  // the next record of that source's range
  virtual absl::Status OnTick(uint64_t step, int64_t time_us) = 0;
  virtual absl::Status OnFiring(uint64_t step, const TimerHint& bound) = 0;
  virtual absl::Status OnSwitch(uint64_t step, const v1::Switch& to) = 0;
  virtual absl::Status OnSweep(uint64_t step, const v1::Sweep& bound) = 0;
};

// Visits every step of the entry. DataLoss when the entry contradicts itself.
absl::Status VisitSteps(const v1::JournalEntry& entry, StepVisitor& visitor);

bool SameId(const v1::EntryId& a, const v1::EntryId& b);
std::string EntryName(const v1::JournalEntry& entry);  // "steps 17..40 by portrait-1-0/3"

}  // namespace portrait
