// A customer's own rhythm: how long the pauses between two purchase days usually are, and how much they vary.
//
//   const int32_t gaps[] = {28, 31, 30, 200, 29};      // days; one odd pause among them
//   Rhythm own = RhythmOf(gaps);                       // around 31 days all the same
//   Rhythm rhythm = Shrunk(own, RhythmPrior{});        // few gaps say little: drawn to the population
//   double longest = QuantileDays(rhythm, 1.645);      // 95 % of this customer's pauses are shorter
//
// Pauses are worked with as logarithms: pauses of 5 and 20 days lie as far from 10 as each other, and none is negative.
// Robust to one odd pause: what lies further from the median than 1.5 spreads is drawn in to there, the spread being
// the median absolute deviation times 1.4826 (P. J. Huber, Robust Estimation of a Location Parameter, 1964; F. R.
// Hampel, The Influence Curve and Its Role in Robust Estimation, 1974). Then mean and standard deviation are taken.
// Pure functions.
#pragma once

#include <cstdint>

#include "absl/types/span.h"

namespace portrait {

struct Rhythm {
  int gaps = 0;           // how many pauses it was learned from
  double log_mean = 0;    // of the pauses in days; 0 without a pause
  double log_spread = 0;  // standard deviation of the logarithms; 0 with fewer than two pauses
};

// What is known of a customer before the first pause, and how many pauses of their own that weighs as much as.
// Defaults: one-way random effects over the CDNOW sample, 1997-01 to 1997-09, 507 customers with 2 018 pauses: mean of
// the customers' means 3.27 (26 days), within a customer 1.16, between customers 0.56, so that the weight is
// 1.16² / 0.56² = 4.35. The spread's own weight follows from how its logarithm varies between customers.
struct RhythmPrior {
  double log_mean = 3.27;
  double log_spread = 1.16;
  double mean_weight = 4.35;
  double spread_weight = 4;
};

// `gap_days`: pauses in whole days, 1 or more each, in any order.
Rhythm RhythmOf(absl::Span<const int32_t> gap_days);

// The mean drawn to the prior as gaps : mean_weight (empirical Bayes), the variance as gaps - 1 : spread_weight; the
// spread returned is that of the next pause, so it includes the doubt about the mean.
Rhythm Shrunk(const Rhythm& own, const RhythmPrior& prior);

// The pause that lies `spreads` standard deviations above the usual one: 0 gives the median pause, 1.645 the one that
// 95 % stay below, were they log-normal.
double QuantileDays(const Rhythm& rhythm, double spreads);

}  // namespace portrait
