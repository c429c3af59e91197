// Gamma-Gamma: what a customer's next order is worth.
//
//   double value = ExpectedOrderValue(GammaGammaParameters{}, /*orders=*/3, /*mean_value=*/40);
//
// The values of a customer's orders are gamma distributed with shape p, their scales over the population with q and
// v. Source: P. S. Fader, B. G. S. Hardie, The Gamma-Gamma Model of Monetary Value, 2013. It takes value and number
// of orders to be independent. Pure.
#pragma once

#include "absl/status/status.h"
#include "operators/models/purchase_history.h"

namespace portrait {

// Defaults: maximum likelihood on the 946 repeat buyers of the CDNOW sample (mean value of their repeat purchases, in
// US dollars).
struct GammaGammaParameters {
  double p = 6.24957;
  double q = 3.74422;
  double v = 15.44352;  // in units of the currency
};

// Whether p > 0, q > 1, so that there is a mean, and v > 0.
absl::Status Validate(const GammaGammaParameters& parameters);

// Of one customer's orders; they must have at least one, of a positive mean.
double LogLikelihood(const GammaGammaParameters& parameters, const OrderValues& values);

// The mean of the own `orders` (at least 0) drawn to the population's, p·v / (q − 1).
double ExpectedOrderValue(const GammaGammaParameters& parameters, double orders, double mean_value);

}  // namespace portrait
