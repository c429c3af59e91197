#include "operators/models/customer_clusters.h"

#include <algorithm>
#include <catch2/catch_approx.hpp>
#include <catch2/catch_test_macros.hpp>
#include <cmath>
#include <limits>
#include <random>
#include <tuple>
#include <utility>
#include <vector>

#include "operators/models/online_kmeans.h"
#include "tests/operators/simulated_rfm.h"

namespace portrait {
namespace {

using Catch::Approx;
using Point = CustomerClusters::Point;

double Squared(const Point& one, const Point& other) {
  double sum = 0;
  for (size_t i = 0; i < one.size(); ++i) sum += (one[i] - other[i]) * (one[i] - other[i]);
  return sum;
}

// The squared distances of all points to the nearest centre.
double Inertia(const std::vector<Point>& points, const std::vector<Point>& centres) {
  double sum = 0;
  for (const Point& point : points) {
    double least = std::numeric_limits<double>::infinity();
    for (const Point& centre : centres) least = std::min(least, Squared(centre, point));
    sum += least;
  }
  return sum;
}

// Batch k-means (Lloyd's) from points drawn at random, the best of some starts: to compare with.
double BatchInertia(const std::vector<Point>& points, size_t count, int starts) {
  std::mt19937_64 random(99);
  double best = std::numeric_limits<double>::infinity();
  for (int start = 0; start < starts; ++start) {
    std::vector<Point> centres;
    for (size_t i = 0; i < count; ++i) centres.push_back(points[random() % points.size()]);
    double before = std::numeric_limits<double>::infinity(), now = Inertia(points, centres);
    while (now < before * (1 - 1e-6)) {
      std::vector<Point> sums(count);
      std::vector<double> sizes(count);
      for (const Point& point : points) {
        size_t nearest = 0;
        for (size_t i = 1; i < count; ++i) {
          if (Squared(centres[i], point) < Squared(centres[nearest], point)) nearest = i;
        }
        sizes[nearest] += 1;
        for (size_t axis = 0; axis < point.size(); ++axis) sums[nearest][axis] += point[axis];
      }
      for (size_t i = 0; i < count; ++i) {
        for (size_t axis = 0; axis < 3 && sizes[i] > 0; ++axis) centres[i][axis] = sums[i][axis] / sizes[i];
      }
      before = std::exchange(now, Inertia(points, centres));
    }
    best = std::min(best, now);
  }
  return best;
}

std::vector<Point> PointsOf(const std::vector<Rfm>& customers, const CustomerClusters& clusters) {
  std::vector<Point> out;
  for (const Rfm& one : customers) out.push_back(clusters.PointOf(one));
  return out;
}

std::vector<Point> CentresOf(const CustomerClusters& clusters) {
  std::vector<Point> out;
  for (const CustomerCluster& one : clusters.clusters()) out.push_back(one.centre);
  return out;
}

TEST_CASE("centres are hardly worse than those of a batch", "[customer_clusters]") {
  for (const auto& [size, seed, count] : {std::tuple{500, 1, 5}, {3000, 2, 3}, {3000, 3, 8}, {15'000, 4, 5}}) {
    const auto customers = SimulatedRfm(size, static_cast<uint64_t>(seed));
    const auto fitted = FitCustomerClusters(customers, count);
    REQUIRE(fitted.ok());
    CHECK(fitted->clusters().size() == static_cast<size_t>(count));
    const auto points = PointsOf(customers, *fitted);
    const double ratio = Inertia(points, CentresOf(*fitted)) / BatchInertia(points, static_cast<size_t>(count), 6);
    INFO(size << " customers, " << count << " clusters: inertia is that of a batch x " << ratio);
    CHECK(ratio <= 1.01);
  }
}

TEST_CASE("centres are hardly worse when customers come sorted", "[customer_clusters]") {
  auto customers = SimulatedRfm(15'000, 5);
  std::ranges::sort(customers, {}, &Rfm::spend);
  const auto fitted = FitCustomerClusters(customers, 5);
  REQUIRE(fitted.ok());
  const auto points = PointsOf(customers, *fitted);
  const double ratio = Inertia(points, CentresOf(*fitted)) / BatchInertia(points, 5, 6);
  INFO(ratio);
  CHECK(ratio <= 1.01);
}

TEST_CASE("coordinates are logarithms of mean 0 and spread 1", "[customer_clusters]") {
  const auto customers = SimulatedRfm(2000, 6);
  const auto fitted = FitCustomerClusters(customers, 5);
  REQUIRE(fitted.ok());
  Point sums{}, squares{};
  for (const Point& point : PointsOf(customers, *fitted)) {
    for (size_t i = 0; i < point.size(); ++i) sums[i] += point[i], squares[i] += point[i] * point[i];
  }
  for (size_t i = 0; i < sums.size(); ++i) {
    CHECK(sums[i] / 2000 == Approx(0).margin(1e-9));
    CHECK(squares[i] / 2000 == Approx(1));
  }
}

TEST_CASE("clusters are told from the highest spend on, with shares and means of those in them",
          "[customer_clusters]") {
  const auto customers = SimulatedRfm(2000, 7);
  const auto fitted = FitCustomerClusters(customers, 5);
  REQUIRE(fitted.ok());
  double share = 0, spend = 0, all = 0;
  for (const CustomerCluster& one : fitted->clusters()) {
    share += one.share;
    spend += one.share * one.spend;
    CHECK(one.purchase_days >= 1);
  }
  for (const Rfm& one : customers) all += one.spend / 2000;
  CHECK(share == Approx(1));
  CHECK(spend == Approx(all));
  CHECK(std::ranges::is_sorted(fitted->clusters(), std::ranges::greater(), &CustomerCluster::spend));
  CHECK(fitted->Of(MakeRfm(1, 40, 1e6)) == 1);
}

TEST_CASE("groups that lie far apart are found", "[customer_clusters]") {
  std::mt19937_64 random(8);
  std::vector<Rfm> customers;
  for (int i = 0; i < 300; ++i) {
    const int group = i % 3;
    const auto noise = static_cast<int32_t>(random() % 4);
    customers.push_back(group == 0   ? MakeRfm(300 + noise, 1, 10 + noise)
                        : group == 1 ? MakeRfm(5 + noise, 20 + noise, 2000 + noise)
                                     : MakeRfm(60 + noise, 5, 150 + noise));
  }
  const auto fitted = FitCustomerClusters(customers, 3);
  REQUIRE(fitted.ok());
  for (size_t i = 0; i < customers.size(); ++i) {
    CHECK(fitted->Of(customers[i]) == (i % 3 == 0 ? 3 : i % 3 == 1 ? 1 : 2));
  }
}

TEST_CASE("the same customers give the same centres", "[customer_clusters]") {
  const auto customers = SimulatedRfm(25'000, 9);
  CHECK(CentresOf(*FitCustomerClusters(customers, 5)) == CentresOf(*FitCustomerClusters(customers, 5)));
}

TEST_CASE("the silence that changes the cluster is known beforehand", "[customer_clusters]") {
  std::vector<CustomerClusters> all = {CustomerClusters()};
  for (const uint64_t seed : {10, 11}) all.push_back(*FitCustomerClusters(SimulatedRfm(2000, seed), 12));
  int changes = 0;
  for (const CustomerClusters& clusters : all) {
    for (const auto& [purchase_days, spend] : {std::pair{1, 0.0}, {1, 20.0}, {3, 90.0}, {25, 900.0}}) {
      Rfm customer = MakeRfm(0, purchase_days, spend);
      auto next = clusters.NextSilence(customer);
      int before = clusters.Of(customer);
      for (int32_t silent = 0; silent <= 5000; ++silent) {
        customer.silent_days = silent;
        const int now = clusters.Of(customer);
        INFO(purchase_days << " purchase days, " << silent << " days silent");
        REQUIRE((now != before) == (next == silent));
        if (now != before) next = clusters.NextSilence(customer), ++changes;
        before = now;
      }
    }
  }
  CHECK(changes > 12);
}

TEST_CASE("odd customers have a cluster", "[customer_clusters]") {
  const CustomerClusters clusters;
  for (const Rfm& one : {MakeRfm(0, 1, 0), MakeRfm(2'000'000, 1, 0), MakeRfm(0, 100'000, 1e12)}) {
    CHECK(clusters.Of(one) >= 1);
    CHECK(clusters.Of(one) <= static_cast<int>(clusters.clusters().size()));
    for (const double coordinate : clusters.PointOf(one)) CHECK(std::isfinite(coordinate));
  }
}

TEST_CASE("too few customers, or too few different ones, have no clusters, and it is said why", "[customer_clusters]") {
  CHECK(FitCustomerClusters(std::vector<Rfm>(99), 5).status().message() ==
        "too few customers for 5 clusters; at least 100: 99");
  CHECK(FitCustomerClusters(std::vector<Rfm>(100), 5).status().message() == "all customers are alike");
  CHECK(FitCustomerClusters(std::vector<Rfm>(100), 1).status().message() ==
        "clusters: must be a number from 2 to 50: 1");
  std::vector<Rfm> two_kinds(100, MakeRfm(1, 1, 10));
  for (int i = 0; i < 30; ++i) two_kinds[static_cast<size_t>(i)] = MakeRfm(1, 1, 500);
  const auto fitted = FitCustomerClusters(two_kinds, 5);
  REQUIRE(fitted.ok());
  REQUIRE(fitted->clusters().size() == 2);
  CHECK(fitted->clusters()[0].share == Approx(0.3));
}

TEST_CASE("a learner draws its sample evenly and learns what comes after", "[customer_clusters]") {
  OnlineKMeans learner({.clusters = 2, .sample = 100, .starts = 3});
  std::vector<Point> points;
  for (int i = 0; i < 10'000; ++i) points.push_back({i < 5000 ? 0.0 : 10.0, i * 1e-5, 0});
  for (const Point& point : points) learner.Sample(point);
  learner.Seed();
  REQUIRE(learner.centres().size() == 2);
  const double before = Inertia(points, learner.centres());
  for (const Point& point : points) learner.Learn(point);
  CHECK(Inertia(points, learner.centres()) < before);
  OnlineKMeans empty({});
  empty.Seed();
  empty.Learn({1, 2, 3});
  CHECK(empty.centres().empty());
}

}  // namespace
}  // namespace portrait
