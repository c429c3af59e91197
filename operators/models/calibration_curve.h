// A calibration of log-odds that only ever rises: isotonic regression, drawn as straight lines between few knots.
//
//   std::optional<CalibrationCurve> curve = FitIsotonic(scores, happened);
//   double calibrated = curve->At(score);
//
// Beyond the first and the last knot it goes on with a slope of 1, so it is continuous, equal scores alone become
// equal, and no probability becomes 0 or 1.
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"

namespace portrait {

struct CalibrationKnot {
  double score = 0, calibrated = 0;  // log-odds
};

// Constant; pure.
class CalibrationCurve {
 public:
  static constexpr size_t kMostKnots = 20;
  static constexpr double kMost = 100;  // either way

  // InvalidArgument: fewer than two knots or too many, or they do not rise, both ways; it names the knot.
  static absl::StatusOr<CalibrationCurve> Of(std::vector<CalibrationKnot> knots);

  double At(double score) const;
  const std::vector<CalibrationKnot>& knots() const { return knots_; }

 private:
  std::vector<CalibrationKnot> knots_;
};

// Scores in order fall into at most kMostKnots groups of the same size; neighbours that do not rise are pooled (pool
// adjacent violators: M. Ayer et al., An empirical distribution function for sampling with incomplete information,
// 1955; B. Zadrozny, C. Elkan, Transforming classifier scores into accurate multiclass probability estimates, 2002).
// A knot is the mean score of what was pooled, and its log-odds with half an example more of either kind. Nothing: too
// few scores, or all is pooled to one.
std::optional<CalibrationCurve> FitIsotonic(absl::Span<const double> scores, const std::vector<bool>& happened);

}  // namespace portrait
