// Clusters of like customers by recency, frequency and monetary value, with centres that were learned from a
// population: in which one somebody is is then a function of that customer alone.
//
//   auto clusters = FitCustomerClusters(customers, 5);   // StatusOr<CustomerClusters>
//   int cluster = clusters->Of(MakeRfm(12, 3, 80.50));   // from 1
//
// A customer is a point: the logarithms of 1 + days of silence (up to ten years), of purchase days, and of 1 + spend,
// each less its mean and by its spread. That of spend depends on the currency's unit. The cluster is that of the
// nearest centre, by online k-means (online_kmeans.h). Clusters are numbered by the mean spend of their customers, the
// highest first. Pure; constant; safe from any thread.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "operators/models/rfm.h"

namespace portrait {

struct CustomerCluster {
  std::array<double, 3> centre{};
  // Of the customers that it was fitted to: their share of all, and means.
  double share = 0, silent_days = 0, purchase_days = 0, spend = 0;
};

class CustomerClusters {
 public:
  using Point = std::array<double, 3>;  // recency, frequency, monetary

  static constexpr int32_t kLongestDays = 3650;  // of silence: beyond it no cluster changes any more
  static constexpr int kMost = 50;
  static constexpr size_t kLeastCustomersEach = 20;  // fewer of them say too little

  CustomerClusters();  // of the CDNOW sample, in dollars
  CustomerClusters(const Point& mean, const Point& spread, std::vector<CustomerCluster> clusters);

  int Of(const Rfm& customer) const;  // from 1
  // The first silence that is longer than this one and puts the customer into another cluster; nothing: none.
  std::optional<int32_t> NextSilence(const Rfm& customer) const;

  Point PointOf(const Rfm& customer) const;

  const Point& mean() const { return mean_; }  // of the logarithms
  const Point& spread() const { return spread_; }
  const std::vector<CustomerCluster>& clusters() const { return clusters_; }

 private:
  Point mean_, spread_;
  std::vector<CustomerCluster> clusters_;
  std::vector<Point> centres_;  // those of the clusters
};

// Fewer clusters than `count` come out where there are fewer different customers. InvalidArgument: not 2 to kMost.
// FailedPrecondition: fewer customers than kLeastCustomersEach for each, or all are alike. Deterministic.
absl::StatusOr<CustomerClusters> FitCustomerClusters(absl::Span<const Rfm> customers, int count);

}  // namespace portrait
