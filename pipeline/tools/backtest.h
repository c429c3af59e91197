// Predictions as they would have been in the past: docs/predictions.md.
//
//   Backtest backtest({.origins = {ParseDay("2011-05-01")}, .horizon_days = 90});
//   status = backtest.Read(history, chain, zone);
//   status = backtest.Run();
//   for (const ChurnPrediction& row : backtest.churn()) …
//
// Nothing later than an origin counts: rows are looked at before the origin's first event, models are fitted to
// such looks, and a label is learned from only when its window has closed by then.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "operators/models/forecaster.h"
#include "pipeline/tools/history.h"
#include "pipeline/tools/looking_back.h"

namespace portrait {

struct BacktestOptions {
  std::vector<int32_t> origins;  // local days; predictions are as known at their start
  int horizon_days = 90;
  // Predictions of the next purchase day are made at the end of each purchase day in next_from … next_to.
  std::optional<int32_t> next_from;  // the first origin
  std::optional<int32_t> next_to;    // the last day of the data
  int next_within_days = 90;         // the median of pauses up to this
};

struct ChurnPrediction {
  int32_t origin = 0;
  std::string customer;
  double no_order = 0, spend = 0, orders = 0;  // within the horizon
};

// Of customers with two pauses or more.
struct NextOrderPrediction {
  std::string customer;
  int32_t day = 0;  // the purchase day
  double days = 0;  // to the next one
};

// What corrections are learned from for one origin.
struct TrainingPlan {
  int32_t window_days = 0;
  std::vector<int32_t> days;  // on which customers are looked at, each at least window_days before the origin

  // The longest closed windows up to the horizon that leave some history before them. `first`: day of the first
  // event.
  static TrainingPlan For(int32_t first, int32_t origin, int32_t horizon_days);

  // That one, and one of windows half as long if there can be: they tell of the latest weeks.
  static std::vector<TrainingPlan> Both(int32_t first, int32_t origin, int32_t horizon_days);
};

// One thread.
class Backtest {
 public:
  explicit Backtest(BacktestOptions options) : options_(std::move(options)) {}

  // InvalidArgument: an origin that has no purchase before it.
  absl::Status Read(const History& history, const Chain& chain, absl::TimeZone zone,
                    const std::function<void(uint64_t customers)>& progress = {});
  absl::Status Run();

  const std::vector<ChurnPrediction>& churn() const { return churn_; }
  const std::vector<NextOrderPrediction>& next_orders() const { return next_orders_; }
  // What was learned from, and how good it was where the windows have closed; ends with a line break.
  std::string Text() const { return text_; }

 private:
  absl::Status PredictChurn(int32_t origin);
  std::vector<ClosedWindow> WindowsOf(const TrainingPlan& plan) const;
  void JudgeChurn(int32_t origin, size_t from);
  void PredictNextOrders();

  BacktestOptions options_;
  std::vector<CustomerPast> pasts_;
  int32_t first_event_ = 0;
  int32_t first_ = 0, last_ = 0;  // days of purchases
  std::vector<ChurnPrediction> churn_;
  std::vector<NextOrderPrediction> next_orders_;
  std::string text_;
};

}  // namespace portrait
