#include "operators/models/quantile_sketch.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <limits>

namespace portrait {

void QuantileSketch::Add(double value) {
  if (std::isnan(value)) value = -std::numeric_limits<double>::infinity();
  ++count_;
  const auto next = held_.lower_bound(value);
  if (next != held_.end() && next->first == value) {
    ++next->second.covers, ++next->second.at_least;
    return;
  }
  // What the value above covers may lie below the new one or above it, but for those that are equal to it.
  const uint64_t doubt = next == held_.end() ? 0 : next->second.covers + next->second.doubt - next->second.at_least;
  held_.emplace_hint(next, value, Held{.covers = 1, .doubt = doubt, .at_least = 1});
  if (held_.size() > merge_at_) Merge();
}

// From the top, so that what has been merged can be merged again.
void QuantileSketch::Merge() {
  merged_ = true;
  const auto most = static_cast<uint64_t>(options_.error * static_cast<double>(count_));
  auto above = std::prev(held_.end());
  while (above != held_.begin()) {
    const auto one = std::prev(above);
    Held& upper = above->second;
    if (one->second.covers + upper.covers + upper.doubt - upper.at_least > most) {
      above = one;
      continue;
    }
    upper.covers += one->second.covers;
    held_.erase(one);
  }
  merge_at_ = std::max(options_.exact_values, 2 * held_.size());
}

double QuantileSketch::Quantile(double share) const {
  if (held_.empty()) return std::numeric_limits<double>::quiet_NaN();
  // Shares such as 0.2 are no binary fractions: the rank of a fifth of 15 numbers is 3, not 4.
  constexpr double kRounding = 1e-9;
  const double rank = std::ceil(std::clamp(share, 0.0, 1.0) * static_cast<double>(count_) - kRounding);
  uint64_t up_to = 0;
  for (const auto& [value, held] : held_) {
    up_to += held.covers;
    if (static_cast<double>(up_to) + static_cast<double>(held.doubt) / 2 >= rank) return value;
  }
  return held_.rbegin()->first;
}

}  // namespace portrait
