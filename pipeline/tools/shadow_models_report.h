// What models in the shadow make of customers as they are now, beside those in force. Nothing is changed by asking.
//
//   ShadowModelsReport report(chain, zone);        // a chain with models in its shadow
//   for (each stored row) status = report.Add(row, now);
//   std::cout << report.Text();
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "nlohmann/json.hpp"
#include "operators/chain.h"
#include "operators/churn.h"
#include "pipeline/shadow_counts.h"

namespace portrait {

// One thread.
class ShadowModelsReport {
 public:
  // The chain must outlive it, and have models in its shadow.
  ShadowModelsReport(const Chain& chain, absl::TimeZone zone);

  // A stored row (v1.Row), as of `now` or the row's own time, whichever is later. DataLoss: it is none.
  absl::Status Add(std::string_view row, Timestamp now);

  uint64_t customers() const { return customers_; }  // with an order

  std::string Text() const;
  nlohmann::json Json() const;

 private:
  const Chain& chain_;
  const Churn& churn_;
  Slot slot_ = 0;
  const Calendar calendar_;
  ShadowCounts said_;
  uint64_t customers_ = 0, swept_ = 0;
  uint64_t alerts_ = 0, told_ = 0;                                   // since the shadow began
  uint64_t both_at_risk_ = 0, only_in_force_ = 0, only_shadow_ = 0;  // have an open episode
};

}  // namespace portrait
