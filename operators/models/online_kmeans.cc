#include "operators/models/online_kmeans.h"

#include <xxhash.h>

#include <algorithm>
#include <limits>
#include <utility>

namespace portrait {
namespace {

using Point = OnlineKMeans::Point;

constexpr size_t kDimensions = std::tuple_size_v<Point>;

// Of the points nearest to each centre.
struct Means {
  std::vector<Point> centres;  // a centre without a point stays where it was
  std::vector<double> points;
  double inertia = 0;  // squared distances to the centres before
};

Means MeansOf(const std::vector<Point>& points, const std::vector<Point>& centres) {
  Means out{.centres = centres, .points = std::vector<double>(centres.size()), .inertia = 0};
  std::vector<Point> sums(centres.size());
  for (const Point& point : points) {
    const size_t nearest = OnlineKMeans::Nearest(centres, point);
    out.inertia += OnlineKMeans::SquaredDistance(centres[nearest], point);
    out.points[nearest] += 1;
    for (size_t i = 0; i < kDimensions; ++i) sums[nearest][i] += point[i];
  }
  for (size_t c = 0; c < centres.size(); ++c) {
    for (size_t i = 0; i < kDimensions && out.points[c] > 0; ++i) out.centres[c][i] = sums[c][i] / out.points[c];
  }
  return out;
}

// Lloyd's iterations until nothing moves; the inertia is that of the centres that come out, or hardly more.
Means Improve(const std::vector<Point>& points, std::vector<Point> centres, int iterations) {
  Means means = MeansOf(points, centres);
  for (int i = 1; i < iterations && means.centres != centres; ++i) {
    centres = std::move(means.centres);
    means = MeansOf(points, centres);
  }
  return means;
}

}  // namespace

size_t OnlineKMeans::Nearest(absl::Span<const Point> centres, const Point& point) {
  size_t nearest = 0;
  double least = std::numeric_limits<double>::infinity();
  for (size_t i = 0; i < centres.size(); ++i) {
    const double distance = SquaredDistance(centres[i], point);
    if (distance < least) least = distance, nearest = i;
  }
  return nearest;
}

double OnlineKMeans::SquaredDistance(const Point& one, const Point& other) {
  double sum = 0;
  for (size_t i = 0; i < kDimensions; ++i) sum += (one[i] - other[i]) * (one[i] - other[i]);
  return sum;
}

double OnlineKMeans::Uniform() {
  const uint64_t draw = ++draws_;
  return static_cast<double>(XXH3_64bits_withSeed(&draw, sizeof draw, options_.seed) >> 11) * 0x1p-53;
}

void OnlineKMeans::Sample(const Point& point) {
  ++seen_;
  if (sample_.size() < options_.sample) return sample_.push_back(point);
  const auto place = static_cast<uint64_t>(Uniform() * static_cast<double>(seen_));
  if (place < sample_.size()) sample_[place] = point;
}

// k-means++: each further centre is a point drawn by its squared distance to the nearest one so far.
std::vector<Point> OnlineKMeans::Start() {
  std::vector<Point> centres = {sample_[static_cast<size_t>(Uniform() * static_cast<double>(sample_.size()))]};
  std::vector<double> distances(sample_.size(), std::numeric_limits<double>::infinity());
  while (centres.size() < static_cast<size_t>(options_.clusters)) {
    double sum = 0;
    for (size_t i = 0; i < sample_.size(); ++i) {
      distances[i] = std::min(distances[i], SquaredDistance(centres.back(), sample_[i]));
      sum += distances[i];
    }
    if (sum == 0) break;  // every point is a centre
    double left = Uniform() * sum;
    size_t chosen = 0;
    for (size_t i = 0; i < sample_.size() && left >= 0; ++i) {
      if (distances[i] > 0) chosen = i;
      left -= distances[i];
    }
    centres.push_back(sample_[chosen]);
  }
  return centres;
}

void OnlineKMeans::Seed() {
  centres_.clear(), weights_.clear();
  if (sample_.empty()) return;
  double least = std::numeric_limits<double>::infinity();
  for (int start = 0; start < options_.starts; ++start) {
    Means means = Improve(sample_, Start(), options_.iterations);
    if (means.inertia >= least) continue;
    least = means.inertia;
    centres_ = std::move(means.centres), weights_ = std::move(means.points);
  }
  const double each = static_cast<double>(seen_) / static_cast<double>(sample_.size());
  for (double& weight : weights_) weight *= each;
}

void OnlineKMeans::Learn(const Point& point) {
  if (centres_.empty()) return;
  const size_t nearest = Nearest(centres_, point);
  weights_[nearest] += 1;
  for (size_t i = 0; i < kDimensions; ++i) {
    centres_[nearest][i] += (point[i] - centres_[nearest][i]) / weights_[nearest];
  }
}

}  // namespace portrait
