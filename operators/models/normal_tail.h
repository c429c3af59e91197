// The standard normal distribution's upper tail, by Boost.Math.
#pragma once

namespace portrait {

// How many standard deviations above the mean it takes for `share` (above 0, below 1) to lie beyond. Pure.
double NormalUpperQuantile(double share);

// The share that lies more than `deviations` standard deviations above the mean. Pure.
double NormalUpperShare(double deviations);

}  // namespace portrait
