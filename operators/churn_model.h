// The place of the model behind churn alerts: features in, probability of no order, contributions and expected spend
// out.
//
//   std::unique_ptr<ChurnModel> model = MakePopulationModel({});
//   builder.Add<Churn>(ChurnOptions{}, std::move(model));
//
// A learned model implements the same interface and reads whatever features it likes (learned_churn_model.h).
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "operators/context.h"
#include "operators/features.h"
#include "operators/models/fitted_models.h"
#include "portrait/v1/result.pb.h"

namespace portrait {

struct ChurnForecast {
  double score = 0;  // log-odds of no order within the horizon; the sum of the contributions of `reasons`
  std::vector<v1::Reason> reasons;
  double expected_orders = 0;       // within the horizon
  double spend_at_risk_micros = 0;  // spend within the horizon to expect of a customer of this history who has not left
};

// Constant after Bind; safe from any thread; pure.
class ChurnModel {
 public:
  using Features = absl::FunctionRef<Value(const FeatureRef&)>;

  virtual ~ChurnModel() = default;

  // Name and version, as written into every alert.
  virtual std::string_view name() const = 0;

  // Looks up the features it reads. An error stops the start.
  virtual absl::Status Bind(const FeatureRegistry& features) = 0;

  // Of a customer with at least one order.
  virtual ChurnForecast Forecast(Features features, Timestamp now, double horizon_days) const = 0;

  // The score of that forecast alone; quick, for it is asked for at every order.
  virtual double Score(Features features, Timestamp now, double horizon_days) const = 0;

  // The spend_at_risk_micros of that forecast alone.
  virtual double SpendAtRiskMicros(Features features, Timestamp now, double horizon_days) const = 0;

  // When to look whether the score has reached `score`, if the customer stays silent: the moment when it does, or an
  // earlier one beyond which the model cannot see, later than now and within `within`; none: it never does, or the
  // model cannot tell.
  virtual std::optional<Timestamp> Reaches(double score, const Context& context, double horizon_days,
                                           Duration within) const = 0;
};

double LogOdds(double probability);
double FromLogOdds(double score);

// MBG/NBD or Pareto/NBD for orders and Gamma-Gamma for their value, on the features of the operator `purchases`. The
// score is taken apart along the customer's own history: what it is for anyone who has just ordered for the first time;
// what the purchase days up to the last one make of that; and what the silence since adds.
std::unique_ptr<ChurnModel> MakePopulationModel(FittedModels models);

}  // namespace portrait
