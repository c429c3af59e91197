// Customers who are set apart at random, so that what is done to the others can be measured: in the same share of all,
// whoever they are, and the same ones for ever.
//
//   if (HeldOut(HoldoutPoint("anna"), 0.05)) …   // one in twenty
#pragma once

#include <cstdint>
#include <string_view>

namespace portrait {

// Where a customer stands among all: evenly spread, and independent of the partition.
uint32_t HoldoutPoint(std::string_view customer_id);

// A larger share holds out those of a smaller one, too.
inline bool HeldOut(uint32_t point, double share) { return static_cast<double>(point) < share * 4294967296.0; }

}  // namespace portrait
