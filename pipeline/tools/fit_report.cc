#include "pipeline/tools/fit_report.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "pipeline/config/customer_group_fits.h"
#include "pipeline/tools/local_days.h"

namespace portrait {
namespace {

constexpr double kDaysAWeek = 7;

// What was fitted, or why it was not.
template <class Fit, class Message>
void PutGroups(const absl::StatusOr<Fit>& fitted, Message& message) {
  if (fitted.ok()) {
    message = FitOf(*fitted);
  } else {
    message.set_none_because(std::string(fitted.status().message()));
  }
}

std::string Failure(const char* model, const absl::Status& status) {
  return absl::StrCat(model, " not fitted: ", status.message(), "\n");
}

}  // namespace

CustomersUntil CustomersUntil::Of(const std::vector<CustomerPast>& pasts, int32_t until) {
  CustomersUntil out;
  out.until = until;
  out.first = until;
  for (const CustomerPast& past : pasts) {
    std::vector<int32_t> gaps;
    OrderValues value;
    double spend = 0;
    int32_t last = 0;
    for (const PurchaseDay& purchase : past.purchases) {
      if (purchase.day > until) break;
      if (purchase.day != past.purchases.front().day) {
        gaps.push_back(purchase.day - last);
        value.mean += (purchase.spend - value.mean) / ++value.orders;
      }
      last = purchase.day;
      spend += purchase.spend;
      ++out.purchase_days;
    }
    const int32_t first = past.purchases.empty() ? until + 1 : past.purchases.front().day;
    if (first > until) continue;
    out.first = std::min(out.first, first);
    if (!gaps.empty()) ++out.repeat_customers;
    out.pauses += static_cast<int64_t>(gaps.size());
    out.pasts.push_back(&past);
    out.histories.push_back(
        {static_cast<double>(gaps.size()), static_cast<double>(last - first), static_cast<double>(until - first)});
    out.repeat_values.push_back(value);
    out.day_values.push_back(spend / static_cast<double>(gaps.size() + 1));
    out.rhythms.push_back(RhythmOf(gaps));
    out.rfm.push_back(MakeRfm(until - last, static_cast<int64_t>(gaps.size()) + 1, spend));
  }
  return out;
}

void CustomersUntil::AddSummary(const CustomerSummary& summary, int32_t first_day, int32_t last_day) {
  const double occasions = summary.history.repeats + 1;
  const bool repeats = summary.history.repeats > 0;
  first = std::min(first, first_day);
  repeat_customers += repeats ? 1 : 0;
  purchase_days += static_cast<int64_t>(occasions);
  pauses += static_cast<int64_t>(summary.history.repeats);
  histories.push_back(
      {summary.history.repeats, static_cast<double>(last_day - first_day), static_cast<double>(until - first_day)});
  repeat_values.push_back(repeats ? OrderValues{.orders = occasions, .mean = summary.day_value} : OrderValues{});
  day_values.push_back(summary.day_value);
  rhythms.push_back(summary.rhythm);
  rfm.push_back(MakeRfm(until - last_day, static_cast<int64_t>(occasions), summary.spend));
}

FitReport FitReport::Of(const std::vector<CustomerPast>& pasts, int32_t until, int clusters) {
  return Of(CustomersUntil::Of(pasts, until), clusters);
}

FitReport FitReport::Of(const CustomersUntil& all, int clusters) {
  FitReport out;
  out.first = all.first;
  out.until = all.until;
  out.customers = static_cast<int64_t>(all.histories.size());
  out.repeat_customers = all.repeat_customers;
  out.purchase_days = all.purchase_days;
  out.pauses = all.pauses;
  out.bg = FitBgNbd(all.histories);
  out.mbg = FitMbgNbd(all.histories);
  out.pareto = FitParetoNbd(all.histories);
  out.value = FitGammaGamma(all.repeat_values);
  out.rhythm = FitRhythms(all.rhythms);
  out.rfm = FitRfm(all.rfm);
  out.clusters = FitCustomerClusters(all.rfm, clusters);
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

absl::StatusOr<v1::ModelFile> FitReport::File() const {
  if (repeat_customers < kLeastRepeatCustomers) {
    return absl::FailedPreconditionError(absl::StrCat("too few customers came back to fit models to them; at least ",
                                                      kLeastRepeatCustomers, ": ", repeat_customers));
  }
  if (!mbg.ok() && !pareto.ok()) return absl::FailedPreconditionError(Failure("MBG/NBD", mbg.status()));
  if (!value.ok()) return absl::FailedPreconditionError(Failure("Gamma-Gamma", value.status()));
  v1::ModelFile file;
  file.set_in_force(mbg.ok() ? "mbg_nbd" : "pareto_nbd");
  v1::ModelSource& source = *file.mutable_source();
  source.set_first_day(DayText(first));
  source.set_last_day(DayText(until));
  source.set_customers(static_cast<uint32_t>(customers));
  source.set_repeat_customers(static_cast<uint32_t>(repeat_customers));
  source.set_purchase_days(static_cast<uint32_t>(purchase_days));
  if (mbg.ok()) {
    const auto& [r, alpha, a, b] = mbg->parameters;
    v1::MbgNbdFit& fit = *file.mutable_mbg_nbd();
    fit.set_r(r), fit.set_alpha_days(alpha), fit.set_a(a), fit.set_b(b);
    fit.set_log_likelihood(mbg->log_likelihood);
  }
  if (pareto.ok()) {
    const auto& [r, alpha, s, beta] = pareto->parameters;
    v1::ParetoNbdFit& fit = *file.mutable_pareto_nbd();
    fit.set_r(r), fit.set_alpha_days(alpha), fit.set_s(s), fit.set_beta_days(beta);
    fit.set_log_likelihood(pareto->log_likelihood);
  }
  v1::GammaGammaFit& amounts = *file.mutable_gamma_gamma();
  amounts.set_p(value->parameters.p), amounts.set_q(value->parameters.q), amounts.set_v(value->parameters.v);
  amounts.set_log_likelihood(value->log_likelihood);
  amounts.set_customers(static_cast<uint32_t>(value->customers));
  v1::RhythmFit& pauses_fit = *file.mutable_rhythm();
  pauses_fit.set_log_mean(rhythm.log_mean), pauses_fit.set_log_spread(rhythm.log_spread);
  pauses_fit.set_mean_weight(rhythm.mean_weight), pauses_fit.set_spread_weight(rhythm.spread_weight);
  PutGroups(rfm, *file.mutable_rfm());
  PutGroups(clusters, *file.mutable_clusters());
  return file;
}

}  // namespace portrait
