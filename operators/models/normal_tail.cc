#include "operators/models/normal_tail.h"

#include "boost/math/special_functions/erf.hpp"

namespace portrait {

double NormalUpperQuantile(double share) {
  constexpr double kRootOfTwo = 1.4142135623730951;
  return kRootOfTwo * boost::math::erfc_inv(2 * share);
}

}  // namespace portrait
