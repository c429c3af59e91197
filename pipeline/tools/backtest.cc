#include "pipeline/tools/backtest.h"

#include <algorithm>
#include <map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "operators/models/judgement.h"
#include "operators/models/population_fit.h"
#include "pipeline/tools/local_days.h"

namespace portrait {
namespace {

constexpr int kMostLooks = 14;
constexpr int kLooksAWindow = 9;
constexpr int kLeastHistory = 30;  // days before a look that is learned from
constexpr int kShorterParts = 3;   // without a closed horizon, windows are this part of the history
constexpr int kLeastWindow = 7;
constexpr int kRefitDays = 15;

// What came of a customer in the days from `from` on.
struct Outcome {
  double orders = 0, spend = 0;
};

Outcome OutcomeOf(const CustomerPast& past, int32_t from, int32_t length) {
  Outcome out;
  for (const PurchaseDay& purchase : past.purchases) {
    if (purchase.day < from || purchase.day >= from + length) continue;
    out.orders += 1;
    out.spend += std::max(0.0, purchase.spend);
  }
  return out;
}

// The rhythms of all customers by the start of a day.
std::vector<Rhythm> RhythmsBy(const std::vector<CustomerPast>& pasts, int32_t day) {
  std::vector<Rhythm> out;
  for (const CustomerPast& past : pasts) {
    const auto after = std::upper_bound(past.looks.begin(), past.looks.end(), day,
                                        [](int32_t wanted, const DatedSummary& look) { return wanted < look.day; });
    if (after != past.looks.begin()) out.push_back(std::prev(after)->summary.rhythm);
  }
  return out;
}

// Pauses that began so long before `day` that all up to the limit have ended.
std::vector<ClosedPause> PausesBy(const std::vector<CustomerPast>& pasts, int32_t day, int32_t limit_days) {
  std::vector<ClosedPause> out;
  for (const CustomerPast& past : pasts) {
    for (size_t i = 2; i + 1 < past.purchases.size(); ++i) {
      const int32_t from = past.purchases[i].day, pause = past.purchases[i + 1].day - from;
      if (from + limit_days > day || pause > limit_days) continue;
      const CustomerSummary* summary = past.LookOn(from + 1);
      if (summary != nullptr && summary->customer) out.push_back({*summary, static_cast<double>(pause)});
    }
  }
  return out;
}

// A window before the origin, and back from there.
std::vector<int32_t> LookDays(int32_t origin, int32_t window_days, int32_t earliest) {
  std::vector<int32_t> out;
  if (window_days < kLeastWindow) return out;
  const int32_t step = std::max(1, window_days / kLooksAWindow);
  for (int32_t day = origin - window_days; day >= earliest && out.size() < kMostLooks; day -= step) out.push_back(day);
  return out;
}

}  // namespace

TrainingPlan TrainingPlan::For(int32_t first, int32_t origin, int32_t horizon_days) {
  TrainingPlan plan{.window_days = horizon_days};
  int32_t earliest = first + kLeastHistory;
  // Looks at customers who are all new say little of those who are not: then rather shorter windows.
  if (origin - horizon_days < first + std::max(kLeastHistory, horizon_days * 3 / 2)) {
    plan.window_days = std::min(horizon_days, (origin - first) / kShorterParts);
    earliest = first + (origin - first) / 4;
  }
  plan.days = LookDays(origin, plan.window_days, earliest);
  return plan;
}

std::vector<TrainingPlan> TrainingPlan::Both(int32_t first, int32_t origin, int32_t horizon_days) {
  std::vector<TrainingPlan> out = {For(first, origin, horizon_days)};
  TrainingPlan half{.window_days = out.front().window_days / 2};
  half.days = LookDays(origin, half.window_days, first + std::max(kLeastHistory, (origin - first) / 4));
  if (!half.days.empty()) out.push_back(std::move(half));
  return out;
}

absl::Status Backtest::Read(const History& history, const Chain& chain, absl::TimeZone zone,
                            const std::function<void(uint64_t)>& progress) {
  auto looking = LookingBack::Create(chain, zone);
  if (!looking.ok()) return looking.status();
  first_event_ = looking->calendar().At(history.first()).day;
  std::vector<int32_t> looks = options_.origins;
  for (const int32_t origin : options_.origins) {
    for (const TrainingPlan& plan : TrainingPlan::Both(first_event_, origin, options_.horizon_days)) {
      looks.insert(looks.end(), plan.days.begin(), plan.days.end());
    }
  }
  std::sort(looks.begin(), looks.end());
  looks.erase(std::unique(looks.begin(), looks.end()), looks.end());
  first_ = INT32_MAX, last_ = INT32_MIN;
  history.ForEach([&](const std::string& customer, const std::vector<Event>& events) {
    CustomerPast past = looking->At(customer, events, looks);
    if (past.purchases.empty()) return;
    first_ = std::min(first_, past.purchases.front().day);
    last_ = std::max(last_, past.purchases.back().day);
    pasts_.push_back(std::move(past));
    if (progress) progress(pasts_.size());
  });
  if (looking->rejected() > 0) {
    absl::StrAppend(&text_, looking->rejected(), " events are left out by the cleaning stage, the first as ",
                    looking->first_rejection(), "\n");
  }
  if (looking->duplicates() > 0) absl::StrAppend(&text_, looking->duplicates(), " events are duplicates\n");
  if (pasts_.empty()) return absl::NotFoundError("no event is an order");
  for (const int32_t origin : options_.origins) {
    if (origin > first_) continue;
    return absl::InvalidArgumentError(
        absl::StrCat("no order comes before this origin, the first on ", DayText(first_), ": ", DayText(origin)));
  }
  return absl::OkStatus();
}

absl::Status Backtest::Run() {
  for (const int32_t origin : options_.origins) {
    if (absl::Status s = PredictChurn(origin); !s.ok()) return s;
  }
  PredictNextOrders();
  return absl::OkStatus();
}

absl::Status Backtest::PredictChurn(int32_t origin) {
  std::vector<CustomerSummary> customers;
  for (const CustomerPast& past : pasts_) {
    if (const CustomerSummary* look = past.LookOn(origin)) customers.push_back(*look);
  }
  auto population = FitPopulation(customers);
  if (!population.ok()) {
    absl::StrAppend(&text_, DayText(origin),
                    ": no model can be fitted, that of CDNOW stands in: ", std::string(population.status().message()),
                    "\n");
    population = PopulationModels{};
  }
  std::vector<Forecaster> forecasters;
  std::vector<std::string> learned;
  for (const TrainingPlan& plan : TrainingPlan::Both(first_event_, origin, options_.horizon_days)) {
    Forecaster forecaster(*population, options_.horizon_days);
    forecaster.Learn(WindowsOf(plan), plan.window_days, customers);
    if (!forecaster.churn()) continue;
    learned.push_back(
        absl::StrCat(forecaster.windows(), " windows of ", plan.window_days, " days from ", plan.days.size(), " days"));
    forecasters.push_back(std::move(forecaster));
  }
  if (forecasters.empty()) forecasters.emplace_back(*population, options_.horizon_days);
  const size_t from = churn_.size();
  for (const CustomerPast& past : pasts_) {
    const CustomerSummary* look = past.LookOn(origin);
    if (look == nullptr) continue;
    const Forecast forecast = AverageOf(forecasters, *look);
    churn_.push_back({origin, past.id, forecast.no_order, forecast.spend, forecast.orders});
  }
  absl::StrAppend(&text_, DayText(origin), ": ", customers.size(), " customers; ",
                  learned.empty() ? std::string("population models alone")
                                  : absl::StrCat("learned from ", absl::StrJoin(learned, " and ")),
                  "\n");
  JudgeChurn(origin, from);
  return absl::OkStatus();
}

std::vector<ClosedWindow> Backtest::WindowsOf(const TrainingPlan& plan) const {
  std::vector<ClosedWindow> out;
  for (const int32_t day : plan.days) {
    for (const CustomerPast& past : pasts_) {
      const CustomerSummary* look = past.LookOn(day);
      if (look == nullptr) continue;
      const Outcome outcome = OutcomeOf(past, day, plan.window_days);
      out.push_back({day, *look, outcome.orders, outcome.spend});
    }
  }
  return out;
}

void Backtest::JudgeChurn(int32_t origin, size_t from) {
  if (origin + options_.horizon_days > last_ + 1) return;
  std::map<std::string_view, const CustomerPast*> by_id;
  for (const CustomerPast& past : pasts_) by_id[past.id] = &past;
  std::vector<double> probabilities;
  std::vector<bool> happened;
  Outcome real, predicted;
  for (size_t i = from; i < churn_.size(); ++i) {
    const Outcome outcome = OutcomeOf(*by_id[churn_[i].customer], origin, options_.horizon_days);
    probabilities.push_back(churn_[i].no_order);
    happened.push_back(outcome.orders == 0);
    real.orders += outcome.orders, real.spend += outcome.spend;
    predicted.orders += churn_[i].orders, predicted.spend += churn_[i].spend;
  }
  const Judgement judged = Judge(probabilities, happened);
  absl::StrAppendFormat(&text_,
                        "  what came: %d of %d ordered no more within %d days; AUC %.4f, Brier %.4f, calibration error "
                        "%.4f; purchase days %.0f (predicted %.0f), spend %.0f (predicted %.0f)\n",
                        judged.happened, judged.customers, options_.horizon_days, judged.auc, judged.brier,
                        judged.calibration_error, real.orders, predicted.orders, real.spend, predicted.spend);
}

void Backtest::PredictNextOrders() {
  const int32_t from = options_.next_from.value_or(*std::min_element(options_.origins.begin(), options_.origins.end()));
  const int32_t to = options_.next_to.value_or(last_);
  const int32_t limit = options_.next_within_days;
  for (int32_t start = from; start <= to; start += kRefitDays) {
    const int32_t end = std::min(to, start + kRefitDays - 1);
    NextOrderModel model(FitRhythms(RhythmsBy(pasts_, start)), limit);
    model.Learn(PausesBy(pasts_, start, limit));
    for (const CustomerPast& past : pasts_) {
      for (size_t i = 2; i < past.purchases.size(); ++i) {
        const int32_t day = past.purchases[i].day;
        if (day < start || day > end) continue;
        const CustomerSummary* look = past.LookOn(day + 1);
        if (look != nullptr && look->customer) next_orders_.push_back({past.id, day, model.Predict(*look)});
      }
    }
  }
}

}  // namespace portrait
