// What contacting a customer who may be lost is expected to bring, and the bands of churn by it.
//
//   const ContactProfit profit{.cost = 2.5, .success = 0.1, .margin = 0.4};
//   profit.Gain(0.8, spend)    // 0.8 x 0.1 x 0.4 x spend: of those who would not order, a share is won back
//
// The profit of a churn campaign by Neslin, Gupta, Kamakura, Lu and Mason, "Defection Detection", Journal of Marketing
// Research 43 (2006): those who would leave, times the chance of success, times their value, less the cost of contacts;
// without incentives, of one customer.
// Bands are multiples of the cost, so they need no currency: from 1 on a contact pays.
#pragma once

#include <limits>

namespace portrait {

// Constant; safe from any thread.
struct ContactProfit {
  double cost = 0;     // of one contact, in the home currency; 0: bands go by the probability alone
  double success = 0;  // share of those who would not order whom a contact wins back, 0 to 1
  double margin = 1;   // share of what they spend that is profit, 0 to 1
  double medium = 1;   // the band is medium from a gain of this many times the cost on
  double high = 3;     // … and high

  bool given() const { return cost > 0; }

  // Expected, before the cost, in the unit of `spend`: what a customer who stays spends within the horizon.
  double Gain(double no_order, double spend) const { return no_order * success * margin * spend; }

  // … less the cost; `spend` in the home currency.
  double Net(double no_order, double spend) const { return Gain(no_order, spend) - cost; }

  // The probability of no order from which the gain is that many times the cost; above 1: it never is. `spend` in the
  // home currency.
  double ProbabilityFor(double times, double spend) const {
    const double certain = Gain(1, spend);
    return certain > 0 ? times * cost / certain : std::numeric_limits<double>::infinity();
  }
};

}  // namespace portrait
