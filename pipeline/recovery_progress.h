// How far a recovery is: a share for people and metrics, and a line in the log now and then with rate and time left.
//
//   RecoveryProgress progress(clock, partition, [&](double share) { ... });
//   progress.Expect(records, steps);
//   progress.Restored(100'000);   // records of the changelog, all so far
//   progress.Replayed(2'000);     // steps of the journal's tail, all so far
#pragma once

#include <cstdint>
#include <functional>

#include "pipeline/ports/clock.h"

namespace portrait {

// One thread.
class RecoveryProgress {
 public:
  RecoveryProgress(const Clock& clock, int32_t partition, std::function<void(double share)> tell);

  // About: the changelog may hold fewer records than offsets.
  void Expect(uint64_t records, uint64_t steps);
  void Restored(uint64_t records);
  void Replayed(uint64_t steps);

  double share() const;

 private:
  void Tell();

  const Clock& clock_;
  const int32_t partition_;
  const std::function<void(double)> tell_;
  const Duration begin_;
  Duration told_;
  uint64_t records_expected_ = 0, steps_expected_ = 0;
  uint64_t records_ = 0, steps_ = 0;
};

}  // namespace portrait
