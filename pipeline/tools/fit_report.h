// Population models fitted to the past of customers, as text and for a file of models.
//
//   FitReport report = FitReport::Of(pasts, until);
//   std::cout << report.Text();
//   auto file = report.File();
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "operators/models/customer_clusters.h"
#include "operators/models/population_fit.h"
#include "operators/models/rfm.h"
#include "pipeline/tools/looking_back.h"
#include "portrait/v1/model.pb.h"

namespace portrait {

// Customers as they stood at the end of a local day; each vector has one entry for each. Ages are counted to that day.
struct CustomersUntil {
  static CustomersUntil Of(const std::vector<CustomerPast>& pasts, int32_t until);

  // One customer more as a row tells: with the local days of the first and the last purchase; `until` is that day or a
  // later one. The row does not tell the purchase days apart by value, so the first counts among the repeat values,
  // too, and of the pauses it has the latest.
  void AddSummary(const CustomerSummary& summary, int32_t first_day, int32_t last_day);

  std::vector<const CustomerPast*> pasts;  // into what was given; none of those that were added
  std::vector<PurchaseHistory> histories;
  std::vector<OrderValues> repeat_values;  // of the purchase days after the first, as in the studies
  std::vector<double> day_values;          // spend by purchase day
  std::vector<Rhythm> rhythms;
  std::vector<Rfm> rfm;
  int32_t first = 0, until = 0;  // days; the first with an order
  int64_t repeat_customers = 0, purchase_days = 0, pauses = 0;
};

struct FitReport {
  static constexpr int kClusters = 5;

  // Purchase days up to and with the local day `until`; ages are counted to that day. Values are of the purchase days
  // after the first, as in the studies that the models come from. A model that could not be fitted says why.
  static FitReport Of(const std::vector<CustomerPast>& pasts, int32_t until, int clusters = kClusters);
  static FitReport Of(const CustomersUntil& all, int clusters = kClusters);

  absl::StatusOr<PopulationFit<BgNbdParameters>> bg;
  absl::StatusOr<PopulationFit<MbgNbdParameters>> mbg;
  absl::StatusOr<PopulationFit<ParetoNbdParameters>> pareto;
  absl::StatusOr<PopulationFit<GammaGammaParameters>> value;
  RhythmPrior rhythm;
  absl::StatusOr<RfmBoundaries> rfm;
  absl::StatusOr<CustomerClusters> clusters;
  int64_t customers = 0, repeat_customers = 0, purchase_days = 0;
  int64_t pauses = 0;
  int32_t first = 0, until = 0;

  // Fewer customers who came back say too little for a file of models.
  static constexpr int64_t kLeastRepeatCustomers = 10;

  // For people. Times in weeks, as in the studies, so that log-likelihoods compare; ends with a line break.
  std::string Text() const;
  // The models and whom they are fitted to; MBG/NBD is in force where it was fitted. Name and card are left open. Where
  // there are no groups of customers, the file says why.
  // FailedPrecondition: too few customers came back, or a model that is needed was not fitted.
  absl::StatusOr<v1::ModelFile> File() const;
};

}  // namespace portrait
