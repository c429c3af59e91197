#include "operators/models/maximum_likelihood.h"

#include <nlopt.h>

#include <algorithm>
#include <cmath>
#include <memory>

#include "absl/strings/str_cat.h"

namespace portrait {
namespace {

constexpr double kImpossible = 1e18;

struct Search {
  absl::FunctionRef<double(absl::Span<const double>)> log_likelihood;
  const LikelihoodOptions& options;
  std::vector<double> parameters;
  int evaluations = 0;

  double At(const double* logs) {
    ++evaluations;
    double penalty = 0;
    for (size_t i = 0; i < parameters.size(); ++i) {
      parameters[i] = std::exp(logs[i]);
      const double beyond = std::max(0.0, std::abs(logs[i]) - options.free);
      penalty += options.penalty * beyond * beyond * beyond;
    }
    const double likelihood = log_likelihood(parameters);
    return std::isfinite(likelihood) ? penalty - likelihood : kImpossible;
  }
};

double Objective(unsigned, const double* logs, double*, void* search) { return static_cast<Search*>(search)->At(logs); }

}  // namespace

absl::StatusOr<LikelihoodMaximum> MaximizeLikelihood(std::vector<double> start,
                                                     absl::FunctionRef<double(absl::Span<const double>)> log_likelihood,
                                                     const LikelihoodOptions& options) {
  const auto size = static_cast<unsigned>(start.size());
  Search search{log_likelihood, options, start};
  std::vector<double> logs(size);
  for (unsigned i = 0; i < size; ++i) logs[i] = std::clamp(std::log(start[i]), -options.bound, options.bound);
  const std::unique_ptr<nlopt_opt_s, decltype(&nlopt_destroy)> optimizer(nlopt_create(NLOPT_LN_BOBYQA, size),
                                                                         &nlopt_destroy);
  nlopt_set_min_objective(optimizer.get(), &Objective, &search);
  nlopt_set_lower_bounds1(optimizer.get(), -options.bound);
  nlopt_set_upper_bounds1(optimizer.get(), options.bound);
  nlopt_set_initial_step1(optimizer.get(), options.first_step);
  nlopt_set_xtol_abs1(optimizer.get(), options.precision);
  nlopt_set_ftol_rel(optimizer.get(), 1e-15);
  nlopt_set_maxeval(optimizer.get(), options.max_evaluations);
  double least = 0;
  const nlopt_result result = nlopt_optimize(optimizer.get(), logs.data(), &least);
  // Rounding limits the precision reached where a likelihood is flat; that is an end like any other.
  const bool ended = result > 0 ? result != NLOPT_MAXEVAL_REACHED : result == NLOPT_ROUNDOFF_LIMITED;
  if (!ended || least >= kImpossible) {
    return absl::FailedPreconditionError(
        absl::StrCat("the likelihood has no maximum that could be found: ", nlopt_result_to_string(result), " after ",
                     search.evaluations, " evaluations"));
  }
  LikelihoodMaximum out;
  for (const double log : logs) out.parameters.push_back(std::exp(log));
  out.log_likelihood = log_likelihood(out.parameters);
  out.evaluations = search.evaluations;
  return out;
}

}  // namespace portrait
