#include "operators/models/forecaster.h"

#include <algorithm>
#include <cmath>
#include <string_view>
#include <tuple>
#include <utility>

#include "operators/models/normal_tail.h"
#include "operators/models/population_fit.h"

namespace portrait {
namespace {

constexpr size_t kLeastWindows = 200;
constexpr int kLeastRepeatCustomers = 10;
constexpr size_t kMostCustomers = 30'000;  // whom population models are fitted to: more make no difference that counts
constexpr double kMostLogOdds = 12;
constexpr double kLeastSpend = 1e-9;
constexpr double kMostScore = 40;
// Ridges and shares: chosen by rolling origin on two sets, where a factor of ten either way changes little.
constexpr double kRidgePerWindow = 0.05;
constexpr double kPauseRidge = 30;
constexpr double kPausesOfRhythm = 100;  // as many pauses count as much as the rhythm alone
constexpr double kPauseShare = 2.0 / 3;  // of the regression, however many pauses it learned from
constexpr double kShare = 0.85;
constexpr double kLevelShare = 0.5;
constexpr double kOrdersOfNoEvidence = 200;  // as many orders count as much as the guess that nothing is off
constexpr double kMostOff = 2;               // a level is at most so many times off
constexpr double kFewOutliers = 0.99;        // amounts beyond this share of all are drawn in to it

double Log1p(double value) { return std::log1p(std::max(0.0, value)); }

double Drawn(double log_odds) { return std::clamp(log_odds, -kMostLogOdds, kMostLogOdds); }

// Of exp(−orders), exact where that is near 1.
double LogOddsOfNone(double orders) { return Drawn(-orders - std::log(-std::expm1(-std::max(orders, 1e-12)))); }

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

// A value this many times above what kFewOutliers of the others lie below is taken for an error where a population is
// fitted; it stays that customer's own.
constexpr double kFarOut = 10;

void DrawInErrors(std::vector<OrderValues>& values) {
  std::vector<double> means;
  for (const OrderValues& one : values) means.push_back(one.mean);
  const double high = kFarOut * HighLabel(means);
  for (OrderValues& one : values) one.mean = std::min(one.mean, high);
}

// At most kMostOff, either way.
double LevelOf(double wanted, double learned) { return std::log(std::clamp(wanted / learned, 1 / kMostOff, kMostOff)); }

// Draws in what lies far out and gives the total back to all alike, up to kMostOff times the rest: more is an error.
double DrawIn(std::vector<double>& labels) {
  const double high = HighLabel(labels);
  double before = 0, after = 0;
  for (double& label : labels) {
    before += label;
    label = std::clamp(label, 0.0, high);
    after += label;
  }
  return after > 0 ? std::log(std::min(kMostOff, before / after)) : 0;
}

double Exp(double score) { return std::exp(std::min(kMostScore, score)); }

double LogSpend(const PopulationForecast& said) { return std::log(std::max(kLeastSpend, said.spend)); }

// How far what came is off, drawn to not at all where few orders came.
double LogRatio(double came, double said, double orders) {
  if (!(came > 0) || !(said > 0)) return 0;
  const double off = std::log(std::clamp(came / said, 1 / kMostOff, kMostOff));
  return off * orders / (orders + kOrdersOfNoEvidence);
}

// What is multiplied with each other for the log-odds.
std::vector<size_t> Multiplied() {
  std::vector<size_t> out;
  for (const std::string_view name :
       {"silence", "purchase_days", "age", "orders_90d", "spend", "silence_over_pause", "population_log_odds"}) {
    const auto at = std::find(kForecastFeatures.begin(), kForecastFeatures.end(), name);
    out.push_back(static_cast<size_t>(at - kForecastFeatures.begin()));
  }
  return out;
}

}  // namespace

absl::StatusOr<PopulationModels> FitPopulation(absl::Span<const CustomerSummary> customers,
                                               const PopulationModels& otherwise) {
  std::vector<PurchaseHistory> histories;
  std::vector<OrderValues> values;
  std::vector<Rhythm> rhythms;
  int repeat_customers = 0;
  const size_t step = customers.empty() ? 1 : (customers.size() + kMostCustomers - 1) / kMostCustomers;
  for (size_t i = 0; i < customers.size(); i += step) {
    const CustomerSummary& customer = customers[i];
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
  DrawInErrors(values);
  const auto value = FitGammaGamma(values);
  if (value.ok()) out.value = value->parameters;
  out.rhythm = FitRhythms(rhythms, otherwise.rhythm);
  return out;
}

PopulationForecast ForecastOf(const PopulationModels& population, const CustomerSummary& customer,
                              double horizon_days) {
  PopulationForecast out;
  out.orders = std::max(1e-9, ExpectedOrders(population.pareto, customer.history, horizon_days));
  const double order = ProbabilityOfOrder(population.pareto, customer.history, horizon_days);
  const double sure = -std::expm1(-out.orders), share = sure * sure;
  out.log_odds = (1 - share) * LogOddsOfNone(out.orders) + share * Drawn(std::log1p(-order) - std::log(order));
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
          said != nullptr ? LogSpend(*said) : 0};
}

struct Forecaster::Table {
  double window_days = 0;
  bool corrects = false;
  double ridge = 0;
  std::vector<const ClosedWindow*> windows;
  std::vector<PopulationForecast> said;
  std::vector<double> rows;  // row after row

  size_t size() const { return windows.size(); }
  absl::Span<const double> Row(size_t i) const {
    return absl::MakeConstSpan(rows).subspan(i * kForecastFeatures.size(), kForecastFeatures.size());
  }
};

void Forecaster::Learn(absl::Span<const ClosedWindow> windows, double window_days,
                       absl::Span<const CustomerSummary> today) {
  *this = Forecaster(population_, horizon_days_);
  if (windows.size() < kLeastWindows) return;
  Table table{.window_days = window_days, .corrects = window_days < horizon_days_};
  const size_t step = (windows.size() + kMostWindows - 1) / kMostWindows;
  for (size_t i = 0; i < windows.size(); i += step) {
    table.windows.push_back(&windows[i]);
    table.said.push_back(ForecastOf(population_, windows[i].customer, window_days));
    const ForecastRow row =
        ForecastFeatures(population_, windows[i].customer, table.corrects ? nullptr : &table.said.back());
    table.rows.insert(table.rows.end(), row.begin(), row.end());
  }
  windows_ = table.size(), corrects_ = table.corrects;
  table.ridge = kRidgePerWindow * static_cast<double>(table.size());

  CrossedFeatures crossed(table.rows, kForecastFeatures.size(), Multiplied());
  Examples examples{.features = kForecastFeatures.size() + crossed.products()};
  for (size_t i = 0; i < table.size(); ++i) {
    examples.Add(crossed.Of(table.Row(i)), table.windows[i]->orders > 0 ? 0 : 1,
                 table.corrects ? table.said[i].log_odds : 0);
  }
  auto learned = FitLinear(examples, {.link = Link::kLogit, .ridge = table.ridge});
  if (learned.ok()) {
    churn_ = Learned{std::move(crossed), *std::move(learned), table.corrects, kShare};
  }
  LearnWorth(table);
  LearnAmounts(table);
  if (table.corrects) {
    LevelByPopulation(today);
  } else {
    LevelByLatest(table);
  }
}

void Forecaster::LearnAmounts(const Table& table) {
  Examples orders{.features = kForecastFeatures.size()}, spend = orders;
  for (size_t i = 0; i < table.size(); ++i) {
    const PopulationForecast& said = table.said[i];
    orders.Add(table.Row(i), table.windows[i]->orders, table.corrects ? std::log(said.orders) : 0);
    spend.Add(table.Row(i), std::max(0.0, table.windows[i]->spend), table.corrects ? LogSpend(said) : 0);
  }
  for (const auto& [examples, to] : {std::pair(&orders, &orders_), {&spend, &spend_}}) {
    const double lost = DrawIn(examples->labels);
    auto fitted = FitLinear(*examples, {.link = Link::kLog, .ridge = table.ridge});
    if (!fitted.ok()) continue;
    fitted->intercept += lost;
    *to = Learned{{}, *std::move(fitted), table.corrects, kShare};
  }
}

double Forecaster::OrdersScore(const PopulationForecast& said, absl::Span<const double> row) const {
  const double population = std::log(said.orders);
  return orders_ ? orders_->Of(population, row) : population;
}

double Forecaster::SpendScore(const PopulationForecast& said, absl::Span<const double> row) const {
  const double population = LogSpend(said);
  if (!spend_ || !orders_) return spend_ ? spend_->Of(population, row) : population;
  const double by_orders = OrdersScore(said, row) + population - std::log(said.orders) + worth_;
  return (spend_->Of(population, row) + by_orders) / 2;
}

void Forecaster::LearnWorth(const Table& table) {
  double orders = 0, spend = 0, said_orders = 0, said_spend = 0;  // in the windows
  for (size_t i = 0; i < table.size(); ++i) {
    orders += table.windows[i]->orders, spend += std::max(0.0, table.windows[i]->spend);
    said_orders += table.said[i].orders, said_spend += table.said[i].spend;
  }
  worth_ = LogRatio(spend * said_orders, said_spend * orders, orders);
}

void Forecaster::LevelByLatest(const Table& table) {
  if (!orders_) return;
  const auto by_day = [](const ClosedWindow* a, const ClosedWindow* b) { return a->day < b->day; };
  const int32_t latest = (*std::max_element(table.windows.begin(), table.windows.end(), by_day))->day;
  double came = 0, said = 0;
  for (size_t i = 0; i < table.size(); ++i) {
    if (table.windows[i]->day != latest) continue;
    came += table.windows[i]->orders;
    said += Exp(OrdersScore(table.said[i], table.Row(i)));
  }
  orders_level_ = kLevelShare * LogRatio(came, said, came);
  if (spend_) spend_level_ = orders_level_;
}

void Forecaster::LevelByPopulation(absl::Span<const CustomerSummary> today) {
  PopulationForecast total;
  double learned_orders = 0, learned_spend = 0;
  for (const CustomerSummary& customer : today) {
    if (!customer.customer) continue;
    const PopulationForecast said = ForecastOf(population_, customer, horizon_days_);
    const ForecastRow row = ForecastFeatures(population_, customer, nullptr);
    total.orders += said.orders, total.spend += said.spend;
    learned_orders += Exp(OrdersScore(said, row));
    learned_spend += Exp(SpendScore(said, row));
  }
  if (orders_ && learned_orders > 0) orders_level_ = LevelOf(total.orders, learned_orders);
  if (spend_ && learned_spend > 0 && total.spend > 0) spend_level_ = LevelOf(total.spend, learned_spend) + worth_;
}

Forecast Forecaster::Predict(const CustomerSummary& customer) const {
  return Predict(customer, ForecastOf(population_, customer, horizon_days_));
}

Forecast Forecaster::Predict(const CustomerSummary& customer, const PopulationForecast& said) const {
  const ForecastRow row = ForecastFeatures(population_, customer, corrects_ ? nullptr : &said);
  const double log_odds = churn_ ? churn_->Of(said.log_odds, row) : said.log_odds;
  return {1 / (1 + std::exp(-log_odds)), Exp(OrdersScore(said, row) + orders_level_),
          Exp(SpendScore(said, row) + spend_level_)};
}

Forecast AverageOf(absl::Span<const Forecaster> forecasters, const CustomerSummary& customer) {
  double log_odds = 0, orders = 0, spend = 0;
  const double share = 1 / static_cast<double>(forecasters.size());
  const PopulationForecast said = ForecastOf(forecasters[0].population(), customer, forecasters[0].horizon_days());
  for (const Forecaster& one : forecasters) {
    const Forecast forecast = one.Predict(customer, said);
    log_odds += share * Drawn(std::log(forecast.no_order) - std::log1p(-forecast.no_order));
    orders += share * std::log(forecast.orders);
    spend += share * std::log(std::max(kLeastSpend, forecast.spend));
  }
  return {1 / (1 + std::exp(-log_odds)), Exp(orders), Exp(spend)};
}

namespace {

// The median of the log-normal pauses that are no longer than the limit.
double MedianWithin(const Rhythm& rhythm, double limit_days) {
  const double limit = (std::log(limit_days) - rhythm.log_mean) / std::max(1e-6, rhythm.log_spread);
  const double within = std::max(1e-300, NormalUpperShare(-limit));
  return std::clamp(QuantileDays(rhythm, -NormalUpperQuantile(within / 2)), 1.0, limit_days);
}

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
  if (!fitted.ok()) return;
  model_ = *std::move(fitted);
  share_ = kPauseShare * static_cast<double>(pauses.size()) / (static_cast<double>(pauses.size()) + kPausesOfRhythm);
}

double NextOrderModel::Predict(const CustomerSummary& customer) const {
  const double usual = MedianWithin(Shrunk(customer.rhythm, rhythm_), limit_days_);
  if (!model_) return usual;
  const double learned = std::clamp(model_->Score(PauseFeatures(rhythm_, customer)), 1.0, limit_days_);
  return share_ * learned + (1 - share_) * usual;
}

}  // namespace portrait
