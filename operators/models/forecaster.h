// Predictions for one customer: no order within the horizon, orders and spend within it, days to the next order.
//
//   Forecaster forecaster(*FitPopulation(customers), 90);
//   forecaster.Learn(windows, 90, customers);
//   Forecast anna = forecaster.Predict(summary);
//
// Two layers. Population models (Pareto/NBD, Gamma-Gamma) know nothing but recency, frequency, age and
// value; they answer for anybody, from the first day. From windows that have closed regressions are learned
// (linear_model.h) on what they say and on more features: log-odds of no order (with products of features,
// crossed_features.h), logarithm of orders, logarithm of spend. Their scores are averaged with the population's. While
// the history is young, they are learned from windows shorter than the horizon, as corrections of what the population
// models say of those, and count in part. Spend is the geometric mean of its regression and of orders, by theirs, times
// what the population models say an order is worth: the one errs where few spend much, the other where that changes.
//
// Levels. Orders and spend follow, by half, how many orders came of those that were said for the latest windows.
// Corrections from shorter windows tell customers apart, but not how many orders come in a longer one: the orders of
// all customers stay those of the population models, at what an order was worth, against what was said, in the windows.
//
// The population's log-odds of no order. The exact probability of Pareto/NBD ranks worse over long horizons (CDNOW
// sample, 273 days: AUC .771) than exp(−expected orders) does (.779), where leaving matters more than the model thinks.
// That one is far too sure of customers of whom many orders are expected, for they may have left (Brier .160). So the
// log-odds are averaged, the exact ones with the share (1 − exp(−expected orders))²: AUC .778, Brier .155.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "operators/models/crossed_features.h"
#include "operators/models/customer_summary.h"
#include "operators/models/gamma_gamma.h"
#include "operators/models/linear_model.h"
#include "operators/models/pareto_nbd.h"

namespace portrait {

// Defaults: fits of the CDNOW sample.
struct PopulationModels {
  ParetoNbdParameters pareto{0.5533, 74.04, 0.6062, 81.68};  // of orders, in days
  GammaGammaParameters value;
  RhythmPrior rhythm;
};

// As the customers stand at one moment. Values and rhythms that cannot be fitted keep the parameters of `otherwise`;
// so do orders with fewer than ten customers who came back. Of more than 30 000 customers every second or third … is
// looked at. Without any customer, or when the fit of orders does not converge: an error.
absl::StatusOr<PopulationModels> FitPopulation(absl::Span<const CustomerSummary> customers,
                                               const PopulationModels& otherwise = {});

// What the population models say.
struct PopulationForecast {
  double log_odds = 0;  // of no order
  double orders = 0;
  double spend = 0;
};
PopulationForecast ForecastOf(const PopulationModels& population, const CustomerSummary& customer, double horizon_days);

// What is learned from, by name; all logarithms or shares, so that no scale matters. The population's are 0 where the
// regression is a correction.
inline constexpr std::array<std::string_view, 23> kForecastFeatures = {"silence",
                                                                       "silence_of_age",
                                                                       "purchase_days",
                                                                       "age",
                                                                       "span",
                                                                       "orders_7d",
                                                                       "orders_30d",
                                                                       "orders_90d",
                                                                       "spend_7d",
                                                                       "spend_30d",
                                                                       "spend_90d",
                                                                       "spend",
                                                                       "day_value",
                                                                       "pause",
                                                                       "silence_over_pause",
                                                                       "silence_in_spreads",
                                                                       "one_purchase",
                                                                       "trend",
                                                                       "order_rate",
                                                                       "alive",
                                                                       "population_log_odds",
                                                                       "population_orders",
                                                                       "population_spend"};
using ForecastRow = std::array<double, kForecastFeatures.size()>;
// `said`: what the population models say; null: for a correction.
ForecastRow ForecastFeatures(const PopulationModels& population, const CustomerSummary& customer,
                             const PopulationForecast* said);

// A customer at an earlier moment, and what followed within the window.
struct ClosedWindow {
  int32_t day = 0;  // on which it began; only the order of days counts
  CustomerSummary customer;
  double orders = 0;  // purchase days
  double spend = 0;
};

// A customer at the end of a purchase day, and when the next one came; only those that came within the limit.
struct ClosedPause {
  CustomerSummary customer;
  double days = 0;
};

struct Forecast {
  double no_order = 0;  // probability
  double orders = 0, spend = 0;
};

// A regression beside a population model.
struct Learned {
  CrossedFeatures crossed;
  LinearModel model;
  bool corrects = false;  // it is added to what the population says; else it stands for itself
  double share = 1;       // that it has in the score

  double Of(double population, absl::Span<const double> row) const {
    return (corrects ? population : (1 - share) * population) + share * model.Score(crossed.Of(row));
  }
};

// Constant once made; pure.
class Forecaster {
 public:
  Forecaster(const PopulationModels& population, double horizon_days)
      : population_(population), horizon_days_(horizon_days) {}

  static constexpr size_t kMostWindows = 50'000;

  // Learns from windows of `window_days` (the horizon, or shorter); of more than kMostWindows from every second one,
  // or third, … `today`: all customers as they stand now, for the level of corrections. With too few windows, or when
  // a fit fails, the population models stay alone.
  void Learn(absl::Span<const ClosedWindow> windows, double window_days, absl::Span<const CustomerSummary> today);

  Forecast Predict(const CustomerSummary& customer) const;
  // … where what the population models say of them within the horizon is known.
  Forecast Predict(const CustomerSummary& customer, const PopulationForecast& said) const;

  const PopulationModels& population() const { return population_; }
  double horizon_days() const { return horizon_days_; }
  size_t windows() const { return windows_; }  // that were learned from
  const std::optional<Learned>& churn() const { return churn_; }

 private:
  struct Table;  // of what is learned from

  void LearnAmounts(const Table& table);
  void LearnWorth(const Table& table);
  void LevelByLatest(const Table& table);
  void LevelByPopulation(absl::Span<const CustomerSummary> today);
  // Logarithms, without the level.
  double OrdersScore(const PopulationForecast& said, absl::Span<const double> row) const;
  double SpendScore(const PopulationForecast& said, absl::Span<const double> row) const;

  PopulationModels population_;
  double horizon_days_ = 90;
  size_t windows_ = 0;
  bool corrects_ = false;
  std::optional<Learned> churn_, orders_, spend_;
  double worth_ = 0;  // of an order in the windows, against what was said
  double orders_level_ = 0, spend_level_ = 0;
};

// What forecasters of one population and horizon, that learned from windows of several lengths, say on average: of
// log-odds and of logarithms. At least one forecaster. Pure.
Forecast AverageOf(absl::Span<const Forecaster> forecasters, const CustomerSummary& customer);

// Days from the end of a purchase day to the next one: the median of those that come within `limit_days`. By least
// absolute deviations on the customer's own rhythm, drawn to the population's, and averaged with that rhythm alone (the
// median of its log-normal pauses up to the limit): the more pauses were learned from, the less it counts, but never
// less than a third. With fewer than kLeastPauses it stands alone.
class NextOrderModel {
 public:
  static constexpr size_t kLeastPauses = 50;

  NextOrderModel(const RhythmPrior& rhythm, double limit_days) : rhythm_(rhythm), limit_days_(limit_days) {}
  void Learn(absl::Span<const ClosedPause> pauses);
  double Predict(const CustomerSummary& customer) const;  // days, 1 … limit

 private:
  RhythmPrior rhythm_;
  double limit_days_;
  std::optional<LinearModel> model_;
  double share_ = 0;  // of the model
};

}  // namespace portrait
