#include "pipeline/tools/churn_training.h"

#include <xxhash.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <set>
#include <tuple>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "operators/churn_model.h"
#include "operators/models/learned_churn.h"
#include "operators/time.h"
#include "pipeline/config/model_file.h"
#include "pipeline/tools/judged_segments.h"
#include "pipeline/tools/learned_card.h"
#include "pipeline/tools/local_days.h"

namespace portrait {
namespace {

using Snapshots = std::vector<const v1::ChurnExample*>;

constexpr int kFolds = 5;    // for the calibration
constexpr int kWindows = 3;  // that the latest horizon falls into, to be judged
// The ridge, in examples: some for little data, and a share, since snapshots of one customer are much alike.
constexpr double kRidgeLeast = 200, kRidgeShare = 0.05;
constexpr double kLeastSlope = 0.2, kMostSlope = 5;

Timestamp OriginOf(const v1::ChurnExample& example) { return FromMicros(example.origin_us()); }
Duration HorizonOf(const v1::ChurnExample& example) { return days(example.horizon_days()); }
const std::string& CustomerOf(const v1::ChurnExample& example) { return example.info().customer_id(); }

bool SameKind(const v1::ChurnExample& a, const v1::ChurnExample& b) {
  return a.horizon_days() == b.horizon_days() &&
         std::equal(a.features().begin(), a.features().end(), b.features().begin(), b.features().end(),
                    [](const auto& one, const auto& other) { return one.name() == other.name(); });
}

// Beyond the last: there is no such feature.
size_t PlaceOf(const v1::ChurnExample& example, std::string_view name) {
  const auto at = std::find_if(example.features().begin(), example.features().end(),
                               [&](const auto& feature) { return feature.name() == name; });
  return static_cast<size_t>(at - example.features().begin());
}

std::vector<double> RowOf(const v1::ChurnExample& example) {
  std::vector<double> row;
  for (const v1::ExampleFeature& feature : example.features())
    row.push_back(CountedAs(feature.name(), feature.value()));
  return row;
}

size_t WithoutOrder(const Snapshots& examples) {
  return static_cast<size_t>(
      std::count_if(examples.begin(), examples.end(), [](const auto* e) { return e->no_order(); }));
}

// Nothing where a model can be learned from these; else why not.
std::string NotEnough(const Snapshots& examples) {
  const size_t without = WithoutOrder(examples);
  if (examples.size() < ChurnTraining::kLeastExamples) {
    return absl::StrCat("too few closed examples: ", examples.size(), ", at least ", ChurnTraining::kLeastExamples,
                        " are needed");
  }
  if (without > 0 && without < examples.size()) return {};
  return absl::StrCat("all ", examples.size(),
                      " examples have one label: ", without == 0 ? "every customer ordered" : "no customer ordered",
                      " within the horizon");
}

// A correction of what the population model says, which is an offset: the ridge draws to that model, so that little
// data changes little. What the offset adds is then taken into the weight of that feature and the intercept.
absl::StatusOr<LinearModel> Regress(const Snapshots& examples) {
  Examples table{.features = static_cast<size_t>(examples[0]->features_size())};
  const size_t said = PlaceOf(*examples[0], kPopulationLogOdds);
  for (const v1::ChurnExample* one : examples) {
    const std::vector<double> row = RowOf(*one);
    table.Add(row, one->no_order() ? 1 : 0, said < row.size() ? row[said] : 0);
  }
  const double ridge = kRidgeLeast + kRidgeShare * static_cast<double>(examples.size());
  auto model = FitLinear(table, {.link = Link::kLogit, .ridge = ridge});
  if (!model.ok() || said >= table.features) return model;
  model->weight[said] += model->spread[said];
  model->intercept += model->mean[said];
  return model;
}

struct Calibration {
  double slope = 1, shift = 0;
};

// J. Platt, Probabilistic Outputs for Support Vector Machines, 1999: a logistic regression on the scores.
Calibration Platt(const Examples& scores) {
  const auto fitted = FitLinear(scores, {.link = Link::kLogit, .ridge = 1e-6});
  if (!fitted.ok() || !(fitted->spread[0] > 0)) return {};
  const double slope = fitted->weight[0] / fitted->spread[0];
  if (!(slope >= kLeastSlope && slope <= kMostSlope)) return {};  // the scores tell nothing, or too few are there
  return {slope, fitted->intercept - slope * fitted->mean[0]};
}

Calibration CalibrationOf(const Snapshots& examples) {
  Examples scores{.features = 1};
  for (int fold = 0; fold < kFolds; ++fold) {
    Snapshots rest, part;
    for (const v1::ChurnExample* one : examples) {
      const std::string& id = CustomerOf(*one);
      const bool here = XXH3_64bits(id.data(), id.size()) % kFolds == static_cast<uint64_t>(fold);
      (here ? part : rest).push_back(one);
    }
    if (part.empty() || !NotEnough(rest).empty()) continue;
    const auto model = Regress(rest);
    if (!model.ok()) continue;
    for (const v1::ChurnExample* one : part) {
      scores.Add(std::array<double, 1>{model->Score(RowOf(*one))}, one->no_order() ? 1 : 0);
    }
  }
  return scores.size() < ChurnTraining::kLeastExamples ? Calibration{} : Platt(scores);
}

struct Learnt {
  LearnedChurn churn;
  Calibration calibration;
};

absl::StatusOr<Learnt> Learn(const Snapshots& examples) {
  auto model = Regress(examples);
  if (!model.ok()) return model.status();
  Learnt out;
  out.calibration = CalibrationOf(examples);
  model->intercept = out.calibration.slope * model->intercept + out.calibration.shift;
  for (double& weight : model->weight) weight *= out.calibration.slope;
  out.churn.horizon_days = examples[0]->horizon_days();
  for (const v1::ExampleFeature& feature : examples[0]->features()) out.churn.features.push_back(feature.name());
  out.churn.model = *std::move(model);
  return out;
}

double ValueOf(const v1::ChurnExample& example, std::string_view name) {
  const size_t place = PlaceOf(example, name);
  return place < static_cast<size_t>(example.features_size()) ? example.features(static_cast<int>(place)).value() : 0;
}

ToldAndCame ToldOf(const v1::ChurnExample& example, double no_order) {
  ToldAndCame told;
  told.history.repeats = std::max(0.0, ValueOf(example, "purchases.occasions") - 1);
  told.history.age_days = ValueOf(example, "purchases.first");
  told.history.last_days = told.history.age_days - ValueOf(example, "purchases.last");
  told.no_order = no_order;
  told.came_orders = example.no_order() ? 0 : 1;
  told.came_spend = static_cast<double>(example.spend_micros()) / 1e6;
  return told;
}

std::string DayOf(Timestamp time) { return DayText(Calendar().At(time).day); }

// What the learned model and the one in force said of the same snapshots.
struct Comparison {
  std::vector<ToldAndCame> learned, said;
  Timestamp from, until;
};

// `examples` by origin. Windows for which nothing had closed that can be learned from are left out.
Comparison RollingOrigin(const Snapshots& examples) {
  Comparison out;
  const Duration horizon = HorizonOf(*examples[0]), window = horizon / kWindows;
  const Timestamp end = OriginOf(*examples.back()) + Duration(1);
  for (int i = kWindows; i > 0; --i) {
    const Timestamp from = end - i * window, until = from + window;
    Snapshots closed, judged;
    for (const v1::ChurnExample* one : examples) {
      if (OriginOf(*one) + horizon <= from) closed.push_back(one);
      if (OriginOf(*one) >= from && OriginOf(*one) < until) judged.push_back(one);
    }
    if (judged.empty() || !NotEnough(closed).empty()) continue;
    const auto learned = Learn(closed);
    if (!learned.ok()) continue;
    if (out.said.empty()) out.from = OriginOf(*judged.front());
    out.until = OriginOf(*judged.back());
    for (const v1::ChurnExample* one : judged) {
      out.learned.push_back(ToldOf(*one, FromLogOdds(learned->churn.model.Score(RowOf(*one)))));
      out.said.push_back(ToldOf(*one, one->probability()));
    }
  }
  return out;
}

v1::LearnedCard LearnedCardOf(const Snapshots& examples, const Comparison& comparison, const Calibration& calibration) {
  v1::LearnedCard card;
  std::set<std::string_view> customers;
  for (const v1::ChurnExample* one : examples) customers.insert(CustomerOf(*one));
  card.set_examples(static_cast<uint32_t>(examples.size()));
  card.set_customers(static_cast<uint32_t>(customers.size()));
  card.set_without_order(static_cast<uint32_t>(WithoutOrder(examples)));
  card.set_first_origin(DayOf(OriginOf(*examples.front())));
  card.set_last_origin(DayOf(OriginOf(*examples.back())));
  card.set_judged_from(DayOf(comparison.from));
  card.set_judged_until(DayOf(comparison.until));
  card.set_slope(calibration.slope), card.set_shift(calibration.shift);
  AddJudgements(comparison.learned, kJudgedLearned, *card.mutable_judged());
  AddJudgements(comparison.said, kJudgedSaid, *card.mutable_judged());
  return card;
}

}  // namespace

void ChurnTraining::Add(const v1::ChurnExample& example) { examples_.push_back(example); }

void ChurnTraining::SortAndChoose() {
  const auto key = [](const v1::ChurnExample& e) { return std::make_tuple(e.origin_us(), CustomerOf(e)); };
  std::stable_sort(examples_.begin(), examples_.end(), [&](const auto& a, const auto& b) { return key(a) < key(b); });
  examples_.erase(
      std::unique(examples_.begin(), examples_.end(), [&](const auto& a, const auto& b) { return key(a) == key(b); }),
      examples_.end());
  if (examples_.empty()) return;
  const v1::ChurnExample latest = examples_.back();
  const size_t before = examples_.size();
  std::erase_if(examples_, [&](const v1::ChurnExample& one) { return !SameKind(one, latest); });
  left_out_ += before - examples_.size();
}

absl::StatusOr<TrainedChurn> ChurnTraining::Train() {
  SortAndChoose();
  Snapshots all;
  for (const v1::ChurnExample& one : examples_) all.push_back(&one);
  if (const std::string why = NotEnough(all); !why.empty()) return absl::FailedPreconditionError(why);
  const Comparison comparison = RollingOrigin(all);
  const auto learned = Learn(all);
  if (!learned.ok()) return learned.status();
  TrainedChurn out;
  out.fit = FitOf(learned->churn);
  *out.fit.mutable_card() = LearnedCardOf(all, comparison, learned->calibration);
  const v1::JudgedModel* const mine = JudgedOnAll(out.fit.card().judged(), kJudgedLearned);
  const v1::JudgedModel* const said = JudgedOnAll(out.fit.card().judged(), kJudgedSaid);
  if (mine == nullptr || said == nullptr) {
    const double span = InDays(OriginOf(*all.back()) - OriginOf(*all.front()));
    return absl::FailedPreconditionError(
        absl::StrCat("there is no closed window to judge a model on: snapshots must span more than one horizon (",
                     all[0]->horizon_days(), " days), with ", kLeastExamples, " of both labels before; they span ",
                     std::lround(span), " days"));
  }
  // Equal probabilities have no AUC (NaN): nothing is lower than that.
  out.better = mine->brier() < said->brier() && !(mine->auc() < said->auc());
  return out;
}

}  // namespace portrait
