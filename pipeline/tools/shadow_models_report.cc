#include "pipeline/tools/shadow_models_report.h"

#include <algorithm>
#include <array>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "pipeline/tools/progress_bar.h"
#include "pipeline/tools/result_text.h"

namespace portrait {
namespace {

constexpr std::array kBands = {v1::ChurnAlert::LOW, v1::ChurnAlert::MEDIUM, v1::ChurnAlert::HIGH};

}  // namespace

ShadowModelsReport::ShadowModelsReport(const Chain& chain, absl::TimeZone zone)
    : chain_(chain), churn_(*ChurnOfChain(chain)), calendar_(zone) {
  const auto& links = chain.operators();
  const auto at = std::find_if(links.begin(), links.end(), [&](const auto& link) { return link.op.get() == &churn_; });
  slot_ = static_cast<Slot>(at - links.begin() + 1);
}

absl::Status ShadowModelsReport::Add(std::string_view bytes, Timestamp now) {
  RowState row;
  if (const auto number = chain_.Decode(bytes, row); !number.ok()) return number.status();
  if (row.gone || !row.states.Has(slot_)) return absl::OkStatus();
  const auto& state = row.states.As<v1::state::Churn>(slot_);
  const Timestamp at = std::max(row.time, now);
  const auto judged = churn_.Compare(state, FeatureReader(row, calendar_.At(at)), at);
  if (absl::Status s = chain_.Damage(row); !s.ok()) return s;
  if (!judged) return absl::OkStatus();
  ++customers_;
  said_.Add(*judged);
  if (state.shadow().begun() != churn_.shadow()->options().models_begun) return absl::OkStatus();
  ++swept_;
  alerts_ += state.shadow().alerts();
  told_ += state.shadow().told();
  const bool in_force = !state.episode_id().empty(), shadow = state.shadow().causes() != 0;
  both_at_risk_ += in_force && shadow ? 1 : 0;
  only_in_force_ += in_force && !shadow ? 1 : 0;
  only_shadow_ += !in_force && shadow ? 1 : 0;
  return absl::OkStatus();
}

std::string ShadowModelsReport::Text() const {
  std::string out = absl::StrCat("Swept: ", LongCount(swept_), " of ", LongCount(customers_),
                                 " customers with an order. Since then they would have raised ", LongCount(alerts_),
                                 " alerts; those in force have raised ", LongCount(told_),
                                 ".\nAt risk by both: ", LongCount(both_at_risk_),
                                 "; by those in force only: ", LongCount(only_in_force_),
                                 "; by those in the shadow only: ", LongCount(only_shadow_), ".\n\n");
  absl::StrAppendFormat(&out, "%-16s  %31s\n%-16s", "customers", "in the shadow", "in force");
  for (const auto shadow : kBands) absl::StrAppendFormat(&out, "  %9s", std::string(BandName(shadow)));
  for (const auto in_force : kBands) {
    absl::StrAppendFormat(&out, "\n%-16s", std::string(BandName(in_force)));
    for (const auto shadow : kBands) absl::StrAppendFormat(&out, "  %9s", LongCount(said_.judged(in_force, shadow)));
  }
  if (customers_ == 0) return out + "\n";
  const auto customers = static_cast<double>(customers_);
  const double in_force = said_.said_no_order(AlertBy::kModelsInForce) / customers;
  const double shadow = said_.said_no_order(AlertBy::kModelsInShadow) / customers;
  absl::StrAppendFormat(&out, "\n\nNo order within %d days: %.4f in force, %.4f in the shadow, on average; %+.4f\n",
                        churn_.options().horizon_days, in_force, shadow, shadow - in_force);
  return out;
}

nlohmann::json ShadowModelsReport::Json() const {
  nlohmann::json bands = nlohmann::json::object();
  for (const auto in_force : kBands) {
    for (const auto shadow : kBands) {
      bands[std::string(BandName(in_force))][std::string(BandName(shadow))] = said_.judged(in_force, shadow);
    }
  }
  return {{"customers", customers_},
          {"swept", swept_},
          {"alerts", {{"in_force", told_}, {"shadow", alerts_}}},
          {"at_risk", {{"both", both_at_risk_}, {"in_force", only_in_force_}, {"shadow", only_shadow_}}},
          {"bands", bands},
          {"said_no_order",
           {{"in_force", said_.said_no_order(AlertBy::kModelsInForce)},
            {"shadow", said_.said_no_order(AlertBy::kModelsInShadow)}}}};
}

}  // namespace portrait
