// The most likely positive parameters of a model, within bounds.
//
//   auto fit = MaximizeLikelihood({1, 1}, [&](absl::Span<const double> parameters) { return …; });
//
// Plain maximum likelihood runs off to infinity on real data, where a model is richer than the data asks for (a flat
// ridge). So the search is over logarithms, within e^±kBound, and beyond e^±kFree, where no population of sensible
// scale has its parameters, a penalty grows as the cube of the distance: enough to end a ridge, nothing where data
// decides. The caller scales times and amounts so that theirs are near 1. NLopt's BOBYQA (M. J. D. Powell, The BOBYQA
// algorithm for bound constrained optimization without derivatives, 2009); deterministic.
#pragma once

#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"

namespace portrait {

struct LikelihoodOptions {
  double free = 3;          // in logarithms
  double bound = 8;         // in logarithms
  double penalty = 1;       // of the cube of the distance, in units of log-likelihood
  double precision = 1e-8;  // in logarithms
  double first_step = 0.5;  // in logarithms
  int max_evaluations = 3000;
};

struct LikelihoodMaximum {
  std::vector<double> parameters;
  double log_likelihood = 0;  // without the penalty
  int evaluations = 0;
};

// `log_likelihood` may be −∞ or NaN where parameters are impossible. FailedPrecondition: the search ended without a
// finite likelihood, or did not converge within max_evaluations.
absl::StatusOr<LikelihoodMaximum> MaximizeLikelihood(std::vector<double> start,
                                                     absl::FunctionRef<double(absl::Span<const double>)> log_likelihood,
                                                     const LikelihoodOptions& options = {});

}  // namespace portrait
