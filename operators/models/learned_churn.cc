#include "operators/models/learned_churn.h"

namespace portrait {

double LearnedChurn::Uncalibrated(absl::Span<const double> row) const {
  return model.Score(row) + (trees ? trees->Score(row) : 0);
}

double LearnedChurn::Score(absl::Span<const double> row) const {
  const double score = Uncalibrated(row);
  return curve ? curve->At(score) : score;
}

LearnedChurn::Explanation LearnedChurn::Explain(absl::Span<const double> row) const {
  constexpr double kNoDistance = 1e-9;  // of log-odds: both ends of the slope are one
  Explanation out{.base = model.intercept};
  for (size_t i = 0; i < row.size(); ++i) out.contributions.push_back(model.Contribution(i, row[i]));
  if (trees) {
    out.base += trees->expected();
    trees->AddContributions(row, absl::MakeSpan(out.contributions));
  }
  if (!curve) return out;
  const double base = out.base, score = Uncalibrated(row);
  out.base = curve->At(base);
  if (std::abs(score - base) < kNoDistance) return out;
  const double slope = (curve->At(score) - out.base) / (score - base);
  for (double& contribution : out.contributions) contribution *= slope;
  return out;
}

void LearnedChurn::Rescale(double slope, double shift) {
  model.intercept = slope * model.intercept + shift;
  for (double& weight : model.weight) weight *= slope;
  if (trees) trees->Scale(slope);
}

}  // namespace portrait
