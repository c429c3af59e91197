#include "operators/row_state.h"

#include <algorithm>

namespace portrait {

void Timers::Set(Slot slot, uint32_t id, Timestamp time) {
  Cancel(slot, id);
  const TimerEntry entry{time, slot, id};
  entries_.insert(std::upper_bound(entries_.begin(), entries_.end(), entry), entry);
}

void Timers::Cancel(Slot slot, uint32_t id) {
  for (auto it = entries_.begin(); it != entries_.end(); ++it) {
    if (it->slot == slot && it->id == id) {
      entries_.erase(it);
      return;
    }
  }
}

std::optional<Timestamp> Timers::Find(Slot slot, uint32_t id) const {
  for (const TimerEntry& entry : entries_) {
    if (entry.slot == slot && entry.id == id) return entry.time;
  }
  return std::nullopt;
}

}  // namespace portrait
