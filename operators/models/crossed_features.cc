#include "operators/models/crossed_features.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace portrait {

CrossedFeatures::CrossedFeatures(absl::Span<const double> values, size_t features, std::vector<size_t> multiplied)
    : multiplied_(std::move(multiplied)) {
  const size_t rows = features > 0 ? values.size() / features : 0;
  for (const size_t feature : multiplied_) {
    double sum = 0, squares = 0;
    for (size_t i = 0; i < rows; ++i) sum += values[i * features + feature];
    const double mean = rows > 0 ? sum / static_cast<double>(rows) : 0;
    for (size_t i = 0; i < rows; ++i) {
      const double off = values[i * features + feature] - mean;
      squares += off * off;
    }
    const double spread = rows > 0 ? std::sqrt(squares / static_cast<double>(rows)) : 0;
    mean_.push_back(mean);
    // What hardly differs, but for rounding, tells nothing.
    spread_.push_back(spread > 1e-9 * (1 + std::abs(mean)) ? spread : 0);
  }
}

std::vector<double> CrossedFeatures::Of(absl::Span<const double> row) const {
  std::vector<double> out, distance;
  out.reserve(row.size() + products());
  out.assign(row.begin(), row.end());
  for (size_t k = 0; k < multiplied_.size(); ++k) {
    const double off = row[multiplied_[k]] - mean_[k];
    distance.push_back(spread_[k] > 0 ? std::clamp(off / spread_[k], -kReach, kReach) : 0);
  }
  for (size_t k = 0; k < distance.size(); ++k) {
    for (size_t with = k; with < distance.size(); ++with) out.push_back(distance[k] * distance[with]);
  }
  return out;
}

}  // namespace portrait
