#include "pipeline/journal_places.h"

#include <algorithm>

#include "pipeline/invariant.h"

namespace portrait {

void JournalPlaces::Add(uint64_t last, uint64_t floor, int64_t offset) {
  const int64_t before = places_.empty() ? 0 : places_.back().offset;
  Invariant(floor >= floor_, "the floor of the journal falls");
  Invariant(places_.empty() || last >= places_.back().last, "the steps of the journal go back");
  places_.push_back({last, std::max(offset, before)});
  floor_ = floor;
  while (places_.size() > 1 && places_.front().last < floor_) places_.pop_front();
}

}  // namespace portrait
