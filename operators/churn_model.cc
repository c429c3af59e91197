#include "operators/churn_model.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_format.h"

namespace portrait {
namespace {

constexpr double kMostLogOdds = 20;  // 1 in 500 million: more than any model knows

class PopulationModel final : public ChurnModel {
 public:
  explicit PopulationModel(FittedModels models) : models_(std::move(models)) {}

  std::string_view name() const override { return models_.name; }
  absl::Status Bind(const FeatureRegistry& features) override;
  ChurnForecast Forecast(Features features, Timestamp now, double horizon_days) const override;
  double Score(Features features, Timestamp now, double horizon_days) const override {
    return ScoreOf(PastOf(features).At(now), horizon_days);
  }
  double SpendAtRiskMicros(Features features, Timestamp now, double horizon_days) const override {
    return SpendOfThoseAlive(PastOf(features).At(now), features, horizon_days);
  }
  std::optional<Timestamp> Reaches(double score, const Context& context, double horizon_days,
                                   Duration within) const override;

 private:
  struct Past {
    Timestamp first, last;
    double repeats = 0;
    PurchaseHistory At(Timestamp now) const {
      return {repeats, InDays(last - first), InDays(std::max(now, last) - first)};
    }
  };
  Past PastOf(Features features) const;
  double ScoreOf(const PurchaseHistory& history, double horizon_days) const;
  double OrderValue(Features features) const;
  double SpendOfThoseAlive(const PurchaseHistory& history, Features features, double horizon_days) const;

  FittedModels models_;
  FeatureRef first_, last_, occasions_, orders_, average_order_;
};

absl::Status PopulationModel::Bind(const FeatureRegistry& features) {
  if (absl::Status s = models_.orders.Validate(); !s.ok()) return s;
  if (absl::Status s = Validate(models_.value); !s.ok()) return s;
  return features.FindAll({{"purchases.first", &first_},
                           {"purchases.last", &last_},
                           {"purchases.occasions", &occasions_},
                           {"purchases.orders", &orders_},
                           {"purchases.average_order", &average_order_}});
}

PopulationModel::Past PopulationModel::PastOf(Features features) const {
  Past past;
  const Value first = features(first_), last = features(last_);
  if (const auto* time = std::get_if<Timestamp>(&first)) past.first = *time;
  if (const auto* time = std::get_if<Timestamp>(&last)) past.last = *time;
  past.repeats = std::max(0.0, AsNumber(features(occasions_)) - 1);
  // Several orders of one day are one occasion, at the time of the last.
  if (past.repeats == 0) past.first = past.last;
  return past;
}

double PopulationModel::ScoreOf(const PurchaseHistory& history, double horizon_days) const {
  const double order = models_.orders.ProbabilityOfOrder(history, horizon_days);
  const double score = std::log1p(-order) - std::log(order);  // log-odds of no order; exact where `order` is tiny
  return std::clamp(score, -kMostLogOdds, kMostLogOdds);
}

double PopulationModel::OrderValue(Features features) const {
  const Value average = features(average_order_);
  const double orders = HasValue(average) ? AsNumber(features(orders_)) : 0;
  return ExpectedOrderValue(models_.value, orders, AsNumber(average));
}

double PopulationModel::SpendOfThoseAlive(const PurchaseHistory& history, Features features,
                                          double horizon_days) const {
  const double alive = models_.orders.ProbabilityAlive(history);
  const double if_alive = alive > 1e-9 ? models_.orders.ExpectedOrders(history, horizon_days) / alive : 0;
  return if_alive * OrderValue(features) * 1e6;
}

v1::Reason Part(const FeatureRef* feature, const Value& value, double contribution, std::string text) {
  v1::Reason reason;
  if (feature != nullptr) reason.set_feature(feature->description().name);
  if (feature != nullptr) *reason.mutable_value() = ToProto(value);
  reason.set_contribution(contribution);
  reason.set_text(std::move(text));
  return reason;
}

ChurnForecast PopulationModel::Forecast(Features features, Timestamp now, double horizon_days) const {
  const Past past = PastOf(features);
  const PurchaseHistory history = past.At(now);
  const double newcomer = ScoreOf({}, horizon_days);
  const double at_last_order = ScoreOf(past.At(past.last), horizon_days);
  ChurnForecast out;
  out.score = ScoreOf(history, horizon_days);
  out.reasons.push_back(
      Part(nullptr, {}, newcomer,
           absl::StrFormat("%.0f %% of all who ordered for the first time do not order within %.0f days",
                           100 * FromLogOdds(newcomer), horizon_days)));
  const int64_t days = static_cast<int64_t>(past.repeats) + 1;
  out.reasons.push_back(Part(&occasions_, days, at_last_order - newcomer,
                             days == 1 ? "one purchase day so far"
                                       : absl::StrFormat("%d purchase days over %.0f days", days, history.last_days)));
  out.reasons.push_back(Part(&last_, past.last, out.score - at_last_order,
                             absl::StrFormat("no order for %.0f days", history.age_days - history.last_days)));
  out.expected_orders = models_.orders.ExpectedOrders(history, horizon_days);
  out.spend_at_risk_micros = SpendOfThoseAlive(history, features, horizon_days);
  return out;
}

// Silence only ever raises the score, so halving the interval finds the moment, to within a second.
std::optional<Timestamp> PopulationModel::Reaches(double score, const Context& context, double horizon_days,
                                                  Duration within) const {
  const Past past = PastOf([&](const FeatureRef& ref) { return context.Get(ref); });
  Timestamp before = context.now(), after = before + within;
  if (ScoreOf(past.At(after), horizon_days) < score) return std::nullopt;
  while (after - before > seconds(1)) {
    const Timestamp middle = before + (after - before) / 2;
    (ScoreOf(past.At(middle), horizon_days) < score ? before : after) = middle;
  }
  return after;
}

}  // namespace

double LogOdds(double probability) { return std::log(probability) - std::log1p(-probability); }

double FromLogOdds(double score) { return 1 / (1 + std::exp(-score)); }

std::unique_ptr<ChurnModel> MakePopulationModel(FittedModels models) {
  return std::make_unique<PopulationModel>(std::move(models));
}

}  // namespace portrait
