#include "operators/models/normal_tail.h"

#include "boost/math/special_functions/erf.hpp"

namespace portrait {
namespace {

constexpr double kRootOfTwo = 1.4142135623730951;

}  // namespace

double NormalUpperQuantile(double share) { return kRootOfTwo * boost::math::erfc_inv(2 * share); }

double NormalUpperShare(double deviations) { return boost::math::erfc(deviations / kRootOfTwo) / 2; }

}  // namespace portrait
