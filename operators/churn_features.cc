#include "operators/churn_features.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace portrait {
namespace {

bool IsNumeric(FeatureType type) { return type != FeatureType::kText && type != FeatureType::kItems; }

std::string_view OperatorOf(std::string_view feature) { return feature.substr(0, feature.find('.')); }

// The numeric features of the operator that `name` begins with; where there is no such operator, the operators.
std::string WhatThereIs(std::string_view name, const FeatureRegistry& features) {
  std::string of_operator, operators;
  std::string_view last;
  for (const FeatureRef& ref : features.all()) {
    const std::string& feature = ref.description().name;
    if (!IsNumeric(ref.description().type)) continue;
    if (OperatorOf(feature) == OperatorOf(name))
      absl::StrAppend(&of_operator, of_operator.empty() ? "" : ", ", feature);
    if (OperatorOf(feature) == last) continue;
    last = OperatorOf(feature);
    absl::StrAppend(&operators, operators.empty() ? "" : ", ", std::string(last));
  }
  return of_operator.empty() ? "there are those of " + operators : "there are " + of_operator;
}

double NumberOf(const Value& value, Timestamp now) {
  if (const auto* time = std::get_if<Timestamp>(&value)) return std::max(0.0, InDays(now - *time));
  return AsNumber(value);
}

}  // namespace

const std::vector<std::string>& ChurnFeatures::Examples() {
  static const auto* const all = new std::vector<std::string>{
      std::string(kPopulationLogOdds),
      "purchases.last",
      "purchases.first",
      "purchases.occasions",
      "purchases.orders_30d",
      "purchases.orders_90d",
      "purchases.orders_365d",
      "purchases.spend_30d",
      "purchases.spend_90d",
      "purchases.spend",
      "purchases.average_order",
      "purchases.gap_mean_days",
      "purchases.refunds_90d",
      "site.sessions_30d",
      "site.sessions_90d",
      "site.product_views_30d",
      "site.carts_30d",
      "email.delivered_90d",
      "email.opened_30d",
      "email.opened_90d",
      "email.clicked_90d",
      "email.unsubscribed",
      "service.contacts_90d",
      "service.complaints_90d",
      "service.open_complaints",
  };
  return *all;
}

absl::Status ChurnFeatures::Bind(const FeatureRegistry& features) {
  refs_.assign(names_.size(), {});
  known_.assign(names_.size(), false);
  for (size_t i = 0; i < names_.size(); ++i) {
    if (names_[i] == kPopulationLogOdds) continue;
    const auto found = features.Find(names_[i]);
    if (!found.ok() || !IsNumeric(found->description().type)) {
      return absl::InvalidArgumentError(
          absl::StrCat("a model of churn cannot read the feature ", names_[i], ": ",
                       found.ok() ? "it is no number" : std::string(found.status().message()), "; ",
                       WhatThereIs(names_[i], features), ", and ", std::string(kPopulationLogOdds)));
    }
    refs_[i] = *found;
    known_[i] = true;
  }
  return absl::OkStatus();
}

void ChurnFeatures::Read(Features features, Timestamp now, double population_log_odds, absl::Span<double> out) const {
  for (size_t i = 0; i < names_.size(); ++i) {
    out[i] = known_[i] ? NumberOf(features(refs_[i]), now) : population_log_odds;
  }
}

}  // namespace portrait
