#include "pipeline/tools/learned_card.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "operators/models/learned_churn.h"
#include "pipeline/tools/judged_segments.h"

namespace portrait {

std::string ComparisonText(const v1::LearnedCard& card) {
  std::string text = absl::StrFormat(
      "judged on snapshots of %s to %s, each by what had closed before; said: by the model in force then\n",
      card.judged_from(), card.judged_until());
  absl::StrAppendFormat(&text, "  %-8s  %-27s  %9s  %8s  %6s  %6s  %s\n", "model", "customers who", "snapshots",
                        "no order", "AUC", "Brier", "calibration");
  for (const v1::JudgedModel& one : card.judged()) {
    absl::StrAppendFormat(&text, "  %-8s  %-27s  %9d  %8d  %6.4f  %6.4f  %.4f\n", one.model(), one.customers_who(),
                          one.customers(), one.without_order(), one.auc(), one.brier(), one.calibration_error());
  }
  return text;
}

std::string LearnedText(const v1::LearnedChurnFit& learned) {
  const v1::LearnedCard& card = learned.card();
  std::string text = absl::StrFormat(
      "learned churn, version %d: no order within %d days, of %d examples of %d customers, %d without an order, "
      "snapshots of %s to %s\n",
      learned.version(), learned.horizon_days(), card.examples(), card.customers(), card.without_order(),
      card.first_origin(), card.last_origin());
  absl::StrAppendFormat(&text, "calibration (Platt), in the weights: slope %.4f, shift %.4f\n", card.slope(),
                        card.shift());
  absl::StrAppendFormat(&text, "  %-26s  %10s  %s\n", "feature", "usual", "log-odds for one spread more");
  absl::StrAppendFormat(&text, "  %-26s  %10s  %+.4f\n", "(usual in everything)", "", learned.intercept());
  std::vector<const v1::LearnedFeature*> features;
  for (const v1::LearnedFeature& feature : learned.features()) features.push_back(&feature);
  std::stable_sort(features.begin(), features.end(),
                   [](const auto* a, const auto* b) { return std::abs(a->weight()) > std::abs(b->weight()); });
  for (const v1::LearnedFeature* feature : features) {
    absl::StrAppendFormat(&text, "  %-26s  %10.4g  %+.4f\n", feature->name(),
                          ValueThatCounts(feature->name(), feature->mean()), feature->weight());
  }
  absl::StrAppend(&text, ComparisonText(card));
  if (const v1::JudgedModel* judged = JudgedOnAll(card.judged(), kJudgedLearned)) {
    absl::StrAppend(&text, "calibration of learned: predicted and come\n", GroupsText(*judged));
  }
  return text;
}

}  // namespace portrait
