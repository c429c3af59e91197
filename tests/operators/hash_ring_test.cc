#include "operators/hash_ring.h"

#include <algorithm>
#include <catch2/catch_get_random_seed.hpp>
#include <catch2/catch_test_macros.hpp>
#include <deque>
#include <random>
#include <string>

namespace portrait {
namespace {

std::string Shown(const HashRing& ring) {
  std::string out;
  for (const uint64_t entry : ring) out += std::to_string(entry) + " ";
  return out;
}

TEST_CASE("a full ring forgets the oldest") {
  HashRing ring;
  uint32_t oldest = 0;
  for (uint64_t i = 1; i <= 5; ++i) oldest = RingAdd(ring, oldest, 3, i);
  CHECK(Shown(ring) == "4 5 3 ");
  CHECK(oldest == 2);
}

TEST_CASE("a ring of any capacity, also one that changes, holds the newest") {
  const unsigned seed = Catch::getSeed();  // again by --rng-seed
  INFO("seed " << seed);
  std::mt19937 random(seed);
  for (int run = 0; run < 2000; ++run) {
    HashRing ring;
    std::deque<uint64_t> model;
    uint32_t oldest = 0;
    int capacity = 1 + static_cast<int>(random() % 6);
    for (uint64_t i = 1; i <= 40; ++i) {
      if (random() % 8 == 0) capacity = 1 + static_cast<int>(random() % 6);
      oldest = RingAdd(ring, oldest, capacity, i);
      model.push_back(i);
      while (model.size() > static_cast<size_t>(capacity)) model.pop_front();
      REQUIRE(static_cast<size_t>(ring.size()) == model.size());
      REQUIRE(std::all_of(model.begin(), model.end(), [&](uint64_t entry) { return RingContains(ring, entry); }));
    }
  }
}

TEST_CASE("a position that no ring has, as from bytes that were tampered with, does no harm") {
  HashRing ring;
  for (uint64_t i = 1; i <= 3; ++i) ring.Add(i);
  CHECK(RingAdd(ring, 4'000'000'000, 3, 9) == 1);
  CHECK(Shown(ring) == "9 2 3 ");
}

}  // namespace
}  // namespace portrait
