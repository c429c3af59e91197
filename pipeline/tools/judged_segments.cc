#include "pipeline/tools/judged_segments.h"

#include <algorithm>
#include <functional>

#include "absl/strings/str_format.h"
#include "operators/models/judgement.h"

namespace portrait {
namespace {

constexpr double kActiveDays = 90;
constexpr std::string_view kAllCustomers = "all";

struct Segment {
  std::string_view who;
  std::function<bool(const PurchaseHistory&)> holds;
};

const std::vector<Segment>& Segments() {
  static const auto* const all = new std::vector<Segment>{
      {kAllCustomers, [](const PurchaseHistory&) { return true; }},
      {"bought once", [](const PurchaseHistory& h) { return h.repeats == 0; }},
      {"came back", [](const PurchaseHistory& h) { return h.repeats > 0; }},
      {"ordered in the last 90 days", [](const PurchaseHistory& h) { return h.age_days - h.last_days < kActiveDays; }},
  };
  return *all;
}

void AddJudged(const std::vector<ToldAndCame>& told, const Segment& segment, std::string_view model,
               JudgedModels& all) {
  std::vector<double> probabilities;
  std::vector<bool> silent;
  ToldAndCame sum;
  for (const ToldAndCame& one : told) {
    if (!segment.holds(one.history)) continue;
    probabilities.push_back(one.no_order);
    silent.push_back(one.came_orders == 0);
    sum.orders += one.orders, sum.spend += one.spend;
    sum.came_orders += one.came_orders, sum.came_spend += one.came_spend;
  }
  const auto ordered = std::count(silent.begin(), silent.end(), false);
  if (ordered == 0 || static_cast<size_t>(ordered) == silent.size()) return;
  const Judgement judged = Judge(probabilities, silent);
  v1::JudgedModel& out = *all.Add();
  out.set_model(std::string(model));
  out.set_customers_who(std::string(segment.who));
  out.set_customers(static_cast<uint32_t>(judged.customers));
  out.set_without_order(static_cast<uint32_t>(judged.happened));
  out.set_auc(judged.auc), out.set_brier(judged.brier), out.set_calibration_error(judged.calibration_error);
  out.set_log_loss(judged.log_loss);
  out.set_orders(sum.came_orders), out.set_orders_predicted(sum.orders);
  out.set_spend(sum.came_spend), out.set_spend_predicted(sum.spend);
  if (sum.came_spend > 0) out.set_spend_bias(sum.spend / sum.came_spend - 1);
  if (segment.who != kAllCustomers) return;
  for (const CalibrationGroup& group : judged.groups) {
    v1::CalibrationGroup& added = *out.add_groups();
    added.set_customers(static_cast<uint32_t>(group.customers));
    added.set_predicted(group.predicted), added.set_came(group.happened);
  }
}

}  // namespace

void AddJudgements(const std::vector<ToldAndCame>& told, std::string_view model, JudgedModels& judged) {
  for (const Segment& segment : Segments()) AddJudged(told, segment, model, judged);
}

void AddJudgementOnAll(const std::vector<ToldAndCame>& told, std::string_view model, JudgedModels& judged) {
  AddJudged(told, Segments()[0], model, judged);
}

const v1::JudgedModel* JudgedOnAll(const JudgedModels& judged, std::string_view model) {
  for (const v1::JudgedModel& one : judged) {
    if (one.model() == model && one.customers_who() == kAllCustomers) return &one;
  }
  return nullptr;
}

std::string GroupsText(const v1::JudgedModel& judged) {
  std::string text;
  for (const v1::CalibrationGroup& group : judged.groups()) {
    absl::StrAppendFormat(&text, "  %.3f  %.3f  %d customers\n", group.predicted(), group.came(), group.customers());
  }
  return text;
}

}  // namespace portrait
