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

class Reader {
 public:
  Reader(const Config& config, const Chain& chain) : chain_(chain), calendar_(config.engine.zone) {}

  absl::Status Bind() { return summary_.Bind(chain_.features()); }

  absl::Status Add(std::string_view bytes, Timestamp now) {
    until_ = std::max(until_, calendar_.At(now).day);
    RowState row;
    if (const auto number = chain_.Decode(bytes, row); !number.ok()) return number.status();
    const FeatureReader features(row, calendar_.At(row.time));
    const CustomerSummary summary =
        summary_.Read([&](const FeatureRef& feature) { return features.Get(feature); }, row.time);
    if (absl::Status s = chain_.Damage(row); !s.ok()) return s;
    if (!summary.customer) return absl::OkStatus();
    until_ = std::max(until_, calendar_.At(summary.last).day);
    seen_.push_back(summary);
    return absl::OkStatus();
  }

  CustomersUntil Customers() const {
    CustomersUntil out;
    out.first = out.until = until_;
    for (const CustomerSummary& summary : seen_) {
      out.AddSummary(summary, calendar_.At(summary.first).day, calendar_.At(summary.last).day);
    }
    return out;
  }
  size_t customers() const { return seen_.size(); }

 private:
  const Chain& chain_;
  const Calendar calendar_;
  CustomerSummaryReader summary_;
  std::vector<CustomerSummary> seen_;
  int32_t until_ = INT32_MIN;
};

}  // namespace

absl::StatusOr<CustomersUntil> CustomersOfRows(const Config& config, const Chain& chain) {
  Reader reader(config, chain);
  if (absl::Status s = reader.Bind(); !s.ok()) return s;
  const auto told = [&] { return absl::StrCat(ShortCount(reader.customers()), " customers"); };
  const auto read = VisitRows(config, {.command = "fit", .doing = "reading", .told = told},
                              [&](std::string_view, std::string_view row, const v1::TaskState&, Timestamp now) {
                                return reader.Add(row, now);
                              });
  if (!read.ok()) return read.status();
  std::cerr << LeftOut(*read);
  return reader.Customers();
}

}  // namespace portrait
