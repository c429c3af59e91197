#include "pipeline/tools/fit_report.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "pipeline/tools/local_days.h"

namespace portrait {
namespace {

constexpr double kDaysAWeek = 7;

std::string Failure(const char* model, const absl::Status& status) {
  return absl::StrCat(model, " not fitted: ", status.message(), "\n");
}

}  // namespace

FitReport FitReport::Of(const std::vector<CustomerPast>& pasts, int32_t until) {
  FitReport out;
  out.until = until;
  out.first = until;
  std::vector<PurchaseHistory> histories;
  std::vector<OrderValues> values;
  std::vector<Rhythm> rhythms;
  for (const CustomerPast& past : pasts) {
    std::vector<int32_t> gaps;
    OrderValues value;
    int32_t last = 0;
    for (const PurchaseDay& purchase : past.purchases) {
      if (purchase.day > until) break;
      if (purchase.day != past.purchases.front().day) {
        gaps.push_back(purchase.day - last);
        value.mean += (purchase.spend - value.mean) / ++value.orders;
      }
      last = purchase.day;
      ++out.purchase_days;
    }
    const int32_t first = past.purchases.empty() ? until + 1 : past.purchases.front().day;
    if (first > until) continue;
    out.first = std::min(out.first, first);
    ++out.customers;
    if (!gaps.empty()) ++out.repeat_customers;
    out.pauses += static_cast<int64_t>(gaps.size());
    histories.push_back(
        {static_cast<double>(gaps.size()), static_cast<double>(last - first), static_cast<double>(until - first)});
    values.push_back(value);
    rhythms.push_back(RhythmOf(gaps));
  }
  out.bg = FitBgNbd(histories);
  out.mbg = FitMbgNbd(histories);
  out.pareto = FitParetoNbd(histories);
  out.value = FitGammaGamma(values);
  out.rhythm = FitRhythms(rhythms);
  return out;
}

std::string FitReport::Text() const {
  std::string text =
      absl::StrFormat("%d customers, %d of them with repeats, %d purchase days, %s to %s; times in weeks\n", customers,
                      repeat_customers, purchase_days, DayText(first), DayText(until));
  // A density of x purchases has the unit of time to the power of −x.
  const double to_weeks = static_cast<double>(pauses) * std::log(kDaysAWeek);
  const auto add = [&](const char* model, const auto& fitted) {
    if (!fitted.ok()) return absl::StrAppend(&text, Failure(model, fitted.status()));
    const auto& [r, alpha, a, b] = fitted->parameters;
    absl::StrAppendFormat(&text, "%-12s r %.4f  alpha %.4f  a %.4f  b %.4f  log-likelihood %.2f\n", model, r,
                          alpha / kDaysAWeek, a, b, fitted->log_likelihood + to_weeks);
  };
  add("BG/NBD", bg);
  add("MBG/NBD", mbg);
  if (pareto.ok()) {
    const auto& [r, alpha, s, beta] = pareto->parameters;
    absl::StrAppendFormat(&text, "Pareto/NBD   r %.4f  alpha %.4f  s %.4f  beta %.4f  log-likelihood %.2f\n", r,
                          alpha / kDaysAWeek, s, beta / kDaysAWeek, pareto->log_likelihood + to_weeks);
  } else {
    absl::StrAppend(&text, Failure("Pareto/NBD", pareto.status()));
  }
  if (value.ok()) {
    const auto& [p, q, v] = value->parameters;
    absl::StrAppendFormat(&text, "Gamma-Gamma  p %.4f  q %.4f  v %.4f  of %d customers with repeats\n", p, q, v,
                          value->customers);
  } else {
    absl::StrAppend(&text, Failure("Gamma-Gamma", value.status()));
  }
  absl::StrAppendFormat(&text, "pauses       log mean %.4f (%.1f days)  log spread %.4f  weights %.2f and %.2f\n",
                        rhythm.log_mean, std::exp(rhythm.log_mean), rhythm.log_spread, rhythm.mean_weight,
                        rhythm.spread_weight);
  return text;
}

absl::StatusOr<std::string> FitReport::Settings(const std::string& name) const {
  if (!mbg.ok()) return absl::FailedPreconditionError(Failure("MBG/NBD", mbg.status()));
  if (!value.ok()) return absl::FailedPreconditionError(Failure("Gamma-Gamma", value.status()));
  const auto& orders = mbg->parameters;
  return absl::StrFormat(
      "churn:\n"
      "  model:\n"
      "    name: %s\n"
      "    r: %.8g\n    alpha: %.8g\n    a: %.8g\n    b: %.8g\n"
      "    p: %.8g\n    q: %.8g\n    v: %.8g\n"
      "  rhythm:\n"
      "    log_mean: %.6g\n    log_spread: %.6g\n    mean_weight: %.6g\n    spread_weight: %.6g\n",
      name, orders.r, orders.alpha_days, orders.a, orders.b, value->parameters.p, value->parameters.q,
      value->parameters.v, rhythm.log_mean, rhythm.log_spread, rhythm.mean_weight, rhythm.spread_weight);
}

}  // namespace portrait
