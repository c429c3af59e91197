// What BG/NBD and MBG/NBD have in common: expected orders of a customer who is here and may leave after each order.
#pragma once

#include <string_view>

#include "absl/status/status.h"

namespace portrait {

// Whether all four are positive and finite; `model` is for the message.
absl::Status ValidateLeaving(std::string_view model, double r, double alpha_days, double a, double b);

// That a customer who stays, whose rate is λ ~ Gamma(shape, rate), orders within t; nothing below 0 is a t.
double ProbabilityOfOrderWhileHere(double shape, double rate, double t);

// Orders within t of a customer who is here now, whose rate is λ ~ Gamma(shape, rate) and who leaves for good after
// each order with p ~ Beta(a, b). All positive but b, which is above 0 or, for BG/NBD without a repeat, that of the
// population. Accurate to 1e-9 (relative) for t up to 100 times rate.
double ExpectedOrdersWhileHere(double shape, double rate, double a, double b, double t);

}  // namespace portrait
