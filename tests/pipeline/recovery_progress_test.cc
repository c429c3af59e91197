#include "pipeline/recovery_progress.h"

#include <catch2/catch_test_macros.hpp>
#include <vector>

#include "pipeline/memory/memory_broker.h"

namespace portrait {
namespace {

TEST_CASE("the share of a recovery grows from nothing to all, a step weighing more than a row") {
  ManualClock clock{FromMicros(0)};
  std::vector<double> told;
  RecoveryProgress progress(clock, 3, [&](double share) { told.push_back(share); });
  progress.Expect(100, 30);
  progress.Restored(50);
  progress.Restored(100);
  progress.Replayed(15);
  progress.Replayed(30);
  CHECK(told == std::vector<double>{0.125, 0.25, 0.625, 1});
}

TEST_CASE("a changelog with fewer records than offsets, and more steps than were expected, end at all") {
  ManualClock clock{FromMicros(0)};
  RecoveryProgress progress(clock, 3, {});
  progress.Expect(1000, 10);
  progress.Restored(7);
  progress.Replayed(12);
  CHECK(progress.share() == 1);
}

TEST_CASE("nothing to do is all") {
  ManualClock clock{FromMicros(0)};
  RecoveryProgress progress(clock, 3, {});
  progress.Expect(0, 0);
  CHECK(progress.share() == 1);
}

}  // namespace
}  // namespace portrait
