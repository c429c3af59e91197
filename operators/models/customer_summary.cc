#include "operators/models/customer_summary.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"

namespace portrait {

absl::Status CustomerSummaryReader::Bind(const FeatureRegistry& features) {
  std::vector<std::pair<std::string, FeatureRef*>> wanted = {{"occasions", &occasions_},
                                                             {"first", &first_},
                                                             {"last", &last_},
                                                             {"spend", &spend_},
                                                             {"gaps", &gaps_},
                                                             {"gap_mean_days", &gap_mean_},
                                                             {"gap_log_spread", &gap_log_spread_}};
  for (size_t i = 0; i < CustomerSummary::kWindows.size(); ++i) {
    wanted.emplace_back(absl::StrCat("orders_", CustomerSummary::kWindows[i], "d"), &window_orders_[i]);
    wanted.emplace_back(absl::StrCat("spend_", CustomerSummary::kWindows[i], "d"), &window_spend_[i]);
  }
  for (const auto& [name, ref] : wanted) {
    auto found = features.Find("purchases." + name);
    if (!found.ok()) return found.status();
    *ref = *found;
  }
  return absl::OkStatus();
}

CustomerSummary CustomerSummaryReader::Read(Features features, Timestamp now) const {
  CustomerSummary out;
  const auto number = [&](const FeatureRef& ref) { return AsNumber(features(ref)); };
  const double occasions = number(occasions_);
  const Value first_value = features(first_), last_value = features(last_);
  const auto* first = std::get_if<Timestamp>(&first_value);
  const auto* last = std::get_if<Timestamp>(&last_value);
  if (occasions < 1 || first == nullptr || last == nullptr) return out;
  out.customer = true;
  out.first = *first;
  out.last = *last;
  const Timestamp until = std::max(now, *last);
  out.history.repeats = occasions - 1;
  // Several orders of one day are one occasion, at the time of the last.
  out.history.last_days = occasions > 1 ? InDays(*last - *first) : 0;
  out.history.age_days = InDays(until - (occasions > 1 ? *first : *last));
  out.silent_days = InDays(until - *last);
  out.spend = std::max(0.0, number(spend_));
  out.day_value = out.spend / occasions;
  for (size_t i = 0; i < CustomerSummary::kWindows.size(); ++i) {
    out.window_orders[i] = std::max(0.0, number(window_orders_[i]));
    out.window_spend[i] = std::max(0.0, number(window_spend_[i]));
  }
  out.rhythm.gaps = static_cast<int>(number(gaps_));
  if (out.rhythm.gaps > 0) out.rhythm.log_mean = std::log(std::max(1.0, AsNumber(features(gap_mean_), 1)));
  if (out.rhythm.gaps > 1) out.rhythm.log_spread = number(gap_log_spread_);
  return out;
}

}  // namespace portrait
