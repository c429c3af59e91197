#include "operators/models/customer_clusters.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "absl/strings/str_cat.h"
#include "operators/first_silence.h"
#include "operators/models/online_kmeans.h"

namespace portrait {
namespace {

using Point = CustomerClusters::Point;

constexpr int kPasses = 3;
constexpr Point kNoMean = {0, 0, 0}, kNoSpread = {1, 1, 1};

// Mean and spread of the logarithms, in one pass (B. P. Welford, Technometrics 4, 1962). Where all are equal, there is
// nothing to go by, and the spread is 1.
std::pair<Point, Point> ScaleOf(absl::Span<const Rfm> customers) {
  const CustomerClusters logarithms(kNoMean, kNoSpread, {});
  Point mean{}, squares{}, spread{};
  double count = 0;
  for (const Rfm& one : customers) {
    const Point point = logarithms.PointOf(one);
    count += 1;
    for (size_t i = 0; i < point.size(); ++i) {
      const double off = point[i] - mean[i];
      mean[i] += off / count;
      squares[i] += off * (point[i] - mean[i]);
    }
  }
  for (size_t i = 0; i < spread.size(); ++i) {
    spread[i] = std::sqrt(squares[i] / count);
    if (spread[i] < 1e-6) spread[i] = 1;
  }
  return {mean, spread};
}

// Centres, shares and means of those who are nearest to each of these centres; those that hold nobody are left out.
std::vector<CustomerCluster> Describe(absl::Span<const Rfm> customers, const CustomerClusters& scale,
                                      const std::vector<Point>& centres) {
  std::vector<CustomerCluster> out(centres.size());
  std::vector<double> counts(centres.size());
  for (const Rfm& one : customers) {
    const Point point = scale.PointOf(one);
    const size_t nearest = OnlineKMeans::Nearest(centres, point);
    CustomerCluster& cluster = out[nearest];
    const double count = counts[nearest] += 1;
    for (size_t i = 0; i < point.size(); ++i) cluster.centre[i] += (point[i] - cluster.centre[i]) / count;
    cluster.silent_days += (one.silent_days - cluster.silent_days) / count;
    cluster.purchase_days += (static_cast<double>(one.purchase_days) - cluster.purchase_days) / count;
    cluster.spend += (one.spend - cluster.spend) / count;
    cluster.share = count / static_cast<double>(customers.size());
  }
  std::erase_if(out, [](const CustomerCluster& cluster) { return cluster.share == 0; });
  return out;
}

std::vector<Point> CentresOf(const std::vector<CustomerCluster>& clusters) {
  std::vector<Point> out;
  for (const CustomerCluster& cluster : clusters) out.push_back(cluster.centre);
  return out;
}

}  // namespace

CustomerClusters::CustomerClusters(const Point& mean, const Point& spread, std::vector<CustomerCluster> clusters)
    : mean_(mean), spread_(spread), clusters_(std::move(clusters)), centres_(CentresOf(clusters_)) {}

CustomerClusters::CustomerClusters()
    : CustomerClusters({4.971761, 0.447596, 3.715912}, {0.935205, 0.635887, 0.994631},
                       {{{-0.954663, 1.783967, 1.543817}, 0.102673, 70.24, 5.3719, 255.485},
                        {{-3.330133, 1.729511, 1.228406}, 0.052609, 7.59, 5.9597, 218.063},
                        {{-0.092750, 0.602397, 0.413057}, 0.241409, 147.73, 2.3585, 71.137},
                        {{0.495069, -0.703891, 0.111992}, 0.255834, 229.43, 1, 52.337},
                        {{0.486219, -0.689251, -1.011583}, 0.347475, 227.70, 1.0134, 14.911}}) {}

Point CustomerClusters::PointOf(const Rfm& customer) const {
  const Point logarithms = {std::log1p(std::min(customer.silent_days, kLongestDays)),
                            std::log(static_cast<double>(customer.purchase_days)), std::log1p(customer.spend)};
  Point out{};
  for (size_t i = 0; i < out.size(); ++i) out[i] = (logarithms[i] - mean_[i]) / spread_[i];
  return out;
}

int CustomerClusters::Of(const Rfm& customer) const {
  return static_cast<int>(OnlineKMeans::Nearest(centres_, PointOf(customer))) + 1;
}

// What is nearest to one centre is convex, so silence leaves a cluster once and does not come back to it.
std::optional<int32_t> CustomerClusters::NextSilence(const Rfm& customer) const {
  const int now = Of(customer);
  const auto left = [&](int32_t silent_days) {
    Rfm later = customer;
    later.silent_days = silent_days;
    return Of(later) != now;
  };
  if (customer.silent_days >= kLongestDays || !left(kLongestDays)) return std::nullopt;
  return FirstSilence(customer.silent_days, kLongestDays, left);
}

absl::StatusOr<CustomerClusters> FitCustomerClusters(absl::Span<const Rfm> customers, int count) {
  if (count < 2 || count > CustomerClusters::kMost) {
    return absl::InvalidArgumentError(
        absl::StrCat("clusters: must be a number from 2 to ", CustomerClusters::kMost, ": ", count));
  }
  const size_t least = CustomerClusters::kLeastCustomersEach * static_cast<size_t>(count);
  if (customers.size() < least) {
    return absl::FailedPreconditionError(
        absl::StrCat("too few customers for ", count, " clusters; at least ", least, ": ", customers.size()));
  }
  const auto [mean, spread] = ScaleOf(customers);
  const CustomerClusters scale(mean, spread, {});
  OnlineKMeans learner({.clusters = count});
  for (const Rfm& one : customers) learner.Sample(scale.PointOf(one));
  learner.Seed();
  for (int pass = 0; pass < kPasses; ++pass) {
    for (const Rfm& one : customers) learner.Learn(scale.PointOf(one));
  }
  auto clusters = Describe(customers, scale, learner.centres());
  if (clusters.size() < 2) return absl::FailedPreconditionError("all customers are alike");
  std::ranges::stable_sort(clusters, [](const auto& one, const auto& other) { return one.spend > other.spend; });
  return CustomerClusters(mean, spread, std::move(clusters));
}

}  // namespace portrait
