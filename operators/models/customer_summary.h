// What predictions read of a customer's row at one moment: recency, frequency, money, trend, rhythm.
//
//   CustomerSummaryReader reader;
//   status = reader.Bind(chain.features());
//   CustomerSummary anna = reader.Read([&](const FeatureRef& f) { return features.Get(f); }, now);
#pragma once

#include <array>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "operators/features.h"
#include "operators/models/purchase_history.h"
#include "operators/rhythm.h"

namespace portrait {

struct CustomerSummary {
  static constexpr std::array<int, 3> kWindows = {7, 30, 90};  // days

  bool customer = false;    // has a purchase day; the rest counts only then
  Timestamp first, last;    // of its purchases
  PurchaseHistory history;  // in days
  double silent_days = 0;
  double spend = 0;
  double day_value = 0;  // spend by purchase day
  std::array<double, 3> window_orders{}, window_spend{};
  Rhythm rhythm;
};

// Constant after Bind; safe from any thread.
class CustomerSummaryReader {
 public:
  using Features = absl::FunctionRef<Value(const FeatureRef&)>;

  // NotFound: a feature of `purchases` is not in this chain.
  absl::Status Bind(const FeatureRegistry& features);

  CustomerSummary Read(Features features, Timestamp now) const;

 private:
  FeatureRef occasions_, first_, last_, spend_, gaps_, gap_mean_, gap_log_spread_;
  std::array<FeatureRef, 3> window_orders_, window_spend_;
};

}  // namespace portrait
