// The part of a customer's row that operators see: one state message for each operator, and the timers.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <vector>

#include "absl/container/inlined_vector.h"
#include "operators/operator_states.h"
#include "operators/time.h"
#include "portrait/v1/row.pb.h"

namespace portrait {

// Ordered as timers fire: by time, then operator, then id.
struct TimerEntry {
  Timestamp time;
  Slot slot = 0;
  uint32_t id = 0;

  friend auto operator<=>(const TimerEntry&, const TimerEntry&) = default;
};

// The timers of one row, in the order in which they fire. At most one for each operator and id.
class Timers {
 public:
  void Set(Slot slot, uint32_t id, Timestamp time);
  void Cancel(Slot slot, uint32_t id);
  std::optional<Timestamp> Find(Slot slot, uint32_t id) const;

  bool empty() const { return entries_.empty(); }
  const TimerEntry& first() const { return entries_.front(); }
  void RemoveFirst() { entries_.erase(entries_.begin()); }
  void Clear() { entries_.clear(); }
  std::optional<Timestamp> next() const {
    return entries_.empty() ? std::nullopt : std::optional<Timestamp>(entries_.front().time);
  }

  auto begin() const { return entries_.begin(); }
  auto end() const { return entries_.end(); }

 private:
  absl::InlinedVector<TimerEntry, 4> entries_;
};

// Movable, not copyable; owned by one thread.
struct RowState {
  Timestamp time{};  // the row's own time: the latest event or timer applied; never goes back
  OperatorStates states;
  Timers timers;
  bool gone = false;                       // erased: nothing else is set, as in a row that never was
  std::vector<v1::OperatorState> unknown;  // of operators that are not in this chain; kept as they are
};

}  // namespace portrait
