// Centres of points, learned online: points come one by one, as often as one likes, and are not kept.
//
//   OnlineKMeans learner({.clusters = 5});
//   for (const Point& point : points) learner.Sample(point);
//   learner.Seed();
//   for (int pass = 0; pass < 3; ++pass) for (const Point& point : points) learner.Learn(point);
//   learner.centres();
//
// Sample keeps a uniform sample of bounded size (algorithm R; J. S. Vitter, Random Sampling with a Reservoir, ACM
// TOMS 11, 1985). Seed takes centres from it by k-means++ (D. Arthur and S. Vassilvitskii, SODA 2007), improves them
// by Lloyd's iterations on the sample, and keeps the best of several starts. Learn draws the nearest centre to the
// point by one over the number of its points so far (J. MacQueen, Some Methods for Classification and Analysis of
// Multivariate Observations, 1967); the sample counts for all the points it was drawn from.
//
// Deterministic: the same points in the same order give the same centres; what is drawn are hashes of a counter.
// Memory: the sample and the centres. Not thread-safe.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/types/span.h"

namespace portrait {

class OnlineKMeans {
 public:
  using Point = std::array<double, 3>;

  struct Options {
    int clusters = 5;
    size_t sample = 10'000;  // points
    int starts = 20;
    int iterations = 100;  // of Lloyd's, each start, at most
    uint64_t seed = 1;
  };

  explicit OnlineKMeans(const Options& options) : options_(options) {}

  void Sample(const Point& point);
  // As many centres as there are clusters; fewer where there are fewer different points in the sample.
  void Seed();
  void Learn(const Point& point);

  const std::vector<Point>& centres() const { return centres_; }

  // The index of the centre next to a point, the first of equal ones; there must be a centre.
  static size_t Nearest(absl::Span<const Point> centres, const Point& point);
  static double SquaredDistance(const Point& one, const Point& other);

 private:
  double Uniform();  // in [0, 1)
  std::vector<Point> Start();

  Options options_;
  uint64_t draws_ = 0, seen_ = 0;
  std::vector<Point> sample_, centres_;
  std::vector<double> weights_;  // points of each centre so far
};

}  // namespace portrait
