#include "operators/models/rfm.h"

#include "absl/strings/str_cat.h"
#include "operators/models/quantile_sketch.h"

namespace portrait {
namespace {

int Above(const RfmBoundaries::Four& boundaries, double value) {
  return static_cast<int>(std::ranges::count_if(boundaries, [value](double one) { return value > one; }));
}

RfmBoundaries::Four Fifths(const QuantileSketch& sketch) {
  return {sketch.Quantile(0.2), sketch.Quantile(0.4), sketch.Quantile(0.6), sketch.Quantile(0.8)};
}

}  // namespace

int RfmBoundaries::Recency(const Rfm& customer) const { return 5 - Above(silent_days, customer.silent_days); }

int RfmBoundaries::Frequency(const Rfm& customer) const {
  return 1 + Above(purchase_days, static_cast<double>(customer.purchase_days));
}

int RfmBoundaries::Monetary(const Rfm& customer) const { return 1 + Above(spend, customer.spend); }

std::optional<int32_t> RfmBoundaries::NextSilence(int32_t silent) const {
  for (const double boundary : silent_days) {
    if (boundary >= silent) return static_cast<int32_t>(boundary) + 1;
  }
  return std::nullopt;
}

absl::StatusOr<RfmBoundaries> FitRfm(absl::Span<const Rfm> customers) {
  if (customers.size() < kLeastRfmCustomers) {
    return absl::FailedPreconditionError(
        absl::StrCat("too few customers for fifths; at least ", kLeastRfmCustomers, ": ", customers.size()));
  }
  QuantileSketch silent_days, purchase_days, spend;
  for (const Rfm& one : customers) {
    silent_days.Add(one.silent_days);
    purchase_days.Add(static_cast<double>(one.purchase_days));
    spend.Add(one.spend);
  }
  return RfmBoundaries{Fifths(silent_days), Fifths(purchase_days), Fifths(spend)};
}

}  // namespace portrait
