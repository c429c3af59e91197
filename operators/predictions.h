// What to expect of a customer, by the population models in force: no order within the horizon, orders and spend, what
// they are worth over a year, when the next order comes.
//
//   builder.Add<Purchases>().Add<Predictions>(PredictionsOptions{.horizon_days = 60});
//   context.Get(no_order)   // predictions.no_order, for rules, other operators and views
//
// Nothing is computed until somebody reads it: the state holds what purchases say that the models need (last_day and
// first_day, their number, spend, rhythm), and every feature is a function of that and of the local day. Silence
// changes the answers a little each day. So that nobody is polled, they stand still until the probability of no order
// has reached the next step of 0.025 (from 0.975 on: 0.99, 0.995, 0.999), and then all change together; the day when
// that will be is computed, and rules that read them set their timers for it. A threshold that is a step is met to the
// day. The date of the next order moves on when it has passed; after ten years there is none.
//
// Orders by MBG/NBD or Pareto/NBD (models/order_model.h), their value by Gamma-Gamma. Lifetime value: expected spend of
// each of the next twelve months, discounted to today from the month's middle. The next order, if one comes: the own
// pauses drawn to the population's (rhythm.h) are taken for log-normal; median and the 10 % and 90 % quantiles of the
// pauses that are longer than the silence so far.
//
// Where the models hold a learned one (learned_churn_model.h), no_order is its probability as of the last look: an
// order, refund, cancellation, complaint or resolution, and a timer after 7, 30 and 90 days of silence. From a look
// on, silence moves its log-odds as it moves the population model's; a churn alert judges anew at its own moments. All
// other features stay the population's.
//
// When other models come into force while the service runs, every feature goes by them at once. The sweep makes the
// look by the learned model anew, and lets rules look at what has changed with no event.
//
// Bounds of the state: eleven numbers, below 100 bytes. An order costs about as much as reading seven features of
// `purchases`; other events nothing.
#pragma once

#include <memory>

#include "operators/churn_model.h"
#include "operators/models/fitted_models.h"
#include "operators/operator.h"
#include "portrait/v1/state/predictions.pb.h"

namespace portrait {

struct PredictionsOptions {
  FittedModels models;
  int horizon_days = 90;
  double discount = 0.1;  // a year: what comes in a year is worth 1 / (1 + discount) today
  double holdout = 0;     // share of the customers
};

class Predictions final : public Operator<v1::state::Predictions> {
 public:
  explicit Predictions(PredictionsOptions options = {});

  void Describe(Description& about) const;
  absl::Status Bind(const FeatureRegistry& features) override;
  void OnEvent(const Event& event, v1::state::Predictions& state, Context& context) const override;
  void OnTimer(const Timer& timer, v1::state::Predictions& state, Context& context) const override;
  bool Reconsiders(const v1::state::Predictions& state, const Context& context) const override;
  void OnSwitch(v1::state::Predictions& state, Context& context) const override;

 private:
  void LookByLearned(v1::state::Predictions& state, Context& context) const;

  std::shared_ptr<const PredictionsOptions> options_;  // features point to it
  std::unique_ptr<ChurnModel> learned_;                // null: there is none
  FeatureRef occasions_, first_, last_, spend_, gaps_, gap_mean_, gap_log_spread_;
};

// The pause that a share of those pauses stays below which are longer than `silent_days`, for log-normal ones; at most
// ten years.
double PauseQuantile(const Rhythm& rhythm, double silent_days, double share);

}  // namespace portrait
