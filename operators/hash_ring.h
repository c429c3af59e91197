// The last so many hashes, in a repeated field of a state message: a new one takes the place of the oldest.
//
//   if (!RingContains(state.ids(), hash)) state.set_oldest(RingAdd(*state.mutable_ids(), state.oldest(), 64, hash));
//
// A stored ring fits any capacity: when the capacity has changed, the next addition keeps the newest that fit.
#pragma once

#include <cstdint>

#include "google/protobuf/repeated_field.h"

namespace portrait {

using HashRing = google::protobuf::RepeatedField<uint64_t>;

inline bool RingContains(const HashRing& ring, uint64_t hash) {
  bool found = false;
  for (const uint64_t entry : ring) found |= entry == hash;  // no early end: so the compiler can make vectors of it
  return found;
}

// `oldest` is the index of the oldest entry of a full ring, 0 while it is not full. Returns that index afterwards.
uint32_t RingAdd(HashRing& ring, uint32_t oldest, int capacity, uint64_t hash);

}  // namespace portrait
