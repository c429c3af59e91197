// Fits the population models to the histories of customers, by bounded, penalised maximum likelihood
// (maximum_likelihood.h).
//
//   auto orders = FitParetoNbd(histories);
//   auto value = FitGammaGamma(values);
//   if (orders.ok()) std::cout << orders->log_likelihood;
//
// Times are scaled to the mean age, amounts to their mean, so a fit does not depend on units; results come in the
// unit of the histories. Equal histories are counted once, so days are better than instants. Errors: InvalidArgument
// without a single usable history, FailedPrecondition when the search does not converge. Deterministic.
#pragma once

#include <cstdint>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "operators/models/bg_nbd.h"
#include "operators/models/gamma_gamma.h"
#include "operators/models/mbg_nbd.h"
#include "operators/models/pareto_nbd.h"
#include "operators/models/purchase_history.h"
#include "operators/rhythm.h"

namespace portrait {

template <class Parameters>
struct PopulationFit {
  Parameters parameters;
  double log_likelihood = 0;  // of all customers, in the unit of the histories, without the penalty
  int64_t customers = 0;
  int evaluations = 0;
};

absl::StatusOr<PopulationFit<BgNbdParameters>> FitBgNbd(absl::Span<const PurchaseHistory> histories);
absl::StatusOr<PopulationFit<MbgNbdParameters>> FitMbgNbd(absl::Span<const PurchaseHistory> histories);
absl::StatusOr<PopulationFit<ParetoNbdParameters>> FitParetoNbd(absl::Span<const PurchaseHistory> histories);

// Customers without an order, or whose mean is not positive and finite, are left out.
absl::StatusOr<PopulationFit<GammaGammaParameters>> FitGammaGamma(absl::Span<const OrderValues> values);

// How the rhythms of customers are spread: one-way random effects over the logarithms of their pauses, by moments
// (S. R. Searle, G. Casella, C. E. McCulloch, Variance Components, 1992, 3.6), each customer's own taken as
// operators/rhythm.h does. The weight of the spread is that of G. K. Smyth, Linear
// Models and Empirical Bayes Methods, Statistical Applications in Genetics and Molecular Biology 3 (2004), section
// 6.2. With too little data for one of the numbers, that of `otherwise` is kept.
RhythmPrior FitRhythms(absl::Span<const Rhythm> rhythms, const RhythmPrior& otherwise = {});

}  // namespace portrait
