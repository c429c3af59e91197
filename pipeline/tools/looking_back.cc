#include "pipeline/tools/looking_back.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"

namespace portrait {
namespace {

struct NoSink final : OutputSink {
  void Add(size_t, std::string_view, const google::protobuf::Message&) override {}
};

}  // namespace

const CustomerSummary* CustomerPast::LookOn(int32_t day) const {
  const auto at = std::lower_bound(looks.begin(), looks.end(), day,
                                   [](const DatedSummary& look, int32_t wanted) { return look.day < wanted; });
  return at != looks.end() && at->day == day ? &at->summary : nullptr;
}

absl::StatusOr<LookingBack> LookingBack::Create(const Chain& chain, absl::TimeZone zone) {
  LookingBack out(chain, zone);
  if (absl::Status s = out.reader_.Bind(chain.features()); !s.ok()) return s;
  return out;
}

CustomerPast LookingBack::At(const std::string& customer, const std::vector<Event>& events,
                             absl::Span<const int32_t> given_days) {
  CustomerPast past{.id = customer};
  NoSink sink;
  RowState row = chain_->EmptyRow();
  size_t next_day = 0;
  int32_t after_purchase = INT32_MAX;
  // Everything up to the start of the day that is due before `until`.
  const auto look_before = [&](int32_t until) {
    for (;;) {
      const int32_t given = next_day < given_days.size() ? given_days[next_day] : INT32_MAX;
      const int32_t day = std::min(given, after_purchase);
      if (day > until || day == INT32_MAX) return;
      if (day == given) ++next_day;
      if (day == after_purchase) after_purchase = INT32_MAX;
      if (past.purchases.empty()) continue;
      const Moment moment = calendar_.At(calendar_.StartOf(day));
      // What is due at that very instant belongs to the day.
      chain_->FireTimers(moment.time - Duration(1), customer, row, calendar_, sink);
      const FeatureReader features(row, moment);
      past.looks.push_back({day, reader_.Read([&](const FeatureRef& ref) { return features.Get(ref); }, moment.time)});
    }
  };
  int64_t number = 0;
  for (const Event& given : events) {
    Event event = given;
    if (const auto rejection = chain_->Check(event, {EventTime(event)})) {
      if (rejected_++ == 0) first_rejection_ = absl::StrCat(rejection->code, ": ", rejection->text);
      continue;
    }
    const int32_t day = calendar_.At(EventTime(event)).day;
    look_before(day);
    if (chain_->OnEvent(event, {"history", 0, number++}, false, customer, row, calendar_, sink) ==
        Chain::Verdict::kDuplicate) {
      ++duplicates_;
      continue;
    }
    if (!event.has_order_completed()) continue;
    if (past.purchases.empty() || past.purchases.back().day != day) past.purchases.push_back({day});
    past.purchases.back().spend += static_cast<double>(event.order_completed().total_micros()) / 1e6;
    after_purchase = day + 1;
  }
  look_before(INT32_MAX - 1);
  return past;
}

}  // namespace portrait
