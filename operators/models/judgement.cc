#include "operators/models/judgement.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace portrait {

Judgement Judge(absl::Span<const double> probabilities, const std::vector<bool>& happened) {
  constexpr size_t kGroups = 10;
  constexpr double kLeast = 1e-9;
  const size_t n = probabilities.size();
  Judgement out{.customers = n};
  std::vector<size_t> order(n);
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return probabilities[a] < probabilities[b]; });
  double ranks = 0;  // of those it happened to, equal ones sharing theirs
  for (size_t i = 0; i < n;) {
    size_t j = i, here = 0;
    for (; j < n && probabilities[order[j]] == probabilities[order[i]]; ++j) here += happened[order[j]];
    ranks += static_cast<double>(here) * (static_cast<double>(i + j + 1) / 2);
    out.happened += here;
    i = j;
  }
  const auto ones = static_cast<double>(out.happened), zeros = static_cast<double>(n) - ones;
  out.auc = (ranks - ones * (ones + 1) / 2) / (ones * zeros);
  for (size_t i = 0; i < n; ++i) {
    const double off = probabilities[i] - (happened[i] ? 1 : 0);
    out.brier += off * off / static_cast<double>(n);
    out.log_loss -= std::log(std::clamp(1 - std::abs(off), kLeast, 1 - kLeast)) / static_cast<double>(n);
  }
  for (size_t group = 0; group < kGroups; ++group) {
    double off = 0;
    CalibrationGroup some;
    for (size_t i = group * n / kGroups; i < (group + 1) * n / kGroups; ++i) {
      off += probabilities[order[i]] - (happened[order[i]] ? 1 : 0);
      ++some.customers, some.predicted += probabilities[order[i]], some.happened += happened[order[i]] ? 1 : 0;
    }
    out.calibration_error += std::abs(off) / static_cast<double>(n);
    if (some.customers == 0) continue;
    some.predicted /= static_cast<double>(some.customers), some.happened /= static_cast<double>(some.customers);
    out.groups.push_back(some);
  }
  return out;
}

}  // namespace portrait
