// Pareto/NBD: a customer orders at a rate λ ~ Gamma(r, α) until they leave, at a rate μ ~ Gamma(s, β), at any moment.
//
//   ParetoNbdParameters fit = FitParetoNbd(histories)->parameters;
//   double silent = 1 - ProbabilityOfOrder(fit, {.repeats = 2, .last_days = 90, .age_days = 120}, 90);
//
// Sources: D. C. Schmittlein, D. G. Morrison, R. Colombo, Counting Your Customers: Who Are They and What Will They Do
// Next?, Management Science 33 (1987) 1–24; P. S. Fader, B. G. S. Hardie, A Note on Deriving the Pareto/NBD Model and
// Related Expressions, 2005.
//
// The papers have differences of two hypergeometric functions, which overflow or cancel for long histories and for α
// and β of different scale. Here everything follows from one number between 0 and 1. Over the population the pauses
// to the next order and to leaving are Lomax distributed, and
//
//   W(p, A; q, B) = P(Lomax(q, B) < Lomax(p, A)) = ∫ q/(B + u) (B/(B + u))^q (A/(A + u))^p du, u from 0 to ∞
//                 = q/(p + q) · 2F1(1, p; p + q + 1; 1 − B/A)                    for A ≥ B
//                 = q/(p + q) · A/B · 2F1(1, q + 1; p + q + 1; 1 − A/B)          for A < B,
//
// by Euler's transformation of the integral's 2F1: a Gauss continued fraction with an argument in [0, 1). The
// likelihood is then a sum of positive terms, taken in logarithms.
//
// Times in any unit, the same for parameters, history and horizon. Pure.
#pragma once

#include "absl/status/status.h"
#include "operators/models/purchase_history.h"

namespace portrait {

struct ParetoNbdParameters {
  double r = 1;
  double alpha_days = 1;
  double s = 1;
  double beta_days = 1;
};

// Whether all parameters are positive and finite.
absl::Status Validate(const ParetoNbdParameters& parameters);

double LogLikelihood(const ParetoNbdParameters& parameters, const PurchaseHistory& history);
double ProbabilityAlive(const ParetoNbdParameters& parameters, const PurchaseHistory& history);

// That at least one order comes within the horizon: it comes before the customer leaves, and in time.
double ProbabilityOfOrder(const ParetoNbdParameters& parameters, const PurchaseHistory& history, double horizon_days);
double ExpectedOrders(const ParetoNbdParameters& parameters, const PurchaseHistory& history, double horizon_days);

// P(Lomax(q, B) < Lomax(p, A)); all positive.
double FirstOfTwoLomax(double p, double A, double q, double B);

}  // namespace portrait
