#include "pipeline/training/churn_training.h"

#include <algorithm>
#include <cmath>
#include <set>
#include <tuple>
#include <utility>

#include "absl/strings/str_cat.h"
#include "operators/churn_model.h"
#include "operators/time.h"
#include "pipeline/config/learned_fit.h"
#include "pipeline/tools/judged_segments.h"
#include "pipeline/tools/learned_card.h"
#include "pipeline/tools/local_days.h"
#include "pipeline/training/churn_learners.h"

namespace portrait {
namespace {

using Snapshots = std::vector<const v1::ChurnExample*>;

constexpr int kWindows = 3;  // that the latest horizon falls into, to be judged

Timestamp OriginOf(const v1::ChurnExample& example) { return FromMicros(example.origin_us()); }
Duration HorizonOf(const v1::ChurnExample& example) { return days(example.horizon_days()); }
const std::string& CustomerOf(const v1::ChurnExample& example) { return example.info().customer_id(); }
std::string DayOf(Timestamp time) { return DayText(Calendar().At(time).day); }

bool SameKind(const v1::ChurnExample& a, const v1::ChurnExample& b) {
  return a.horizon_days() == b.horizon_days() &&
         std::equal(a.features().begin(), a.features().end(), b.features().begin(), b.features().end(),
                    [](const auto& one, const auto& other) { return one.name() == other.name(); });
}

double ValueOf(const v1::ChurnExample& example, std::string_view name) {
  for (const v1::ExampleFeature& feature : example.features()) {
    if (feature.name() == name) return feature.value();
  }
  return 0;
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

// What the models that were learned and the one in force said of the same snapshots.
struct Window {
  Timestamp from, until;  // of the first and the last of them
  std::vector<ToldAndCame> regression, trees, said;
};

struct Comparison {
  std::vector<Window> windows;
  std::string no_trees_because;  // empty: trees have told in all windows

  std::vector<ToldAndCame> All(std::vector<ToldAndCame> Window::* told) const {
    std::vector<ToldAndCame> all;
    for (const Window& window : windows) all.insert(all.end(), (window.*told).begin(), (window.*told).end());
    return all;
  }
};

Window ToldIn(const Snapshots& judged, const LearnedModelFit& regression, const LearnedModelFit* trees) {
  Window out{
      .from = OriginOf(*judged.front()), .until = OriginOf(*judged.back()), .regression = {}, .trees = {}, .said = {}};
  for (const v1::ChurnExample* one : judged) {
    const std::vector<double> row = CountedRow(*one);
    out.regression.push_back(ToldOf(*one, FromLogOdds(regression.churn.Score(row))));
    if (trees != nullptr) out.trees.push_back(ToldOf(*one, FromLogOdds(trees->churn.Score(row))));
    out.said.push_back(ToldOf(*one, one->probability()));
  }
  return out;
}

// `examples` by origin. Windows for which nothing had closed that can be learned from are left out.
Comparison RollingOrigin(const Snapshots& examples, std::string no_trees_because) {
  Comparison out;
  out.no_trees_because = std::move(no_trees_because);
  const Duration horizon = HorizonOf(*examples[0]), window = horizon / kWindows;
  const Timestamp end = OriginOf(*examples.back()) + Duration(1);
  for (int i = kWindows; i > 0; --i) {
    const Timestamp from = end - i * window, until = from + window;
    Snapshots closed, judged;
    for (const v1::ChurnExample* one : examples) {
      if (OriginOf(*one) + horizon <= from) closed.push_back(one);
      if (OriginOf(*one) >= from && OriginOf(*one) < until) judged.push_back(one);
    }
    if (judged.empty() || closed.empty()) continue;
    const ChurnTable table = ChurnTable::Of(closed);
    if (!TooLittle(table.examples).empty()) continue;
    const auto regression = LearnRegression(table);
    if (!regression.ok()) continue;
    absl::StatusOr<LearnedModelFit> trees = absl::UnknownError("");
    if (out.no_trees_because.empty()) trees = LearnTrees(table);
    if (out.no_trees_because.empty() && !trees.ok()) {
      out.no_trees_because = absl::StrCat("as of ", DayOf(from), ": ", trees.status().message());
    }
    out.windows.push_back(ToldIn(judged, *regression, trees.ok() ? &*trees : nullptr));
  }
  return out;
}

v1::LearnedCard LearnedCardOf(const Snapshots& examples, const Comparison& comparison) {
  v1::LearnedCard card;
  std::set<std::string_view> customers;
  uint32_t without_order = 0;
  for (const v1::ChurnExample* one : examples) customers.insert(CustomerOf(*one)), without_order += one->no_order();
  card.set_examples(static_cast<uint32_t>(examples.size()));
  card.set_customers(static_cast<uint32_t>(customers.size()));
  card.set_without_order(without_order);
  card.set_first_origin(DayOf(OriginOf(*examples.front())));
  card.set_last_origin(DayOf(OriginOf(*examples.back())));
  card.set_no_trees_because(comparison.no_trees_because);
  if (comparison.windows.empty()) return card;
  card.set_judged_from(DayOf(comparison.windows.front().from));
  card.set_judged_until(DayOf(comparison.windows.back().until));
  const bool trees = comparison.no_trees_because.empty();
  AddJudgements(comparison.All(&Window::regression), kJudgedRegression, *card.mutable_judged());
  if (trees) AddJudgements(comparison.All(&Window::trees), kJudgedTrees, *card.mutable_judged());
  AddJudgements(comparison.All(&Window::said), kJudgedSaid, *card.mutable_judged());
  for (const Window& window : comparison.windows) {
    v1::JudgedWindow& told = *card.add_windows();
    told.set_from(DayOf(window.from)), told.set_until(DayOf(window.until));
    AddJudgementOnAll(window.regression, kJudgedRegression, *told.mutable_judged());
    if (trees) AddJudgementOnAll(window.trees, kJudgedTrees, *told.mutable_judged());
    AddJudgementOnAll(window.said, kJudgedSaid, *told.mutable_judged());
  }
  return card;
}

// Equal probabilities have no AUC (NaN): nothing is lower than that.
bool Better(const v1::JudgedModel& mine, const v1::JudgedModel& said) {
  return mine.brier() < said.brier() && !(mine.auc() < said.auc());
}

// The name of the one to write if it is better: of those that are, or of both, the one with the lower Brier score.
std::string_view BestOf(const v1::LearnedCard& card, const v1::JudgedModel& said) {
  const v1::JudgedModel* const regression = JudgedOnAll(card.judged(), kJudgedRegression);
  const v1::JudgedModel* const trees = JudgedOnAll(card.judged(), kJudgedTrees);
  if (trees == nullptr) return kJudgedRegression;
  const bool one = Better(*regression, said), other = Better(*trees, said);
  if (one != other) return one ? kJudgedRegression : kJudgedTrees;
  return trees->brier() < regression->brier() ? kJudgedTrees : kJudgedRegression;
}

v1::LearnedChurnFit FitWithCard(const LearnedModelFit& learned, const v1::LearnedCard& card, std::string_view name) {
  v1::LearnedChurnFit fit = FitOf(learned.churn);
  for (size_t i = 0; i < learned.gain.size(); ++i) {
    fit.mutable_features(static_cast<int>(i))->set_gain(learned.gain[i]);
  }
  *fit.mutable_card() = card;
  fit.mutable_card()->set_model(std::string(name));
  fit.mutable_card()->set_slope(learned.calibration.slope);
  fit.mutable_card()->set_shift(learned.calibration.shift);
  return fit;
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
  const ChurnTable table = all.empty() ? ChurnTable() : ChurnTable::Of(all);
  if (const std::string why = TooLittle(table.examples); !why.empty()) return absl::FailedPreconditionError(why);
  Comparison comparison = RollingOrigin(all, options_.trees ? "" : "they were not asked for");
  absl::StatusOr<LearnedModelFit> trees = absl::UnknownError("");
  if (comparison.no_trees_because.empty()) {
    trees = LearnTrees(table);
    if (!trees.ok()) comparison.no_trees_because = std::string(trees.status().message());
  }
  const v1::LearnedCard card = LearnedCardOf(all, comparison);
  const v1::JudgedModel* const said = JudgedOnAll(card.judged(), kJudgedSaid);
  if (said == nullptr) {
    const double span = InDays(OriginOf(*all.back()) - OriginOf(*all.front()));
    return absl::FailedPreconditionError(
        absl::StrCat("there is no closed window to judge a model on: snapshots must span more than one horizon (",
                     all[0]->horizon_days(), " days), with ", kLeastChurnExamples, " of both labels before; they span ",
                     std::lround(span), " days"));
  }
  const std::string_view best = BestOf(card, *said);
  const auto learned = best == kJudgedTrees ? std::move(trees) : LearnRegression(table);
  if (!learned.ok()) return learned.status();
  return TrainedChurn{.fit = FitWithCard(*learned, card, best),
                      .better = Better(*JudgedOnAll(card.judged(), best), *said)};
}

}  // namespace portrait
