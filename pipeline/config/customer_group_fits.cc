#include "pipeline/config/customer_group_fits.h"

#include <algorithm>
#include <array>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"

namespace portrait {
namespace {

using Numbers = google::protobuf::RepeatedField<double>;

constexpr double kMostDays = 1e6;      // a silence counts days since 1970 at most
constexpr double kMostLogarithm = 50;  // of 1e12: 28
constexpr double kMostCoordinate = 1e9;

RfmBoundaries::Four FourOf(const Numbers& numbers) {
  RfmBoundaries::Four out{};
  std::ranges::copy(numbers, out.begin());
  return out;
}

void CheckFour(const std::string& name, const Numbers& numbers, double least, double most, ParameterCheck& check) {
  if (numbers.size() != std::tuple_size_v<RfmBoundaries::Four>) {
    check.Fail(absl::StrCat(name, ": must be four boundaries: ", numbers.size()));
  }
  for (const double number : numbers) check.Number(name, number, least, most);
  if (!std::ranges::is_sorted(numbers))
    check.Fail(absl::StrCat(name, ": no boundary may be lower than the one before"));
}

void PutScale(const CustomerClusters& clusters, size_t axis, v1::LogarithmScale& scale) {
  scale.set_mean(clusters.mean()[axis]), scale.set_spread(clusters.spread()[axis]);
}

void CheckScale(const std::string& name, const v1::LogarithmScale& scale, ParameterCheck& check) {
  check.Number(name + ".mean", scale.mean(), -kMostLogarithm, kMostLogarithm);
  check.Number(name + ".spread", scale.spread(), ParameterCheck::kLeast, kMostLogarithm);
}

void CheckCluster(const std::string& name, const v1::CustomerCluster& cluster, ParameterCheck& check) {
  check.Number(name + ".recency", cluster.recency(), -kMostCoordinate, kMostCoordinate);
  check.Number(name + ".frequency", cluster.frequency(), -kMostCoordinate, kMostCoordinate);
  check.Number(name + ".monetary", cluster.monetary(), -kMostCoordinate, kMostCoordinate);
  check.Number(name + ".share", cluster.share(), 0, 1);
  check.Number(name + ".mean_silent_days", cluster.mean_silent_days(), 0, kMostDays);
  check.Number(name + ".mean_purchase_days", cluster.mean_purchase_days(), 0, kMostDays);
  check.Number(name + ".mean_spend", cluster.mean_spend(), 0, ParameterCheck::kMost);
}

}  // namespace

v1::RfmFit FitOf(const RfmBoundaries& boundaries) {
  v1::RfmFit fit;
  for (const double number : boundaries.silent_days) fit.add_silent_days(number);
  for (const double number : boundaries.purchase_days) fit.add_purchase_days(number);
  for (const double number : boundaries.spend) fit.add_spend(number);
  return fit;
}

std::optional<RfmBoundaries> BoundariesOf(const v1::RfmFit& fit) {
  if (fit.silent_days().empty()) return std::nullopt;
  return RfmBoundaries{FourOf(fit.silent_days()), FourOf(fit.purchase_days()), FourOf(fit.spend())};
}

void CheckRfm(const v1::RfmFit& fit, ParameterCheck& check) {
  if (fit.silent_days().empty() && fit.purchase_days().empty() && fit.spend().empty()) return;
  CheckFour("rfm.silent_days", fit.silent_days(), 0, kMostDays, check);
  CheckFour("rfm.purchase_days", fit.purchase_days(), 1, kMostDays, check);
  CheckFour("rfm.spend", fit.spend(), 0, ParameterCheck::kMost, check);
}

v1::CustomerClustersFit FitOf(const CustomerClusters& clusters) {
  v1::CustomerClustersFit fit;
  PutScale(clusters, 0, *fit.mutable_recency());
  PutScale(clusters, 1, *fit.mutable_frequency());
  PutScale(clusters, 2, *fit.mutable_monetary());
  for (const CustomerCluster& one : clusters.clusters()) {
    v1::CustomerCluster& cluster = *fit.add_clusters();
    cluster.set_recency(one.centre[0]), cluster.set_frequency(one.centre[1]), cluster.set_monetary(one.centre[2]);
    cluster.set_share(one.share), cluster.set_mean_silent_days(one.silent_days);
    cluster.set_mean_purchase_days(one.purchase_days), cluster.set_mean_spend(one.spend);
  }
  return fit;
}

std::optional<CustomerClusters> ClustersOf(const v1::CustomerClustersFit& fit) {
  if (fit.clusters().empty()) return std::nullopt;
  std::vector<CustomerCluster> clusters;
  for (const v1::CustomerCluster& one : fit.clusters()) {
    clusters.push_back({.centre = {one.recency(), one.frequency(), one.monetary()},
                        .share = one.share(),
                        .silent_days = one.mean_silent_days(),
                        .purchase_days = one.mean_purchase_days(),
                        .spend = one.mean_spend()});
  }
  return CustomerClusters({fit.recency().mean(), fit.frequency().mean(), fit.monetary().mean()},
                          {fit.recency().spread(), fit.frequency().spread(), fit.monetary().spread()},
                          std::move(clusters));
}

void CheckClusters(const v1::CustomerClustersFit& fit, ParameterCheck& check) {
  if (fit.clusters().empty()) return;
  check.Number("clusters.clusters", fit.clusters_size(), 2, CustomerClusters::kMost);
  CheckScale("clusters.recency", fit.recency(), check);
  CheckScale("clusters.frequency", fit.frequency(), check);
  CheckScale("clusters.monetary", fit.monetary(), check);
  for (int i = 0; i < fit.clusters_size(); ++i) {
    CheckCluster(absl::StrCat("clusters.clusters[", i, "]"), fit.clusters(i), check);
  }
}

}  // namespace portrait
