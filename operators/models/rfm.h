// Customers in fifths by recency, frequency and monetary value (RFM), by boundaries that were learned from a
// population: where somebody stands is then a function of that customer alone.
//
//   auto boundaries = FitRfm(customers);               // StatusOr<RfmBoundaries>
//   int fifth = boundaries->Monetary(MakeRfm(12, 3, 80.50));   // 1 … 5, 5 is best
//
// Each fifth holds a fifth of the customers, as far as ties allow: equal customers are always in one fifth. A boundary
// belongs to the fifth below it in frequency and monetary value, and to the more recent one in recency: where three
// of five customers have bought once, these are all in the first fifth, and nobody is in the second or third.
// Pure; constant; safe from any thread.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <optional>

#include "absl/status/statusor.h"
#include "absl/types/span.h"

namespace portrait {

struct Rfm {
  int32_t silent_days = 0;    // since the last purchase day; 0 or more
  int64_t purchase_days = 1;  // 1 or more
  double spend = 0;           // in the home currency, whole millionths of it; 0 or more
};

// Sums of one customer's amounts differ in their last bits by how they were added up; equal ones are to be equal.
inline Rfm MakeRfm(int32_t silent_days, int64_t purchase_days, double spend) {
  return {std::max(0, silent_days), std::max<int64_t>(1, purchase_days), std::max(0.0, std::round(spend * 1e6) / 1e6)};
}

// Defaults: a fit of the CDNOW sample, in dollars.
struct RfmBoundaries {
  using Four = std::array<double, 4>;  // rising or equal

  Four silent_days = {99, 198, 219, 242};
  Four purchase_days = {1, 1, 2, 3};
  Four spend = {14.96, 27.99, 46.04, 93.76};

  int Recency(const Rfm& customer) const;  // 5: the most recent fifth
  int Frequency(const Rfm& customer) const;
  int Monetary(const Rfm& customer) const;

  // The first silence that is longer than this one and puts the customer into another fifth of recency; nothing: none.
  std::optional<int32_t> NextSilence(int32_t silent_days) const;
};

// Fewer customers have no fifths that mean anything.
inline constexpr size_t kLeastRfmCustomers = 50;

// By quantile sketches (quantile_sketch.h): exact up to 65 536 different values, then each boundary within 0.0005 of
// the ranks. FailedPrecondition: fewer than kLeastRfmCustomers.
absl::StatusOr<RfmBoundaries> FitRfm(absl::Span<const Rfm> customers);

}  // namespace portrait
