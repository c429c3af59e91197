// BG/NBD: as MBG/NBD (mbg_nbd.h), but nobody leaves before the first repeat.
//
//   BgNbdParameters fit = FitBgNbd(histories)->parameters;
//   double orders = ExpectedOrders(fit, {.repeats = 2, .last_days = 90, .age_days = 120}, 90);
//
// Source: P. S. Fader, B. G. S. Hardie, K. L. Lee, "Counting Your Customers" the Easy Way: An Alternative to the
// Pareto/NBD Model, Marketing Science 24 (2005) 275–284. A customer without a repeat is here for certain, so P(alive)
// ranks them first; use the probability of no order within the horizon.
//
// Times in any unit, the same for parameters, history and horizon. Pure.
#pragma once

#include "absl/status/status.h"
#include "operators/models/purchase_history.h"

namespace portrait {

struct BgNbdParameters {
  double r = 1;
  double alpha_days = 1;
  double a = 1;
  double b = 1;
};

// Whether all parameters are positive and finite.
absl::Status Validate(const BgNbdParameters& parameters);

double LogLikelihood(const BgNbdParameters& parameters, const PurchaseHistory& history);
double ProbabilityAlive(const BgNbdParameters& parameters, const PurchaseHistory& history);
double ProbabilityOfOrder(const BgNbdParameters& parameters, const PurchaseHistory& history, double horizon_days);
double ExpectedOrders(const BgNbdParameters& parameters, const PurchaseHistory& history, double horizon_days);

}  // namespace portrait
