// Customers of a population model, made up, with amounts of their own, as recency, frequency and monetary value.
#pragma once

#include <cmath>
#include <vector>

#include "operators/models/rfm.h"
#include "tests/operators/simulated_customers.h"

namespace portrait {

// Of MBG/NBD as fitted to CDNOW; amounts in cents.
inline std::vector<Rfm> SimulatedRfm(int customers, uint64_t seed) {
  Random random(seed);
  std::vector<Rfm> out;
  for (int i = 0; i < customers; ++i) {
    const double age = std::uniform_real_distribution<>(1, 700)(random);
    const PurchaseHistory history = Live(MbgNbdParameters{}, age, 0, random).history;
    const double order = std::exp(std::normal_distribution<>(3.5, 1)(random));
    const auto orders = static_cast<int64_t>(history.repeats) + 1;
    double spend = 0;
    for (int64_t day = 0; day < orders; ++day) {
      spend += std::round(order * std::uniform_real_distribution<>(50, 150)(random)) / 100;
    }
    out.push_back(MakeRfm(static_cast<int32_t>(history.age_days - history.last_days), orders, spend));
  }
  return out;
}

}  // namespace portrait
