#include "view/result_json.h"

#include <string>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "pipeline/absl_view.h"
#include "pipeline/tools/result_text.h"
#include "view/masking.h"

namespace portrait::view {
namespace {

Json Common(const char* kind, const v1::ResultInfo& info, std::string text, bool masked) {
  return {{"kind", kind},
          {"id", info.id()},
          {"customer", info.customer_id()},
          {"time", TimeOf(info.event_time_us())},
          {"emitted", TimeOf(info.emission_time_us())},
          {"cause", CauseJson(info.cause())},
          {"reasons", ReasonsJson(info.reasons(), masked)},
          {"origin", info.origin() == v1::ORIGIN_UNSPECIFIED ? "unspecified"
                                                             : absl::AsciiStrToLower(v1::Origin_Name(info.origin()))},
          {"operator", info.operator_()},
          {"version", info.version()},
          {"text", std::move(text)}};
}

std::string Band(v1::ChurnAlert::Band band) { return std::string(BandName(band)); }

}  // namespace

std::string ResultText(const v1::TagChange& change) { return absl::StrCat(change.after() ? "+ " : "- ", change.tag()); }

std::string ResultText(const v1::ChurnAlert& alert) {
  std::string text = absl::StrCat("churn ", AbslView(PhaseName(alert.phase())));
  if (alert.phase() == v1::ChurnAlert::CLOSED) return text;
  absl::StrAppend(&text, ", ", AbslView(BandName(alert.band())));
  absl::StrAppendFormat(&text, ": %.0f %% that no order comes within %d days", alert.probability() * 100,
                        alert.horizon_days());
  return text;
}

Json ResultJson(const v1::TagChange& change, bool masked) {
  Json out = Common("tag", change.info(), ResultText(change), masked);
  out["tag"] = change.tag();
  out["gained"] = change.after();
  out["tags"] = std::vector<std::string>(change.tags().begin(), change.tags().end());
  out["about"] = change.about();
  out["held_since"] = MaybeTime(change.held_since_us());
  for (const char* other : {"episode", "phase", "band", "band_before", "probability", "horizon_days", "value_at_risk",
                            "expected_profit", "currency", "causes"}) {
    out[other] = nullptr;
  }
  return out;
}

Json ResultJson(const v1::ChurnAlert& alert, bool masked) {
  Json out = Common("alert", alert.info(), ResultText(alert), masked);
  for (const char* other : {"tag", "gained", "tags", "about", "held_since"}) out[other] = nullptr;
  out["episode"] = alert.episode_id();
  out["phase"] = std::string(PhaseName(alert.phase()));
  out["band"] = Band(alert.band());
  out["band_before"] = Band(alert.band_before());
  out["probability"] = alert.probability();
  out["horizon_days"] = alert.horizon_days();
  out["value_at_risk"] = Amount(alert.value_at_risk_micros());
  out["expected_profit"] = alert.has_expected_profit_micros() ? Json(Amount(alert.expected_profit_micros())) : Json();
  out["currency"] = alert.currency();
  out["causes"] = std::vector<std::string>(alert.causes().begin(), alert.causes().end());
  return out;
}

}  // namespace portrait::view
