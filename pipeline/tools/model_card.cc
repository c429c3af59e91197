#include "pipeline/tools/model_card.h"

#include <algorithm>
#include <cmath>
#include <string_view>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "operators/models/fitted_models.h"
#include "pipeline/tools/customer_groups_card.h"
#include "pipeline/tools/fit_report.h"
#include "pipeline/tools/judged_segments.h"
#include "pipeline/tools/learned_card.h"
#include "pipeline/tools/local_days.h"

namespace portrait {
namespace {

constexpr int32_t kLeastDaysBefore = 30;

std::vector<ToldAndCame> Tell(const CustomersUntil& known, const FittedModels& models, int32_t horizon_days) {
  std::vector<ToldAndCame> out;
  for (size_t i = 0; i < known.pasts.size(); ++i) {
    ToldAndCame told{.history = known.histories[i]};
    told.no_order = 1 - models.orders.ProbabilityOfOrder(told.history, horizon_days);
    told.orders = models.orders.ExpectedOrders(told.history, horizon_days);
    told.spend = ExpectedSpend(models, told.history, known.day_values[i], horizon_days);
    for (const PurchaseDay& purchase : known.pasts[i]->purchases) {
      if (purchase.day <= known.until || purchase.day > known.until + horizon_days) continue;
      told.came_orders += 1, told.came_spend += std::max(0.0, purchase.spend);
    }
    out.push_back(told);
  }
  return out;
}

std::string OrderModelText(const v1::ModelFile& file) {
  std::string text;
  if (file.has_mbg_nbd()) {
    const auto& fit = file.mbg_nbd();
    absl::StrAppendFormat(&text, "MBG/NBD      r %.6g  alpha %.6g days  a %.6g  b %.6g  log-likelihood %.2f%s\n",
                          fit.r(), fit.alpha_days(), fit.a(), fit.b(), fit.log_likelihood(),
                          file.in_force() == "mbg_nbd" ? "  in force" : "");
  }
  if (file.has_pareto_nbd()) {
    const auto& fit = file.pareto_nbd();
    absl::StrAppendFormat(&text,
                          "Pareto/NBD   r %.6g  alpha %.6g days  s %.6g  beta %.6g days  log-likelihood %.2f%s\n",
                          fit.r(), fit.alpha_days(), fit.s(), fit.beta_days(), fit.log_likelihood(),
                          file.in_force() == "pareto_nbd" ? "  in force" : "");
  }
  return text;
}

std::string CardText(const v1::ModelCard& card, const std::string& in_force) {
  if (card.judged().empty()) return absl::StrCat("not judged: ", card.none_because(), "\n");
  std::string text = absl::StrFormat("judged on %s to %s (%d days), as fitted to what was until %s:\n",
                                     card.judged_from(), card.judged_until(), card.horizon_days(), card.fitted_until());
  absl::StrAppendFormat(&text, "  %-10s  %-27s  %9s  %8s  %6s  %6s  %11s  %13s  %s\n", "model", "customers who",
                        "customers", "no order", "AUC", "Brier", "calibration", "purchase days", "spend");
  for (const v1::JudgedModel& one : card.judged()) {
    absl::StrAppendFormat(&text, "  %-10s  %-27s  %9d  %8d  %6.4f  %6.4f  %11.4f  %13.0f  %.0f\n", one.model(),
                          one.customers_who(), one.customers(), one.without_order(), one.auc(), one.brier(),
                          one.calibration_error(), one.orders(), one.spend());
    absl::StrAppendFormat(&text, "  %-10s  %-27s  %9s  %8s  %6s  %6s  %11s  %13.0f  %.0f (%+.1f %%)\n", "",
                          "  predicted", "", "", "", "", "", one.orders_predicted(), one.spend_predicted(),
                          100 * one.spend_bias());
  }
  if (const v1::JudgedModel* judged = JudgedOnAll(card.judged(), in_force)) {
    absl::StrAppendFormat(&text, "calibration of %s: of no order within %d days, predicted and come\n", in_force,
                          card.horizon_days());
    absl::StrAppend(&text, GroupsText(*judged));
  }
  return text;
}

}  // namespace

v1::ModelCard CardOf(const std::vector<CustomerPast>& pasts, int32_t until, int32_t horizon_days) {
  const int32_t held = until - horizon_days;
  v1::ModelCard card;
  card.set_horizon_days(horizon_days);
  card.set_fitted_until(DayText(held));
  card.set_judged_from(DayText(held + 1));
  card.set_judged_until(DayText(until));
  const CustomersUntil known = CustomersUntil::Of(pasts, held);
  if (known.pasts.empty() || held - known.first < kLeastDaysBefore) {
    card.set_none_because(
        absl::StrCat("the history has no ", kLeastDaysBefore, " days before the last ", horizon_days));
    return card;
  }
  if (known.repeat_customers < FitReport::kLeastRepeatCustomers) {
    card.set_none_because(absl::StrCat("too few customers had come back by then: ", known.repeat_customers));
    return card;
  }
  const auto value = FitGammaGamma(known.repeat_values);
  FittedModels models;
  if (value.ok()) models.value = value->parameters;
  const auto judge = [&](const auto& fitted) {
    if (!fitted.ok()) return;
    models.orders = OrderModel(fitted->parameters);
    AddJudgements(Tell(known, models, horizon_days), models.orders.form(), *card.mutable_judged());
  };
  judge(FitMbgNbd(known.histories));
  judge(FitParetoNbd(known.histories));
  if (card.judged().empty()) card.set_none_because("no model could be fitted, or all customers did the same");
  return card;
}

void PutBestInForce(v1::ModelFile& file) {
  const v1::JudgedModel* const mbg = JudgedOnAll(file.card().judged(), "mbg_nbd");
  const v1::JudgedModel* const pareto = JudgedOnAll(file.card().judged(), "pareto_nbd");
  if (mbg == nullptr || pareto == nullptr || !file.has_mbg_nbd() || !file.has_pareto_nbd()) return;
  file.set_in_force(pareto->brier() < mbg->brier() ? "pareto_nbd" : "mbg_nbd");
}

std::string ModelFileReport(const v1::ModelFile& file) {
  const v1::ModelSource& source = file.source();
  std::string text = absl::StrFormat(
      "%s@%s  by %s\n%d customers, %d of them with repeats, %d purchase days, %s to %s, days of %s, amounts in "
      "%s\nfrom %s\n",
      file.name(), file.checksum(), file.made_by(), source.customers(), source.repeat_customers(),
      source.purchase_days(), source.first_day(), source.last_day(), source.time_zone(), source.currency(),
      absl::StrJoin(source.files(), ", "));
  absl::StrAppend(&text, OrderModelText(file));
  const auto& amounts = file.gamma_gamma();
  absl::StrAppendFormat(&text, "Gamma-Gamma  p %.6g  q %.6g  v %.6g  of %d customers with repeats\n", amounts.p(),
                        amounts.q(), amounts.v(), amounts.customers());
  const auto& rhythm = file.rhythm();
  absl::StrAppendFormat(&text, "pauses       log mean %.4f (%.1f days)  log spread %.4f  weights %.2f and %.2f\n",
                        rhythm.log_mean(), std::exp(rhythm.log_mean()), rhythm.log_spread(), rhythm.mean_weight(),
                        rhythm.spread_weight());
  return absl::StrCat(text, RfmText(file.rfm()), ClustersText(file.clusters()), CardText(file.card(), file.in_force()),
                      file.has_learned() ? LearnedText(file.learned()) : "");
}

}  // namespace portrait
