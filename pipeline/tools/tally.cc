#include "pipeline/tools/tally.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "pipeline/tools/progress_bar.h"
#include "pipeline/tools/result_text.h"

namespace portrait {

void ResultTally::Add(const v1::TagChange& change) {
  ++results_;
  Tag& tag = tags_[change.tag()];
  ++(change.after() ? tag.came : tag.went);
}

void ResultTally::Add(const v1::ChurnAlert& alert) {
  ++results_;
  if (!alert.currency().empty()) currency_ = alert.currency();
  switch (alert.phase()) {
    case v1::ChurnAlert::OPENED: ++opened_[alert.band()]; break;
    case v1::ChurnAlert::WORSENED: ++worsened_[alert.band()]; break;
    case v1::ChurnAlert::CLOSED:
      ++closed_[alert.band_before()];
      open_.erase(alert.info().customer_id());
      return;
    default: return;
  }
  open_[alert.info().customer_id()] = {alert.band(), alert.value_at_risk_micros()};
}

void ResultTally::Add(const v1::DeadLetter& letter) {
  ++results_;
  ++letters_[letter.code()];
}

uint64_t ResultTally::dead_letters() const {
  uint64_t sum = 0;
  for (const auto& [code, count] : letters_) sum += count;
  return sum;
}

std::string ResultTally::TagsText() const {
  std::string text = absl::StrFormat("  %-24s %12s %12s %12s\n", "tag", "hold it now", "came", "went");
  for (const auto& [name, tag] : tags_) {
    absl::StrAppendFormat(&text, "  %-24s %12s %12s %12s\n", name,
                          LongCount(static_cast<uint64_t>(std::max<int64_t>(0, tag.came - tag.went))),
                          LongCount(static_cast<uint64_t>(tag.came)), LongCount(static_cast<uint64_t>(tag.went)));
  }
  return text;
}

std::string ResultTally::AlertsText() const {
  std::string text = absl::StrFormat("  %-24s %12s %12s %12s %12s   %s\n", "churn alerts", "opened", "worsened to",
                                     "closed from", "open now", "at risk");
  for (const auto band : {v1::ChurnAlert::HIGH, v1::ChurnAlert::MEDIUM, v1::ChurnAlert::LOW}) {
    uint64_t open = 0;
    int64_t value = 0;
    for (const auto& [customer, alert] : open_) {
      if (alert.band == band) ++open, value += alert.value_micros;
    }
    const auto count = [&](const auto& counts) {
      const auto found = counts.find(band);
      return LongCount(found == counts.end() ? 0 : found->second);
    };
    absl::StrAppendFormat(&text, "  %-24s %12s %12s %12s %12s   %s\n", std::string(BandName(band)), count(opened_),
                          count(worsened_), count(closed_), LongCount(open), MoneyText(value, currency_));
  }
  return text;
}

std::string ResultTally::LettersText() const {
  std::string text;
  for (const auto& [code, count] : letters_) absl::StrAppendFormat(&text, "  %-24s %12s\n", code, LongCount(count));
  return text;
}

}  // namespace portrait
