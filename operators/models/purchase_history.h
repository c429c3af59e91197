// What the population models know of a customer: three numbers, and those of their orders' value.
#pragma once

#include <algorithm>

namespace portrait {

// All times in one unit, in which the parameters of a model are, too: days, unless said otherwise.
struct PurchaseHistory {
  double repeats = 0;    // x: purchase days after the first
  double last_days = 0;  // t_x: from the first purchase to the last; 0 without a repeat
  double age_days = 0;   // T: from the first purchase to now, at least t_x
};

// Histories come from data: nothing negative, no last purchase after now.
inline PurchaseHistory Sound(const PurchaseHistory& history) {
  PurchaseHistory out;
  out.repeats = std::max(0.0, history.repeats);
  out.age_days = std::max(0.0, history.age_days);
  out.last_days = out.repeats > 0 ? std::clamp(history.last_days, 0.0, out.age_days) : 0;
  return out;
}

// The orders of a customer that their mean value is taken of.
struct OrderValues {
  double orders = 0;
  double mean = 0;  // in units of the currency
};

}  // namespace portrait
