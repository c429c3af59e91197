#include "pipeline/training/calibration.h"

#include <array>
#include <cmath>

#include "pipeline/training/churn_table.h"

namespace portrait {
namespace {

constexpr double kLeastSlope = 0.2, kMostSlope = 5;

Calibration Platt(const Examples& scores) {
  const auto fitted = FitLinear(scores, {.link = Link::kLogit, .ridge = 1e-6});
  if (!fitted.ok() || !(fitted->spread[0] > 0)) return {};
  const double slope = fitted->weight[0] / fitted->spread[0];
  if (!(slope >= kLeastSlope && slope <= kMostSlope)) return {};  // the scores tell nothing, or too few are there
  return {.slope = slope, .shift = fitted->intercept - slope * fitted->mean[0], .curve = {}};
}

std::optional<CalibrationCurve> CurveOn(const Calibration& platt, const Examples& scores) {
  std::vector<double> scaled;
  std::vector<bool> happened;
  for (size_t i = 0; i < scores.size(); ++i) {
    scaled.push_back(platt.slope * scores.Row(i)[0] + platt.shift);
    happened.push_back(scores.labels[i] > 0);
  }
  return FitIsotonic(scaled, happened);
}

// Whether a curve tells parts that it has not seen better.
bool CurveIsBetter(const UnseenScores& unseen) {
  const Examples& all = unseen.scores;
  const auto n = static_cast<double>(all.size());
  double sum = 0, squares = 0;
  for (size_t part = 0; part < ChurnTable::kParts; ++part) {
    Examples rest{.features = 1};
    for (size_t i = 0; i < all.size(); ++i) {
      if (unseen.parts[i] != part) rest.Add(all.Row(i), all.labels[i]);
    }
    const Calibration platt = Platt(rest);
    const auto curve = CurveOn(platt, rest);
    if (!curve) return false;
    for (size_t i = 0; i < all.size(); ++i) {
      if (unseen.parts[i] != part) continue;
      const double score = platt.slope * all.Row(i)[0] + platt.shift;
      const double gain = LogLoss(score, all.labels[i]) - LogLoss(curve->At(score), all.labels[i]);
      sum += gain, squares += gain * gain;
    }
  }
  const double mean = sum / n, variance = squares / n - mean * mean;
  return mean > std::sqrt(variance / n);
}

}  // namespace

void UnseenScores::Add(size_t part, double score, double label) {
  scores.Add(std::array<double, 1>{score}, label);
  parts.push_back(part);
}

double LogLoss(double score, double label) {
  const double log_one_plus = score > 0 ? score + std::log1p(std::exp(-score)) : std::log1p(std::exp(score));
  return log_one_plus - label * score;
}

Calibration Calibrate(const UnseenScores& unseen) {
  if (unseen.scores.size() < kLeastChurnExamples) return {};
  Calibration out = Platt(unseen.scores);
  if (CurveIsBetter(unseen)) out.curve = CurveOn(out, unseen.scores);
  return out;
}

}  // namespace portrait
