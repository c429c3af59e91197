#include "pipeline/training/churn_learners.h"

#include <algorithm>
#include <array>
#include <numeric>
#include <utility>

#include "absl/strings/str_cat.h"
#include "pipeline/training/tree_fitter.h"

namespace portrait {
namespace {

// The ridge, in examples: some for little data, and a share, since snapshots of one customer are much alike.
constexpr double kRidgeLeast = 200, kRidgeShare = 0.05;

constexpr size_t kLeastForTrees = 500, kLeastOfLabel = 50;
constexpr BoostingOptions kBoosting{.rounds = 100, .depth = 3, .rate = 0.1, .ridge = 10, .least_cover = 10};

// What the population model says is an offset: the ridge draws to that model. What the offset adds is then taken into
// the weight of its column, `said`, and the intercept.
absl::StatusOr<LinearModel> Correction(const Examples& examples, size_t said) {
  const double ridge = kRidgeLeast + kRidgeShare * static_cast<double>(examples.size());
  auto model = FitLinear(examples, {.link = Link::kLogit, .ridge = ridge});
  if (!model.ok() || said >= examples.features) return model;
  model->weight[said] += model->spread[said];
  model->intercept += model->mean[said];
  return model;
}

absl::StatusOr<LinearModel> Regress(const ChurnTable& table) { return Correction(table.examples, table.population); }

void TakeIn(Calibration calibration, LearnedModelFit& fit) {
  fit.churn.Rescale(calibration.slope, calibration.shift);
  fit.churn.curve = calibration.curve;
  fit.calibration = std::move(calibration);
}

LearnedModelFit FitFor(const ChurnTable& table) {
  LearnedModelFit fit;
  fit.churn.horizon_days = table.horizon_days;
  fit.churn.features = table.features;
  return fit;
}

// ---- Trees

// The population's log-odds alone, as a model of all features: those that it does not read have neither spread nor
// weight.
absl::StatusOr<LinearModel> PopulationSetRight(const ChurnTable& table) {
  const Examples& all = table.examples;
  const bool known = table.population < all.features;
  Examples column{.features = 1};
  for (size_t i = 0; i < all.size(); ++i) {
    column.Add(std::array<double, 1>{known ? all.Row(i)[table.population] : 0}, all.labels[i], all.offsets[i]);
  }
  const auto fitted = Correction(column, known ? 0 : 1);
  if (!fitted.ok()) return fitted.status();
  LinearModel out{.intercept = fitted->intercept};
  for (auto* numbers : {&out.mean, &out.spread, &out.weight}) numbers->assign(all.features, 0);
  if (!known) return out;
  if (fitted->weight[0] < 0) {  // that silence raises it is what the search for the next alert goes by
    return absl::FailedPreconditionError("of customers the population model calls likely to order, fewer do");
  }
  out.mean[table.population] = fitted->mean[0];
  out.spread[table.population] = fitted->spread[0];
  out.weight[table.population] = fitted->weight[0];
  return out;
}

struct Boosted {
  LinearModel base;
  FittedTrees fitted;
  double Score(absl::Span<const double> row, size_t trees) const {
    return base.Score(row) + fitted.trees.Score(row, trees);
  }
};

absl::StatusOr<Boosted> Boost(ChurnTable table, int rounds) {
  auto base = PopulationSetRight(table);
  if (!base.ok()) return base.status();
  Examples& examples = table.examples;
  for (size_t i = 0; i < examples.size(); ++i) examples.offsets[i] = base->Score(examples.Row(i));
  BoostingOptions options = kBoosting;
  options.rounds = rounds;
  auto fitted = FitTrees(examples, options);
  if (!fitted.ok()) return fitted.status();
  return Boosted{*std::move(base), *std::move(fitted)};
}

// Models of all parts but one, in the order of the parts.
absl::StatusOr<std::vector<Boosted>> BoostWithoutParts(const ChurnTable& table) {
  std::vector<Boosted> out;
  for (size_t part = 0; part < ChurnTable::kParts; ++part) {
    ChurnTable rest = table.Without(part);
    if (const std::string why = TooLittle(rest.examples); !why.empty()) return absl::FailedPreconditionError(why);
    auto boosted = Boost(std::move(rest), kBoosting.rounds);
    if (!boosted.ok()) return boosted.status();
    out.push_back(*std::move(boosted));
  }
  return out;
}

// How many trees have the lowest log loss on the parts that they have not seen; 0: none is better than the base.
size_t BestRounds(const ChurnTable& table, const std::vector<Boosted>& models) {
  std::vector<double> loss(static_cast<size_t>(kBoosting.rounds) + 1, 0);
  for (size_t i = 0; i < table.examples.size(); ++i) {
    const Boosted& model = models[table.parts[i]];
    const absl::Span<const double> row = table.examples.Row(i);
    const std::vector<float> values(row.begin(), row.end());
    double score = model.base.Score(row);
    loss[0] += LogLoss(score, table.examples.labels[i]);
    for (size_t round = 1; round < loss.size(); ++round) {
      score += model.fitted.trees.ScoreOf(round - 1, values);
      loss[round] += LogLoss(score, table.examples.labels[i]);
    }
  }
  return static_cast<size_t>(std::min_element(loss.begin(), loss.end()) - loss.begin());
}

std::string TooLittleForTrees(const Examples& examples) {
  if (std::string why = TooLittle(examples, kLeastForTrees); !why.empty()) return why;
  const size_t without = WithoutOrder(examples);
  if (std::min(without, examples.size() - without) >= kLeastOfLabel) return {};
  return absl::StrCat("too few closed examples of one kind: ", without, " of ", examples.size(),
                      " without an order, at least ", kLeastOfLabel, " of either kind are needed");
}

}  // namespace

absl::StatusOr<LearnedModelFit> LearnRegression(const ChurnTable& table) {
  auto model = Regress(table);
  if (!model.ok()) return model.status();
  UnseenScores unseen;
  for (size_t part = 0; part < ChurnTable::kParts; ++part) {
    const ChurnTable rest = table.Without(part);
    if (!TooLittle(rest.examples).empty()) continue;
    const auto other = Regress(rest);
    if (!other.ok()) continue;
    for (size_t i = 0; i < table.examples.size(); ++i) {
      if (table.parts[i] != part) continue;
      unseen.Add(part, other->Score(table.examples.Row(i)), table.examples.labels[i]);
    }
  }
  LearnedModelFit fit = FitFor(table);
  fit.churn.model = *std::move(model);
  TakeIn(Calibrate(unseen), fit);
  return fit;
}

absl::StatusOr<LearnedModelFit> LearnTrees(const ChurnTable& table) {
  if (const std::string why = TooLittleForTrees(table.examples); !why.empty()) {
    return absl::FailedPreconditionError(why);
  }
  const auto models = BoostWithoutParts(table);
  if (!models.ok()) return models.status();
  const size_t rounds = BestRounds(table, *models);
  if (rounds == 0) {
    return absl::FailedPreconditionError("trees tell nothing of customers that they have not seen");
  }
  UnseenScores unseen;
  for (size_t i = 0; i < table.examples.size(); ++i) {
    const size_t part = table.parts[i];
    unseen.Add(part, (*models)[part].Score(table.examples.Row(i), rounds), table.examples.labels[i]);
  }
  auto boosted = Boost(table, static_cast<int>(rounds));
  if (!boosted.ok()) return boosted.status();
  const auto usual = Regress(table);  // for its means alone, which reasons are told beside
  if (!usual.ok()) return usual.status();
  LearnedModelFit fit = FitFor(table);
  fit.churn.model = std::move(boosted->base);
  fit.churn.model.mean = usual->mean, fit.churn.model.spread = usual->spread;
  fit.churn.trees = std::move(boosted->fitted.trees);
  fit.gain = std::move(boosted->fitted.gain);
  const double all = std::accumulate(fit.gain.begin(), fit.gain.end(), 0.0);
  for (double& gain : fit.gain) gain = all > 0 ? gain / all : 0;
  TakeIn(Calibrate(unseen), fit);
  return fit;
}

}  // namespace portrait
