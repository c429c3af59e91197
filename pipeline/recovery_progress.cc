#include "pipeline/recovery_progress.h"

#include <algorithm>
#include <utility>

#include "pipeline/log.h"

namespace portrait {
namespace {

constexpr Duration kBetweenLines = seconds(5);
constexpr double kStepWeight = 10;  // a step replayed costs about as much as this many rows restored

}  // namespace

RecoveryProgress::RecoveryProgress(const Clock& clock, int32_t partition, std::function<void(double share)> tell)
    : clock_(clock), partition_(partition), tell_(std::move(tell)), begin_(clock.Monotonic()), told_(begin_) {}

void RecoveryProgress::Expect(uint64_t records, uint64_t steps) {
  records_expected_ = records;
  steps_expected_ = steps;
}

void RecoveryProgress::Restored(uint64_t records) {
  records_ = records;
  Tell();
}

void RecoveryProgress::Replayed(uint64_t steps) {
  records_ = records_expected_;  // what was not found is not there
  steps_ = steps;
  Tell();
}

double RecoveryProgress::share() const {
  const double expected = static_cast<double>(records_expected_) + kStepWeight * static_cast<double>(steps_expected_);
  if (expected <= 0) return 1;
  return std::min(1.0, (static_cast<double>(records_) + kStepWeight * static_cast<double>(steps_)) / expected);
}

void RecoveryProgress::Tell() {
  if (tell_) tell_(share());
  const Duration now = clock_.Monotonic();
  if (now - told_ < kBetweenLines) return;
  told_ = now;
  const double took_s = std::chrono::duration<double>(now - begin_).count();
  const double left_s = share() > 0 ? took_s * (1 - share()) / share() : 0;
  LogInfo("restoring", {{"partition", partition_},
                        {"percent", static_cast<int64_t>(100 * share())},
                        {"rows", records_},
                        {"rows_per_second", static_cast<int64_t>(static_cast<double>(records_) / took_s)},
                        {"steps_replayed", steps_},
                        {"seconds_left", static_cast<int64_t>(left_s)}});
}

}  // namespace portrait
