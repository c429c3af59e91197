#include "bench/lean/lean.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <string_view>

#include "portrait/v1/result.pb.h"
#include "xxhash.h"

namespace portrait::bench {
namespace {

constexpr int kCategories = 8;
constexpr double kHalfLifeUs = 30.0 * 86'400e6;

void AddInterest(LeanState& state, const std::string& category, int64_t time_us) {
  if (time_us > state.last_us()) {
    const auto decay = static_cast<float>(std::exp2(-static_cast<double>(time_us - state.last_us()) / kHalfLifeUs));
    for (float& interest : *state.mutable_interest()) interest *= decay;
  }
  const auto hash = static_cast<uint32_t>(XXH3_64bits(category.data(), category.size()));
  int place = 0;
  while (place < state.category_size() && state.category(place) != hash) ++place;
  if (place < state.category_size()) {
    state.set_interest(place, state.interest(place) + 1);
  } else if (place < kCategories) {
    state.add_category(hash);
    state.add_interest(1);
  } else {
    const auto weakest = std::min_element(state.interest().begin(), state.interest().end()) - state.interest().begin();
    state.set_category(static_cast<int>(weakest), hash);
    state.set_interest(static_cast<int>(weakest), 1);
  }
}

}  // namespace

void Lean::Describe(Description& about) {
  about.Name("lean").ReadsEverything().Writes<v1::TagChange>("lean-results", "every 20 views and every purchase");
}

void Lean::OnEvent(const Event& event, LeanState& state, Context& context) const {
  const int64_t time_us = event.event_time_us();
  if (state.first_us() == 0) state.set_first_us(time_us);
  std::string_view feature;
  int64_t value = 0;
  switch (event.body_case()) {
    case Event::kPageViewed:
      state.set_views(state.views() + 1);
      AddInterest(state, event.page_viewed().category(), time_us);
      if (state.views() % kViewsPerResult == 0) {
        feature = "lean.views";
        value = state.views();
      }
      break;
    case Event::kEmailOpened: state.set_opens(state.opens() + 1); break;
    case Event::kEmailLinkClicked: state.set_clicks(state.clicks() + 1); break;
    case Event::kOrderCompleted:
      state.set_orders(state.orders() + 1);
      state.set_spend_micros(state.spend_micros() + event.order_completed().total_micros());
      feature = "lean.spend";
      value = state.spend_micros();
      break;
    default: break;
  }
  state.set_last_us(std::max(state.last_us(), time_us));
  if (feature.empty()) return;
  v1::TagChange result;
  v1::Reason* reason = result.mutable_info()->add_reasons();
  reason->set_feature(std::string(feature));
  reason->mutable_value()->set_integer(value);
  result.set_tag("lean");
  result.set_after(true);
  context.Emit(std::move(result));
}

void Lean::Fetch(const LeanState& state, Fetcher& fetch) const {
  fetch.Numbers(state.category());
  fetch.Numbers(state.interest());
}

}  // namespace portrait::bench
