#include "operators/learned_churn_model.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "absl/container/inlined_vector.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "operators/churn_features.h"
#include "operators/silence_steps.h"

namespace portrait {
namespace {

constexpr size_t kTopReasons = 6;  // that are told one by one

// The values of one customer, as they are and as they count.
struct Read {
  absl::InlinedVector<double, 32> values, counted;
};

std::string Shown(double value) {
  const bool plain = std::abs(value) >= 10 || value == std::round(value);
  return absl::StrFormat("%.*f", plain ? 0 : 1, value);
}

std::string Percent(double log_odds) { return absl::StrFormat("%.0f %%", 100 * FromLogOdds(log_odds)); }

// "Orders kept in the last 90 days: 1, usually 2.4".
std::string InWords(const FeatureRef* feature, double value, double usual) {
  if (feature == nullptr) {
    return absl::StrCat("by the orders alone, ", Percent(value), " do not order, usually ", Percent(usual));
  }
  const FeatureDescription& about = feature->description();
  const bool instant = about.type == FeatureType::kTimestamp;
  if (about.type == FeatureType::kBoolean) {
    return absl::StrFormat("%s: %s, usually %s", about.meaning, value > 0 ? "yes" : "no", usual >= 0.5 ? "yes" : "no");
  }
  return absl::StrCat(about.meaning, ": ", Shown(value), instant ? " days ago" : "", ", usually ", Shown(usual));
}

class LearnedModel final : public ChurnModel {
 public:
  LearnedModel(LearnedChurn learned, FittedModels models)
      : name_(models.name),
        learned_(std::move(learned)),
        reader_(learned_.features),
        steps_(learned_),
        population_(MakePopulationModel(std::move(models))) {}

  std::string_view name() const override { return name_; }
  absl::Status Bind(const FeatureRegistry& features) override;
  ChurnForecast Forecast(Features features, Timestamp now, double horizon_days) const override;
  double Score(Features features, Timestamp now, double horizon_days) const override {
    return learned_.Score(ReadAt(features, now, horizon_days).counted);
  }
  double SpendAtRiskMicros(Features features, Timestamp now, double horizon_days) const override {
    return population_->SpendAtRiskMicros(features, now, horizon_days);
  }
  std::optional<Timestamp> Reaches(double score, const Context& context, double horizon_days,
                                   Duration within) const override;

 private:
  Read ReadAt(Features features, Timestamp now, double horizon_days) const;
  std::vector<v1::Reason> ReasonsFor(const Read& read, double horizon_days) const;

  std::string name_;
  LearnedChurn learned_;
  ChurnFeatures reader_;
  SilenceSteps steps_;
  std::unique_ptr<ChurnModel> population_;
  FeatureRef last_;
};

absl::Status LearnedModel::Bind(const FeatureRegistry& features) {
  const auto last = features.Find("purchases.last");
  if (!last.ok()) return last.status();
  last_ = *last;
  if (absl::Status s = population_->Bind(features); !s.ok()) return s;
  if (absl::Status s = reader_.Bind(features); !s.ok()) return s;
  steps_.Bind(reader_);
  return absl::OkStatus();
}

Read LearnedModel::ReadAt(Features features, Timestamp now, double horizon_days) const {
  Read read;
  read.values.resize(reader_.names().size());
  reader_.Read(features, now, population_->Score(features, now, horizon_days), absl::MakeSpan(read.values));
  for (size_t i = 0; i < read.values.size(); ++i) {
    read.counted.push_back(CountedAs(reader_.names()[i], read.values[i]));
  }
  return read;
}

v1::Reason Contributed(double contribution, std::string text) {
  v1::Reason reason;
  reason.set_contribution(contribution);
  reason.set_text(std::move(text));
  return reason;
}

std::vector<v1::Reason> LearnedModel::ReasonsFor(const Read& read, double horizon_days) const {
  const LearnedChurn::Explanation because = learned_.Explain(read.counted);
  const std::vector<double>& contributions = because.contributions;
  std::vector<size_t> order(contributions.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return std::abs(contributions[a]) > std::abs(contributions[b]); });

  std::vector<v1::Reason> out;
  out.push_back(Contributed(because.base, absl::StrFormat("%s, %s do not order within %.0f days",
                                                          learned_.trees ? "of a customer of whom nothing is known"
                                                                         : "of customers who are usual in everything",
                                                          Percent(because.base), horizon_days)));
  const size_t told = std::min(order.size(), kTopReasons);
  double rest = 0;
  for (size_t k = told; k < order.size(); ++k) rest += contributions[order[k]];
  for (size_t k = 0; k < told; ++k) {
    const size_t i = order[k];
    const FeatureRef* const feature = reader_.feature(i);
    const double usual = ValueThatCounts(reader_.names()[i], learned_.model.mean[i]);
    v1::Reason reason = Contributed(contributions[i], InWords(feature, read.values[i], usual));
    if (feature != nullptr) {
      reason.set_feature(reader_.names()[i]);
      reason.mutable_value()->set_number(read.values[i]);
    }
    out.push_back(std::move(reason));
  }
  if (told < order.size()) out.push_back(Contributed(rest, absl::StrCat(order.size() - told, " other features")));
  return out;
}

ChurnForecast LearnedModel::Forecast(Features features, Timestamp now, double horizon_days) const {
  const Read read = ReadAt(features, now, horizon_days);
  ChurnForecast out = population_->Forecast(features, now, horizon_days);  // for orders and spend
  out.score = learned_.Score(read.counted);
  out.reasons = ReasonsFor(read, horizon_days);
  return out;
}

std::optional<Timestamp> LearnedModel::Reaches(double score, const Context& context, double horizon_days,
                                               Duration within) const {
  const auto reached = [&](Timestamp at) {
    const FeatureReader reader = context.FeaturesAt(at);
    return Score([&](const FeatureRef& ref) { return reader.Get(ref); }, at, horizon_days) >= score;
  };
  const auto features = [&](const FeatureRef& ref) { return context.Get(ref); };
  const auto population = [&](Timestamp at) { return population_->Score(features, at, horizon_days); };
  const Value last = context.Get(last_);
  const auto* const last_order = std::get_if<Timestamp>(&last);
  if (last_order == nullptr || context.now() - *last_order >= within) return std::nullopt;
  Timestamp before = context.now();
  int32_t day = context.moment().day;
  for (const int32_t end = day + kLookAheadDays; day < end; ++day) {
    const Timestamp until = context.StartOf(day + 1) - Duration(1);
    if (until <= before) continue;
    for (const Timestamp stop : steps_.Between(before, until, features, population)) {
      if (reached(stop)) return FirstMoment(before, stop, reached);
      before = stop;
    }
  }
  return context.StartOf(day);
}

}  // namespace

std::unique_ptr<ChurnModel> MakeChurnModel(FittedModels models) {
  if (!models.learned) return MakePopulationModel(std::move(models));
  LearnedChurn learned = *models.learned;
  return std::make_unique<LearnedModel>(std::move(learned), std::move(models));
}

}  // namespace portrait
