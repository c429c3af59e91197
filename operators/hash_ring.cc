#include "operators/hash_ring.h"

#include <algorithm>

namespace portrait {
namespace {

// Oldest first, no more than `capacity`.
void Straighten(HashRing& ring, uint32_t oldest, int capacity) {
  if (oldest < static_cast<uint32_t>(ring.size())) {
    std::rotate(ring.begin(), ring.begin() + static_cast<int>(oldest), ring.end());
  }
  if (ring.size() > capacity) ring.erase(ring.begin(), ring.end() - capacity);
}

}  // namespace

uint32_t RingAdd(HashRing& ring, uint32_t oldest, int capacity, uint64_t hash) {
  const auto size = static_cast<uint32_t>(capacity);
  const bool as_expected = ring.size() == capacity ? oldest < size : ring.size() < capacity && oldest == 0;
  if (!as_expected) {
    Straighten(ring, oldest, capacity);
    oldest = 0;
  }
  if (ring.size() < capacity) {
    ring.Add(hash);
    return 0;
  }
  ring.Set(static_cast<int>(oldest), hash);
  return oldest + 1 == size ? 0 : oldest + 1;
}

}  // namespace portrait
