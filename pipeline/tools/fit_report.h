// Population models fitted to the past of customers, as text and as settings of the configuration.
//
//   FitReport report = FitReport::Of(pasts, until);
//   std::cout << report.Text() << report.Settings("mbg_nbd/shop-2025-06");
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "operators/models/population_fit.h"
#include "pipeline/tools/looking_back.h"

namespace portrait {

struct FitReport {
  // Purchase days up to and with the local day `until`; ages are counted to that day. Values are of the purchase days
  // after the first, as in the studies that the models come from. A model that could not be fitted says why.
  static FitReport Of(const std::vector<CustomerPast>& pasts, int32_t until);

  absl::StatusOr<PopulationFit<BgNbdParameters>> bg;
  absl::StatusOr<PopulationFit<MbgNbdParameters>> mbg;
  absl::StatusOr<PopulationFit<ParetoNbdParameters>> pareto;
  absl::StatusOr<PopulationFit<GammaGammaParameters>> value;
  RhythmPrior rhythm;
  int64_t customers = 0, repeat_customers = 0, purchase_days = 0;
  int64_t pauses = 0;
  int32_t first = 0, until = 0;

  // For people. Times in weeks, as in the studies, so that log-likelihoods compare; ends with a line break.
  std::string Text() const;
  // churn.model and churn.rhythm of the configuration (days), as YAML. FailedPrecondition: a model they need was not
  // fitted.
  absl::StatusOr<std::string> Settings(const std::string& name) const;
};

}  // namespace portrait
