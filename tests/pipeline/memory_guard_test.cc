#include "pipeline/memory_guard.h"

#include <catch2/catch_test_macros.hpp>
#include <vector>

namespace portrait {
namespace {

constexpr size_t kLimit = 1'000'000, kPlanned = 600'000;

TEST_CASE("rows have all that was planned for them while the process is within its limit") {
  MemoryGuard guard(kLimit, kPlanned);
  CHECK(guard.Adjust(100'000) == kPlanned);
  CHECK(guard.Adjust(940'000) == kPlanned);
}

TEST_CASE("rows give way by what is too much, a step at a time, and never below a third") {
  MemoryGuard guard(kLimit, kPlanned);
  CHECK(guard.Adjust(960'000) == kPlanned - 10'000);
  CHECK(guard.Adjust(2'000'000) == kPlanned - 40'000);
  for (int i = 0; i < 100; ++i) guard.Adjust(2'000'000);
  CHECK(guard.Adjust(2'000'000) == kPlanned / 3);
}

TEST_CASE("rows get it back slowly once there is room, not at the edge") {
  MemoryGuard guard(kLimit, kPlanned);
  for (int i = 0; i < 10; ++i) guard.Adjust(1'200'000);
  const size_t least = guard.Adjust(1'200'000);
  CHECK(guard.Adjust(930'000) == least);
  CHECK(guard.Adjust(910'000) == least + 6'000);
  for (int i = 0; i < 100; ++i) guard.Adjust(500'000);
  CHECK(guard.Adjust(500'000) == kPlanned);
}

TEST_CASE("a step has time to work before the next, but not beyond the limit") {
  MemoryGuard guard(kLimit, kPlanned);
  const size_t first = guard.Adjust(960'000);
  for (int i = 0; i < 4; ++i) CHECK(guard.Adjust(960'000) == first);
  CHECK(guard.Adjust(960'000) == first - 10'000);
  CHECK(guard.Adjust(1'010'000) == first - 10'000 - kPlanned / 20);
}

TEST_CASE("the process knows what it takes") {
  const size_t before = ResidentBytes();
  CHECK(before > 1'000'000);
  std::vector<char> more(100'000'000, 'x');
  CHECK(ResidentBytes() > before + 90'000'000);
  CHECK(more.back() == 'x');
}

}  // namespace
}  // namespace portrait
