#include "operators/rhythm.h"

#include <algorithm>
#include <cmath>

#include "absl/container/inlined_vector.h"

namespace portrait {
namespace {

constexpr double kReach = 1.5;
constexpr double kNormal = 1.4826;     // makes the median absolute deviation that of a normal distribution
constexpr double kLeastSpread = 0.15;  // so that pauses of 30, 30, 30 and 31 days have no odd one among them

using Logs = absl::InlinedVector<double, 16>;

double MedianOf(Logs values) {
  std::sort(values.begin(), values.end());
  const size_t n = values.size();
  return n % 2 == 1 ? values[n / 2] : (values[n / 2 - 1] + values[n / 2]) / 2;
}

// Draws what lies far from the median in to 1.5 spreads from it.
void DrawIn(Logs& logs) {
  const double median = MedianOf(logs);
  Logs deviations;
  for (double log : logs) deviations.push_back(std::abs(log - median));
  const double reach = kReach * std::max(kLeastSpread, kNormal * MedianOf(deviations));
  for (double& log : logs) log = std::clamp(log, median - reach, median + reach);
}

}  // namespace

Rhythm RhythmOf(absl::Span<const int32_t> gap_days) {
  Rhythm out;
  out.gaps = static_cast<int>(gap_days.size());
  if (gap_days.empty()) return out;
  Logs logs;
  for (int32_t gap : gap_days) logs.push_back(std::log(std::max(1, gap)));
  if (logs.size() >= 3) DrawIn(logs);
  double sum = 0, squares = 0;
  for (double log : logs) sum += log;
  out.log_mean = sum / out.gaps;
  for (double log : logs) squares += (log - out.log_mean) * (log - out.log_mean);
  if (out.gaps >= 2) out.log_spread = std::sqrt(squares / (out.gaps - 1));
  return out;
}

Rhythm Shrunk(const Rhythm& own, const RhythmPrior& prior) {
  const double n = own.gaps, freedom = std::max(0.0, n - 1);
  Rhythm out;
  out.gaps = own.gaps;
  out.log_mean = (n * own.log_mean + prior.mean_weight * prior.log_mean) / (n + prior.mean_weight);
  const double variance =
      (freedom * own.log_spread * own.log_spread + prior.spread_weight * prior.log_spread * prior.log_spread) /
      (freedom + prior.spread_weight);
  out.log_spread = std::sqrt(variance * (1 + 1 / (n + prior.mean_weight)));
  return out;
}

double QuantileDays(const Rhythm& rhythm, double spreads) {
  return std::exp(rhythm.log_mean + spreads * rhythm.log_spread);
}

}  // namespace portrait
