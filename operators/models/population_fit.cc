#include "operators/models/population_fit.h"

#include <algorithm>
#include <cmath>
#include <tuple>
#include <utility>
#include <vector>

#include "boost/math/special_functions/trigamma.hpp"
#include "operators/models/maximum_likelihood.h"

namespace portrait {
namespace {

struct Counted {
  PurchaseHistory history;
  double customers = 0;
};

struct Population {
  std::vector<Counted> distinct;
  double scale = 1;  // one unit of the search, in the unit of the histories
  double repeats = 0;
  int64_t customers = 0;
};

std::tuple<double, double, double> Key(const PurchaseHistory& h) { return {h.repeats, h.last_days, h.age_days}; }

absl::StatusOr<Population> PopulationOf(absl::Span<const PurchaseHistory> histories) {
  std::vector<PurchaseHistory> sorted;
  double ages = 0;
  for (const PurchaseHistory& given : histories) {
    if (!std::isfinite(given.repeats) || !std::isfinite(given.last_days) || !std::isfinite(given.age_days)) continue;
    sorted.push_back(Sound(given));
    ages += sorted.back().age_days;
  }
  if (ages <= 0) return absl::InvalidArgumentError("no customer has a history of any length");
  std::sort(sorted.begin(), sorted.end(), [](const auto& a, const auto& b) { return Key(a) < Key(b); });
  Population out;
  out.customers = static_cast<int64_t>(sorted.size());
  out.scale = ages / static_cast<double>(sorted.size());
  for (const PurchaseHistory& history : sorted) {
    const PurchaseHistory scaled{history.repeats, history.last_days / out.scale, history.age_days / out.scale};
    if (out.distinct.empty() || Key(out.distinct.back().history) != Key(scaled)) out.distinct.push_back({scaled});
    ++out.distinct.back().customers;
    out.repeats += history.repeats;
  }
  return out;
}

template <class Parameters>
double LogLikelihoodOf(const Parameters& parameters, const std::vector<Counted>& distinct) {
  double sum = 0;
  for (const Counted& some : distinct) sum += some.customers * LogLikelihood(parameters, some.history);
  return sum;
}

// Every k-th of many distinct histories: quick, and near to where all of them lead.
std::vector<Counted> Some(const std::vector<Counted>& all) {
  constexpr size_t kEnough = 3000;
  const size_t step = all.size() / kEnough + 1;
  std::vector<Counted> out;
  for (size_t i = 0; i < all.size(); i += step) out.push_back(all[i]);
  return out;
}

// `of` makes the parameters of the model from the four numbers of the search, in a unit of time.
template <class Parameters, class Of>
absl::StatusOr<PopulationFit<Parameters>> Fit(absl::Span<const PurchaseHistory> histories, Of of) {
  const auto population = PopulationOf(histories);
  if (!population.ok()) return population.status();
  const auto likelihood = [&](const std::vector<Counted>& counted) {
    return [&](absl::Span<const double> numbers) { return LogLikelihoodOf<Parameters>(of(numbers, 1), counted); };
  };
  const std::vector<Counted> some = Some(population->distinct);
  LikelihoodOptions options;
  int evaluations = 0;
  std::vector<double> start = {0.5, 0.3, 0.8, 1.5};
  if (some.size() < population->distinct.size()) {
    options.precision = 1e-3;
    auto near = MaximizeLikelihood(start, likelihood(some), options);
    if (near.ok()) start = near->parameters, evaluations = near->evaluations;
    options.precision = 1e-5;
    options.first_step = 0.05;
  }
  auto best = MaximizeLikelihood(start, likelihood(population->distinct), options);
  if (!best.ok()) return best.status();
  PopulationFit<Parameters> out;
  out.parameters = of(best->parameters, population->scale);
  // A density of x purchases has the unit of time to the power of −x.
  out.log_likelihood = best->log_likelihood - population->repeats * std::log(population->scale);
  out.customers = population->customers;
  out.evaluations = evaluations + best->evaluations;
  return out;
}

}  // namespace

absl::StatusOr<PopulationFit<BgNbdParameters>> FitBgNbd(absl::Span<const PurchaseHistory> histories) {
  return Fit<BgNbdParameters>(histories, [](absl::Span<const double> p, double unit) {
    return BgNbdParameters{p[0], p[1] * unit, p[2], p[3]};
  });
}

absl::StatusOr<PopulationFit<MbgNbdParameters>> FitMbgNbd(absl::Span<const PurchaseHistory> histories) {
  return Fit<MbgNbdParameters>(histories, [](absl::Span<const double> p, double unit) {
    return MbgNbdParameters{p[0], p[1] * unit, p[2], p[3]};
  });
}

absl::StatusOr<PopulationFit<ParetoNbdParameters>> FitParetoNbd(absl::Span<const PurchaseHistory> histories) {
  return Fit<ParetoNbdParameters>(histories, [](absl::Span<const double> p, double unit) {
    return ParetoNbdParameters{p[0], p[1] * unit, p[2], p[3] * unit};
  });
}

absl::StatusOr<PopulationFit<GammaGammaParameters>> FitGammaGamma(absl::Span<const OrderValues> values) {
  std::vector<OrderValues> usable;
  double sum = 0;
  for (const OrderValues& one : values) {
    const bool good = std::isfinite(one.orders) && std::isfinite(one.mean) && one.orders > 0 && one.mean > 0;
    if (!good) continue;
    usable.push_back(one);
    sum += std::log(one.mean);
  }
  if (usable.empty()) return absl::InvalidArgumentError("no customer has an order of a value above 0");
  const double scale = std::exp(sum / static_cast<double>(usable.size()));
  for (OrderValues& one : usable) one.mean /= scale;
  // q > 1, so that there is a mean: the search is over q − 1.
  const auto of = [](absl::Span<const double> numbers, double unit) {
    return GammaGammaParameters{numbers[0], 1 + numbers[1], numbers[2] * unit};
  };
  const auto likelihood = [&](absl::Span<const double> numbers) {
    double all = 0;
    for (const OrderValues& one : usable) all += LogLikelihood(of(numbers, 1), one);
    return all;
  };
  const auto best = MaximizeLikelihood({3, 2, 1}, likelihood);
  if (!best.ok()) return best.status();
  PopulationFit<GammaGammaParameters> out;
  out.parameters = of(best->parameters, scale);
  out.customers = static_cast<int64_t>(usable.size());
  // A density of a mean has the unit of money to the power of −1.
  out.log_likelihood = best->log_likelihood - static_cast<double>(usable.size()) * std::log(scale);
  out.evaluations = best->evaluations;
  return out;
}

namespace {

// Of the logarithms of pauses. Whole days tell no less apart: of three weeks, half a day is 2 %.
constexpr double kLeastVariance = 1e-3;

struct Spread {
  double within = 0, freedom = 0;      // pooled variance within customers, and its degrees of freedom
  double log_variance = 0, doubt = 0;  // of the customers' log-variances: their variance, and what chance alone gives
  int customers = 0;
};

Spread SpreadWithin(absl::Span<const Rhythm> rhythms) {
  Spread out;
  double sum = 0, squares = 0;
  for (const Rhythm& one : rhythms) {
    if (one.gaps < 2) continue;
    const double freedom = one.gaps - 1, variance = one.log_spread * one.log_spread;
    out.within += freedom * variance;
    out.freedom += freedom;
    const double log_variance = std::log(std::max(variance, kLeastVariance));
    sum += log_variance, squares += log_variance * log_variance;
    out.doubt += boost::math::trigamma(freedom / 2);
    ++out.customers;
  }
  if (out.customers < 2) return out;
  out.within /= out.freedom;
  out.doubt /= out.customers;
  out.log_variance = (squares - sum * sum / out.customers) / (out.customers - 1);
  return out;
}

// The freedom d with trigamma(d / 2) = value; trigamma falls.
double FreedomOf(double value) {
  double few = 0.5, many = 100;
  if (boost::math::trigamma(few / 2) < value) return few;
  if (boost::math::trigamma(many / 2) > value) return many;
  for (int i = 0; i < 60; ++i) {
    const double middle = (few + many) / 2;
    (boost::math::trigamma(middle / 2) > value ? few : many) = middle;
  }
  return few;
}

}  // namespace

RhythmPrior FitRhythms(absl::Span<const Rhythm> rhythms, const RhythmPrior& otherwise) {
  constexpr int kEnough = 10;
  RhythmPrior out = otherwise;
  const Spread spread = SpreadWithin(rhythms);
  if (spread.customers >= kEnough) {
    out.log_spread = std::sqrt(std::max(spread.within, kLeastVariance));
    out.spread_weight = FreedomOf(spread.log_variance - spread.doubt);
  }
  double pauses = 0, squares = 0, sum = 0, customers = 0;
  for (const Rhythm& one : rhythms) {
    if (one.gaps < 1) continue;
    pauses += one.gaps, squares += static_cast<double>(one.gaps) * one.gaps, sum += one.gaps * one.log_mean,
        ++customers;
  }
  if (customers < kEnough) return out;
  const double within = out.log_spread * out.log_spread, mean = sum / pauses;
  double between_squares = 0;
  for (const Rhythm& one : rhythms) {
    if (one.gaps > 0) between_squares += one.gaps * (one.log_mean - mean) * (one.log_mean - mean);
  }
  const double size = (pauses - squares / pauses) / (customers - 1);
  const double between = std::max((between_squares / (customers - 1) - within) / size, within / 100);
  double weighted = 0, weights = 0;
  for (const Rhythm& one : rhythms) {
    if (one.gaps < 1) continue;
    const double weight = 1 / (between + within / one.gaps);
    weighted += weight * one.log_mean, weights += weight;
  }
  out.log_mean = weighted / weights;
  out.mean_weight = within / between;
  return out;
}

}  // namespace portrait
