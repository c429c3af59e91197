// How good probabilities were, once it is known what came.
//
//   Judgement j = Judge(probabilities, happened);   // j.auc, j.brier, j.calibration_error
#pragma once

#include <cstddef>
#include <vector>

#include "absl/types/span.h"

namespace portrait {

// Of some of like probabilities: what was said on average, and how often it happened.
struct CalibrationGroup {
  size_t customers = 0;
  double predicted = 0, happened = 0;
};

struct Judgement {
  size_t customers = 0, happened = 0;
  double auc = 0;                // that of two customers the one it happens to has the higher one; NaN: all the same
  double brier = 0;              // mean squared difference
  double log_loss = 0;           // mean -ln of the probability of what came; probabilities count from 1e-9 to 1 - 1e-9
  double calibration_error = 0;  // mean difference of the mean probability and the share, over ten equal groups
  std::vector<CalibrationGroup> groups{};  // those, from the lowest probabilities on; none is empty
};

// Of equal length; probabilities from 0 to 1.
Judgement Judge(absl::Span<const double> probabilities, const std::vector<bool>& happened);

}  // namespace portrait
