#include "operators/models/forecaster.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <utility>

#include "operators/models/population_fit.h"

namespace portrait {
namespace {

constexpr size_t kLeastWindows = 200;
constexpr int kLeastRepeatCustomers = 10;
constexpr double kMostLogOdds = 12;
constexpr double kLeastSpend = 1e-9;
constexpr double kMostScore = 40;
// Ridges and shares: chosen by rolling origin on two sets, where a factor of ten either way changes little.
constexpr double kRidgePerWindow = 0.05;
constexpr double kPauseRidge = 30;
constexpr double kChurnShare = 0.85;
constexpr double kCorrectionShare = 0.5;
constexpr double kFewOutliers = 0.99;  // amounts beyond this share of all are drawn in to it

double Log1p(double value) { return std::log1p(std::max(0.0, value)); }

double LogOddsOfNone(double orders) {
  // Of exp(−orders), exact where that is near 1.
  return std::clamp(-orders - std::log(-std::expm1(-std::max(orders, 1e-12))), -kMostLogOdds, kMostLogOdds);
}

Rhythm RhythmDrawn(const PopulationModels& population, const CustomerSummary& customer) {
  return Shrunk(customer.rhythm, population.rhythm);
}

// The value that a share of the labels above 0 lies below.
double HighLabel(const std::vector<double>& labels) {
  std::vector<double> some;
  std::copy_if(labels.begin(), labels.end(), std::back_inserter(some), [](double label) { return label > 0; });
  if (some.empty()) return 0;
  const auto at = some.begin() + static_cast<std::ptrdiff_t>(kFewOutliers * static_cast<double>(some.size() - 1));
  std::nth_element(some.begin(), at, some.end());
  return *at;
}

// Draws in what lies far out and gives the total back to all alike.
double DrawIn(std::vector<double>& labels) {
  const double high = HighLabel(labels);
  double before = 0, after = 0;
  for (double& label : labels) {
    before += label;
    label = std::clamp(label, 0.0, high);
    after += label;
  }
  return after > 0 ? std::log(before / after) : 0;
}

}  // namespace

absl::StatusOr<PopulationModels> FitPopulation(absl::Span<const CustomerSummary> customers,
                                               const PopulationModels& otherwise) {
  std::vector<PurchaseHistory> histories;
  std::vector<OrderValues> values;
  std::vector<Rhythm> rhythms;
  int repeat_customers = 0;
  for (const CustomerSummary& customer : customers) {
    if (!customer.customer) continue;
    const PurchaseHistory& h = customer.history;
    // Whole days: the time of day means nothing here, and equal histories are counted once.
    histories.push_back({h.repeats, std::round(h.last_days), std::round(h.age_days)});
    rhythms.push_back(customer.rhythm);
    if (h.repeats > 0) ++repeat_customers;
    if (h.repeats > 0) values.push_back({h.repeats + 1, customer.day_value});
  }
  PopulationModels out = otherwise;
  if (histories.empty()) return absl::InvalidArgumentError("there are no customers");
  if (repeat_customers >= kLeastRepeatCustomers) {
    const auto pareto = FitParetoNbd(histories);
    if (!pareto.ok()) return pareto.status();
    out.pareto = pareto->parameters;
  }
  const auto value = FitGammaGamma(values);
  if (value.ok()) out.value = value->parameters;
  out.rhythm = FitRhythms(rhythms, otherwise.rhythm);
  return out;
}

PopulationForecast ForecastOf(const PopulationModels& population, const CustomerSummary& customer,
                              double horizon_days) {
  PopulationForecast out;
  out.orders = std::max(1e-9, ExpectedOrders(population.pareto, customer.history, horizon_days));
  out.log_odds = LogOddsOfNone(out.orders);
  out.spend = out.orders * ExpectedOrderValue(population.value, customer.history.repeats + 1, customer.day_value);
  return out;
}

ForecastRow ForecastFeatures(const PopulationModels& population, const CustomerSummary& c,
                             const PopulationForecast* said) {
  const Rhythm rhythm = RhythmDrawn(population, c);
  const double silence = Log1p(c.silent_days), over = silence - rhythm.log_mean;
  const auto& [orders_7d, orders_30d, orders_90d] = c.window_orders;
  const auto& [spend_7d, spend_30d, spend_90d] = c.window_spend;
  return {silence,
          c.silent_days / (c.history.age_days + 7),
          Log1p(c.history.repeats),
          Log1p(c.history.age_days),
          Log1p(c.history.last_days),
          Log1p(orders_7d),
          Log1p(orders_30d),
          Log1p(orders_90d),
          Log1p(spend_7d),
          Log1p(spend_30d),
          Log1p(spend_90d),
          Log1p(c.spend),
          Log1p(c.day_value),
          rhythm.log_mean,
          over,
          over / rhythm.log_spread,
          c.history.repeats == 0 ? 1.0 : 0.0,
          Log1p(orders_30d) - Log1p((orders_90d - orders_30d) / 2),
          Log1p(30 * c.history.repeats / (c.history.age_days + 30)),
          ProbabilityAlive(population.pareto, c.history),
          said != nullptr ? said->log_odds : 0,
          said != nullptr ? std::log(said->orders) : 0,
          said != nullptr ? std::log(std::max(kLeastSpend, said->spend)) : 0};
}

void Forecaster::Learn(absl::Span<const ClosedWindow> windows, double window_days) {
  churn_.reset(), orders_.reset(), spend_.reset();
  if (windows.size() < kLeastWindows) return;
  const bool corrects = window_days < horizon_days_;
  const size_t features = kForecastFeatures.size();
  Examples churn{.features = features}, orders{.features = features}, spend{.features = features};
  for (const ClosedWindow& window : windows) {
    const PopulationForecast said = ForecastOf(population_, window.customer, window_days);
    const ForecastRow row = ForecastFeatures(population_, window.customer, corrects ? nullptr : &said);
    churn.Add(row, window.orders > 0 ? 0 : 1, corrects ? said.log_odds : 0);
    orders.Add(row, window.orders, corrects ? std::log(said.orders) : 0);
    spend.Add(row, std::max(0.0, window.spend), corrects ? std::log(std::max(kLeastSpend, said.spend)) : 0);
  }
  const double ridge = kRidgePerWindow * static_cast<double>(windows.size());
  auto learned = FitLinear(churn, {.link = Link::kLogit, .ridge = ridge});
  if (learned.ok()) churn_ = Learned{*std::move(learned), corrects, corrects ? kCorrectionShare : kChurnShare};
  for (const auto& [examples, to] : {std::pair(&orders, &orders_), {&spend, &spend_}}) {
    const double lost = DrawIn(examples->labels);
    auto fitted = FitLinear(*examples, {.link = Link::kLog, .ridge = ridge});
    if (!fitted.ok()) continue;
    fitted->intercept += lost;
    *to = Learned{*std::move(fitted), corrects, 1};
  }
}

Forecast Forecaster::Predict(const CustomerSummary& customer) const {
  const PopulationForecast said = ForecastOf(population_, customer, horizon_days_);
  const auto score = [&](double population, const std::optional<Learned>& by) {
    if (!by) return population;
    return by->Of(population, ForecastFeatures(population_, customer, by->corrects ? nullptr : &said));
  };
  const double log_odds = score(said.log_odds, churn_);
  const double orders = score(std::log(said.orders), orders_);
  const double spend = score(std::log(std::max(kLeastSpend, said.spend)), spend_);
  return {1 / (1 + std::exp(-log_odds)), std::exp(std::min(kMostScore, orders)), std::exp(std::min(kMostScore, spend))};
}

namespace {

std::array<double, 12> PauseFeatures(const RhythmPrior& prior, const CustomerSummary& c) {
  const Rhythm rhythm = Shrunk(c.rhythm, prior);
  const double usual = QuantileDays(rhythm, 0), gaps = std::max(1, c.rhythm.gaps);
  const double rate = c.history.age_days / std::max(1.0, c.history.repeats);
  const auto& [orders_7d, orders_30d, orders_90d] = c.window_orders;
  return {usual,
          rhythm.log_mean,
          c.rhythm.log_mean,
          c.rhythm.gaps > 1 ? c.rhythm.log_spread : rhythm.log_spread,
          1 / gaps,
          Log1p(rate),
          Log1p(c.history.repeats),
          Log1p(c.history.age_days),
          Log1p(orders_7d),
          Log1p(orders_30d),
          Log1p(orders_90d),
          Log1p(c.day_value)};
}

}  // namespace

void NextOrderModel::Learn(absl::Span<const ClosedPause> pauses) {
  model_.reset();
  if (pauses.size() < kLeastPauses) return;
  Examples examples{.features = std::tuple_size_v<decltype(PauseFeatures(rhythm_, {}))>};
  for (const ClosedPause& pause : pauses) examples.Add(PauseFeatures(rhythm_, pause.customer), pause.days);
  auto fitted = FitLinear(examples, {.link = Link::kMedian, .ridge = kPauseRidge});
  if (fitted.ok()) model_ = *std::move(fitted);
}

double NextOrderModel::Predict(const CustomerSummary& customer) const {
  const double pause =
      model_ ? model_->Score(PauseFeatures(rhythm_, customer)) : QuantileDays(Shrunk(customer.rhythm, rhythm_), 0);
  return std::clamp(pause, 1.0, limit_days_);
}

}  // namespace portrait
