#include "pipeline/cli/fit_rows.h"

#include <algorithm>
#include <iostream>
#include <vector>

#include "absl/strings/str_cat.h"
#include "operators/models/customer_summary.h"
#include "pipeline/cli/all_rows.h"
#include "pipeline/tools/progress_bar.h"

namespace portrait {
namespace {

struct Seen {
  CustomerSummary summary;
  int32_t first_day = 0, last_day = 0;
};

class Reader {
 public:
  Reader(const Config& config, const Chain& chain) : chain_(chain), calendar_(config.engine.zone) {}

  absl::Status Bind() {
    if (absl::Status s = summary_.Bind(chain_.features()); !s.ok()) return s;
    return chain_.features().FindAll({{"purchases.first", &first_}, {"purchases.last", &last_}});
  }

  absl::Status Add(std::string_view bytes, Timestamp now) {
    until_ = std::max(until_, calendar_.At(now).day);
    RowState row;
    if (const auto number = chain_.Decode(bytes, row); !number.ok()) return number.status();
    const FeatureReader features(row, calendar_.At(row.time));
    Seen seen{summary_.Read([&](const FeatureRef& feature) { return features.Get(feature); }, row.time)};
    if (absl::Status s = chain_.Damage(row); !s.ok()) return s;
    if (!seen.summary.customer) return absl::OkStatus();
    const Value first = features.Get(first_), last = features.Get(last_);
    seen.first_day = calendar_.At(std::get<Timestamp>(first)).day;
    seen.last_day = calendar_.At(std::get<Timestamp>(last)).day;
    until_ = std::max(until_, seen.last_day);
    seen_.push_back(seen);
    return absl::OkStatus();
  }

  CustomersUntil Customers() const {
    CustomersUntil out;
    out.first = out.until = until_;
    for (const Seen& seen : seen_) out.AddSummary(seen.summary, seen.first_day, seen.last_day);
    return out;
  }
  size_t customers() const { return seen_.size(); }

 private:
  const Chain& chain_;
  const Calendar calendar_;
  CustomerSummaryReader summary_;
  FeatureRef first_, last_;
  std::vector<Seen> seen_;
  int32_t until_ = INT32_MIN;
};

}  // namespace

absl::StatusOr<CustomersUntil> CustomersOfRows(const Config& config, const Chain& chain) {
  Reader reader(config, chain);
  if (absl::Status s = reader.Bind(); !s.ok()) return s;
  const auto read = VisitAllRows(
      config, "fit", "reading", [&] { return absl::StrCat(ShortCount(reader.customers()), " customers"); },
      [&](std::string_view, std::string_view row, const v1::TaskState&, Timestamp now) {
        return reader.Add(row, now);
      });
  if (!read.ok()) return read.status();
  if (read->overtaken > 0) {
    std::cerr << LongCount(read->overtaken) << " customers changed while it was read, and are left out.\n";
  }
  return reader.Customers();
}

}  // namespace portrait
