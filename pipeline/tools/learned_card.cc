#include "pipeline/tools/learned_card.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "operators/models/learned_churn.h"
#include "pipeline/config/learned_fit.h"
#include "pipeline/tools/judged_segments.h"

namespace portrait {
namespace {

std::string JudgedLine(const v1::JudgedModel& one, const std::string& who) {
  return absl::StrFormat("  %-10s  %-27s  %9d  %8d  %6.4f  %6.4f  %11.4f  %.4f\n", one.model(), who, one.customers(),
                         one.without_order(), one.auc(), one.brier(), one.calibration_error(), one.log_loss());
}

// A line for each model: what it comes to in the mean over the windows.
std::string MeanLines(const v1::LearnedCard& card) {
  std::vector<v1::JudgedModel> sums;
  for (const v1::JudgedWindow& window : card.windows()) {
    for (const v1::JudgedModel& one : window.judged()) {
      auto sum = std::find_if(sums.begin(), sums.end(), [&](const auto& s) { return s.model() == one.model(); });
      if (sum == sums.end()) sum = sums.insert(sums.end(), v1::JudgedModel()), sum->set_model(one.model());
      const auto n = static_cast<double>(card.windows_size());
      sum->set_customers(sum->customers() + one.customers());
      sum->set_without_order(sum->without_order() + one.without_order());
      sum->set_auc(sum->auc() + one.auc() / n), sum->set_brier(sum->brier() + one.brier() / n);
      sum->set_calibration_error(sum->calibration_error() + one.calibration_error() / n);
      sum->set_log_loss(sum->log_loss() + one.log_loss() / n);
    }
  }
  std::string text;
  for (const v1::JudgedModel& sum : sums) {
    absl::StrAppend(&text, JudgedLine(sum, absl::StrCat("mean of ", card.windows_size(), " windows")));
  }
  return text;
}

std::string WeightLines(const v1::LearnedChurnFit& learned) {
  std::string text = absl::StrFormat("  %-26s  %10s  %s\n", "feature", "usual", "log-odds for one spread more");
  absl::StrAppendFormat(&text, "  %-26s  %10s  %+.4f\n", "(usual in everything)", "", learned.intercept());
  std::vector<const v1::LearnedFeature*> features;
  for (const v1::LearnedFeature& feature : learned.features()) features.push_back(&feature);
  std::stable_sort(features.begin(), features.end(),
                   [](const auto* a, const auto* b) { return std::abs(a->weight()) > std::abs(b->weight()); });
  for (const v1::LearnedFeature* feature : features) {
    absl::StrAppendFormat(&text, "  %-26s  %10.4g  %+.4f\n", feature->name(),
                          ValueThatCounts(feature->name(), feature->mean()), feature->weight());
  }
  return text;
}

std::string TreeLines(const v1::LearnedChurnFit& learned) {
  const BoostedTrees trees = *LearnedOf(learned).trees;
  std::string text =
      absl::StrFormat("%d trees, up to %d deep, correct the population model\n", trees.size(), trees.depth());
  absl::StrAppendFormat(&text, "  %-26s  %10s  %7s  %s\n", "feature", "usual", "gain", "splits");
  std::vector<int> order;
  for (int i = 0; i < learned.features_size(); ++i) order.push_back(i);
  std::stable_sort(order.begin(), order.end(),
                   [&](int a, int b) { return learned.features(a).gain() > learned.features(b).gain(); });
  std::map<int, int> splits;
  for (const v1::LearnedTree& tree : learned.trees()) {
    for (const v1::LearnedNode& node : tree.nodes()) splits[static_cast<int>(node.feature())] += node.has_feature();
  }
  for (const int i : order) {
    const v1::LearnedFeature& feature = learned.features(i);
    absl::StrAppendFormat(&text, "  %-26s  %10.4g  %5.1f %%  %d\n", feature.name(),
                          ValueThatCounts(feature.name(), feature.mean()), 100 * feature.gain(), splits[i]);
  }
  return text;
}

}  // namespace

std::string ComparisonText(const v1::LearnedCard& card) {
  std::string text = absl::StrFormat(
      "judged on snapshots of %s to %s, each by what had closed before; said: by the model in force then\n",
      card.judged_from(), card.judged_until());
  absl::StrAppendFormat(&text, "  %-10s  %-27s  %9s  %8s  %6s  %6s  %s  %s\n", "model", "customers who", "snapshots",
                        "no order", "AUC", "Brier", "calibration", "log loss");
  for (const v1::JudgedWindow& window : card.windows()) {
    for (const v1::JudgedModel& one : window.judged()) {
      absl::StrAppend(&text, JudgedLine(one, absl::StrCat("all, ", window.from(), " to ", window.until().substr(5))));
    }
  }
  absl::StrAppend(&text, MeanLines(card));
  for (const v1::JudgedModel& one : card.judged()) absl::StrAppend(&text, JudgedLine(one, one.customers_who()));
  if (!card.no_trees_because().empty()) absl::StrAppend(&text, "no trees: ", card.no_trees_because(), "\n");
  return text;
}

std::string LearnedText(const v1::LearnedChurnFit& learned) {
  const v1::LearnedCard& card = learned.card();
  std::string text = absl::StrFormat(
      "learned churn, version %d: no order within %d days, of %d examples of %d customers, %d without an order, "
      "snapshots of %s to %s\n",
      learned.version(), learned.horizon_days(), card.examples(), card.customers(), card.without_order(),
      card.first_origin(), card.last_origin());
  absl::StrAppendFormat(&text, "calibration (Platt), taken in: slope %.4f, shift %.4f\n", card.slope(), card.shift());
  if (!learned.curve().empty()) {
    absl::StrAppend(&text, "then isotonic, log-odds as they come out and as they are said:");
    for (const v1::LearnedKnot& knot : learned.curve()) {
      absl::StrAppendFormat(&text, "  %.2f %.2f", knot.score(), knot.calibrated());
    }
    absl::StrAppend(&text, "\n");
  }
  absl::StrAppend(&text, learned.trees().empty() ? WeightLines(learned) : TreeLines(learned), ComparisonText(card));
  if (const v1::JudgedModel* judged = JudgedOnAll(card.judged(), card.model())) {
    absl::StrAppend(&text, "calibration of ", card.model(), ": predicted and come\n", GroupsText(*judged));
  }
  return text;
}

}  // namespace portrait
