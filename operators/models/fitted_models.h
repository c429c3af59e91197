// The models in force: of orders, of their value, of rhythms; groups of customers; and of churn, where one was learned.
// Those that are built in, or those of a file that `portrait fit` or `portrait train` has written
// (pipeline/config/model_file.h).
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "operators/models/customer_clusters.h"
#include "operators/models/gamma_gamma.h"
#include "operators/models/learned_churn.h"
#include "operators/models/order_model.h"
#include "operators/models/rfm.h"
#include "operators/rhythm.h"

namespace portrait {

// Defaults: fits of the CDNOW sample.
struct FittedModels {
  std::string name = "mbg_nbd/cdnow";  // as every churn alert carries it; another one for other parameters
  OrderModel orders;
  GammaGammaParameters value;
  RhythmPrior rhythm;
  std::optional<RfmBoundaries> rfm = RfmBoundaries();  // none: the customers were too few, or the file is older
  std::optional<CustomerClusters> clusters = CustomerClusters();  // likewise
  uint64_t begun = 0;  // control position at which they came into force; 0: they are those of the configuration
  std::optional<LearnedChurn> learned;  // none: the population models say how likely no order is
};

// Spend within the horizon: expected purchase days times what one is worth. `day_value`: spend by purchase day so far.
inline double ExpectedSpend(const FittedModels& models, const PurchaseHistory& history, double day_value,
                            double horizon_days) {
  return models.orders.ExpectedOrders(history, horizon_days) *
         ExpectedOrderValue(models.value, history.repeats + 1, day_value);
}

}  // namespace portrait
