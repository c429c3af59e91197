#include "operators/models/calibration_curve.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "absl/strings/str_cat.h"

namespace portrait {
namespace {

constexpr size_t kLeastOfGroup = 50;

// Some scores that follow one another.
struct Pool {
  double scores = 0, count = 0;     // the sum, and how many
  double happened = 0, weight = 0;  // with half an example more of either kind for each group
  double Share() const { return happened / weight; }
};

std::vector<Pool> Groups(absl::Span<const double> scores, const std::vector<bool>& happened) {
  const size_t n = scores.size();
  const size_t groups = std::min(CalibrationCurve::kMostKnots, n / kLeastOfGroup);
  std::vector<size_t> order(n);
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return scores[a] < scores[b]; });
  std::vector<Pool> out;
  size_t i = 0;
  for (size_t group = 1; group <= groups; ++group) {
    Pool pool{.happened = 0.5, .weight = 1};
    // Equal scores stay together.
    while (i < n && (i < group * n / groups || (i > 0 && scores[order[i]] == scores[order[i - 1]]))) {
      pool.scores += scores[order[i]], pool.count += 1, pool.weight += 1;
      pool.happened += happened[order[i]] ? 1 : 0;
      ++i;
    }
    if (pool.count > 0) out.push_back(pool);
  }
  return out;
}

}  // namespace

absl::StatusOr<CalibrationCurve> CalibrationCurve::Of(std::vector<CalibrationKnot> knots) {
  if (knots.size() < 2 || knots.size() > kMostKnots) {
    return absl::InvalidArgumentError(absl::StrCat("must be 2 to ", kMostKnots, " knots: ", knots.size()));
  }
  for (size_t i = 0; i < knots.size(); ++i) {
    const bool in_range = std::abs(knots[i].score) <= kMost && std::abs(knots[i].calibrated) <= kMost;
    const bool rises = i == 0 || (knots[i].score > knots[i - 1].score && knots[i].calibrated > knots[i - 1].calibrated);
    if (in_range && rises) continue;
    return absl::InvalidArgumentError(absl::StrCat("knot ", i, ": score and calibrated must be numbers from ", -kMost,
                                                   " to ", kMost, ", above those of the knot before: ", knots[i].score,
                                                   ", ", knots[i].calibrated));
  }
  CalibrationCurve out;
  out.knots_ = std::move(knots);
  return out;
}

double CalibrationCurve::At(double score) const {
  const CalibrationKnot &first = knots_.front(), &last = knots_.back();
  if (score <= first.score) return first.calibrated + (score - first.score);
  if (score >= last.score) return last.calibrated + (score - last.score);
  const auto above =
      std::upper_bound(knots_.begin(), knots_.end(), score, [](double s, const auto& knot) { return s < knot.score; });
  const CalibrationKnot &from = *(above - 1), &to = *above;
  const double way = (score - from.score) / (to.score - from.score);
  return from.calibrated + way * (to.calibrated - from.calibrated);
}

std::optional<CalibrationCurve> FitIsotonic(absl::Span<const double> scores, const std::vector<bool>& happened) {
  std::vector<Pool> pools;
  for (Pool pool : Groups(scores, happened)) {
    while (!pools.empty() && pools.back().Share() >= pool.Share()) {
      pool.scores += pools.back().scores, pool.count += pools.back().count;
      pool.happened += pools.back().happened, pool.weight += pools.back().weight;
      pools.pop_back();
    }
    pools.push_back(pool);
  }
  std::vector<CalibrationKnot> knots;
  for (const Pool& pool : pools) {
    knots.push_back({pool.scores / pool.count, std::log(pool.happened) - std::log(pool.weight - pool.happened)});
  }
  auto curve = CalibrationCurve::Of(std::move(knots));
  if (!curve.ok()) return std::nullopt;
  return *std::move(curve);
}

}  // namespace portrait
