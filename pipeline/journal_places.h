// Where the entries that a recovery may need lie in the journal, so that what lies before them can be cut.
//
// A recovery reads from the entry that holds the floor of the last committed one, or from the last entry when the floor
// is beyond it. That entry stays whole: only what lies below its offset is ever cut.
#pragma once

#include <cstdint>
#include <deque>

namespace portrait {

// One thread.
class JournalPlaces {
 public:
  // An entry is committed: its last step, its floor, and its offset. An offset that is not known exactly may be given
  // too low; -1 stands for that of the entry before.
  void Add(uint64_t last, uint64_t floor, int64_t offset);

  // The floor of the last entry; 0 before the first.
  uint64_t floor() const { return floor_; }
  // Nothing below this offset is needed any more. 0 before the first entry.
  int64_t NeededFrom() const { return places_.empty() ? 0 : places_.front().offset; }

 private:
  struct Place {
    uint64_t last = 0;
    int64_t offset = 0;
  };
  std::deque<Place> places_;  // from the entry that holds the floor on
  uint64_t floor_ = 0;
};

}  // namespace portrait
