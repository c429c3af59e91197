// Sets the scores of a model right in level, slope and shape, by what it said of customers that it had not seen.
//
//   UnseenScores unseen;
//   unseen.Add(part, log_odds, no_order); …
//   const Calibration calibration = Calibrate(unseen);
//
// Platt scaling (J. Platt, Probabilistic Outputs for Support Vector Machines, 1999): a logistic regression on the
// scores; and isotonic regression on top of it (operators/models/calibration_curve.h) where that is better: fitted to
// all parts but one it tells the one that is left out, part by part, and its log loss must be lower by more than one
// standard error of the difference.
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "operators/models/calibration_curve.h"
#include "operators/models/linear_model.h"

namespace portrait {

struct UnseenScores {
  Examples scores{.features = 1};
  std::vector<size_t> parts;

  void Add(size_t part, double score, double label);
};

struct Calibration {
  double slope = 1, shift = 0;
  std::optional<CalibrationCurve> curve;  // of what slope and shift give
};

// Neither where there are too few scores, or they tell nothing.
Calibration Calibrate(const UnseenScores& unseen);

// Of a score as log-odds and a label of 0 or 1.
double LogLoss(double score, double label);

}  // namespace portrait
