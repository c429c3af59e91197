#include "operators/tags.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace portrait {
namespace {

using State = v1::state::Tags;

constexpr uint32_t kLifeCycleTimer = 1;
constexpr uint32_t kReturningTimer = 2;
constexpr uint32_t kPurchasesTimer = 3;
constexpr uint32_t kInterestsTimer = 4;
constexpr int kMostInterests = 8;
constexpr std::string_view kInterest = "interest:";

std::string_view NameOf(State::LifeCycle life_cycle) {
  switch (life_cycle) {
    case State::NEW: return "new";
    case State::ACTIVE: return "active";
    case State::SILENT: return "silent";
    case State::LOST: return "lost";
    default: return "";
  }
}

// What the customer did, rather than what was done to them.
bool IsActivity(const Event& event) {
  switch (event.body_case()) {
    case Event::kEmailDelivered:
    case Event::kEmailBounced:
    case Event::kReplySent:
    case Event::kIssueResolved: return false;
    case Event::kPhoneCall: return event.phone_call().direction() != v1::PhoneCall::OUTBOUND;
    default: return true;
  }
}

// Whether the event may add to an interest.
bool IsView(const Event& event) {
  const auto kind = event.body_case();
  return kind >= Event::kPageViewed && kind <= Event::kCheckoutStarted;
}

bool IsPurchase(const Event& event) {
  const auto kind = event.body_case();
  return kind == Event::kOrderCompleted || kind == Event::kOrderRefunded || kind == Event::kOrderCancelled;
}

bool Holds(const State& state, std::string_view tag) {
  return std::any_of(state.held().begin(), state.held().end(), [&](const auto& held) { return held.name() == tag; });
}

v1::Reason Because(std::string_view feature, const Value& value, std::string_view comparison, const Value& threshold,
                   std::string text) {
  v1::Reason reason;
  reason.set_feature(std::string(feature));
  *reason.mutable_value() = ToProto(value);
  reason.set_comparison(std::string(comparison));
  if (HasValue(threshold)) *reason.mutable_threshold() = ToProto(threshold);
  reason.set_text(std::move(text));
  return reason;
}

Duration SinceActivity(const State& state, Timestamp now) { return now - FromMicros(state.last_activity_us()); }
Duration Known(const State& state, Timestamp now) { return now - FromMicros(state.first_seen_us()); }

State::LifeCycle LifeCycleAt(const State& state, const TagsOptions& options, Timestamp now) {
  const Duration silence = SinceActivity(state, now);
  if (silence >= days(options.lost_days)) return State::LOST;
  if (silence >= days(options.silent_days)) return State::SILENT;
  return Known(state, now) < days(options.new_days) ? State::NEW : State::ACTIVE;
}

v1::Reason WhyLifeCycle(const State& state, const TagsOptions& options, Timestamp now) {
  const double silence = InDays(SinceActivity(state, now)), known = InDays(Known(state, now));
  const auto silent_since = [&](int limit) {
    return Because("tags.days_since_activity", silence, ">=", static_cast<double>(limit),
                   absl::StrFormat("no activity for %.0f days", std::floor(silence)));
  };
  switch (state.life_cycle()) {
    case State::LOST: return silent_since(options.lost_days);
    case State::SILENT: return silent_since(options.silent_days);
    case State::NEW:
      return Because("tags.days_known", known, "<", static_cast<double>(options.new_days),
                     absl::StrFormat("first seen %.0f days ago", std::floor(known)));
    default:
      return Because("tags.days_known", known, ">=", static_cast<double>(options.new_days),
                     absl::StrFormat("known for %.0f days", std::floor(known)));
  }
}

}  // namespace

void Tags::Describe(Description& about) {
  about.Name("tags").About("Life cycle, buying and interest as tags, from thresholds").ReadsEverything();
  about.Writes<v1::TagChange>("tag-changes", "A tag comes or goes, with the reason");
  about.Timer(kLifeCycleTimer, "the customer falls silent, is lost, or is no longer new");
  about.Timer(kReturningTimer, "the time of returning ends");
  about.Timer(kPurchasesTimer, "an order leaves the last 90 or 365 days");
  about.Timer(kInterestsTimer, "views may leave the last 30 days");
  about.Feature<State>("life_cycle", "1", "new, active, silent or lost",
                       [](const State& s, const Moment&) { return NameOf(s.life_cycle()); });
  about.Feature<State>("first_seen", "time", "The first event of any kind",
                       [](const State& s, const Moment&) -> std::optional<Timestamp> {
                         if (s.life_cycle() == State::UNKNOWN) return std::nullopt;
                         return FromMicros(s.first_seen_us());
                       });
  about.Feature<State>("last_activity", "time", "The last event that the customer caused",
                       [](const State& s, const Moment&) -> std::optional<Timestamp> {
                         if (s.life_cycle() == State::UNKNOWN) return std::nullopt;
                         return FromMicros(s.last_activity_us());
                       });
  about.Feature<State>("days_since_activity", "days", "Time since the last activity",
                       [](const State& s, const Moment& at) { return InDays(SinceActivity(s, at.time)); });
  about.Feature<State>("days_known", "days", "Time since the first event",
                       [](const State& s, const Moment& at) { return InDays(Known(s, at.time)); });
  about.Feature<State>("returned", "time", "When a returning customer came back",
                       [](const State& s, const Moment&) -> std::optional<Timestamp> {
                         if (s.returned_us() == 0) return std::nullopt;
                         return FromMicros(s.returned_us());
                       });
  about.ItemsFeature<State>("held", {{"since", FeatureType::kTimestamp, "time", "Since when"}}, "The tags held",
                            [](const State& s, const Moment&) {
                              Items out;
                              for (const auto& held : s.held())
                                out.push_back({held.name(), {FromMicros(held.since_us())}});
                              return out;
                            });
}

absl::Status Tags::Bind(const FeatureRegistry& features) {
  if (options_.silent_days <= 0 || options_.lost_days <= options_.silent_days || options_.new_days < 0) {
    return absl::InvalidArgumentError(absl::StrCat("0 < silent_days < lost_days does not hold: silent_days ",
                                                   options_.silent_days, ", lost_days ", options_.lost_days));
  }
  if (features.Find("purchases.orders_90d").ok()) {
    PurchaseFeatures found;
    for (const auto& [name, ref] : {std::pair<const char*, FeatureRef*>{"purchases.orders_90d", &found.orders_90d},
                                    {"purchases.orders_365d", &found.orders_365d},
                                    {"purchases.spend_365d", &found.spend_365d},
                                    {"purchases.expires_90d", &found.expires_90d},
                                    {"purchases.expires_365d", &found.expires_365d}}) {
      auto feature = features.Find(name);
      if (!feature.ok()) return feature.status();
      *ref = *feature;
    }
    purchases_ = found;
  }
  const auto interests = features.Find("site.interests");
  if (!interests.ok()) return absl::OkStatus();
  interests_ = *interests;
  const auto& columns = interests_->description().columns;
  const auto it = std::find_if(columns.begin(), columns.end(), [](const auto& c) { return c.name == "views_30d"; });
  if (it == columns.end()) return absl::InvalidArgumentError("site.interests has no column views_30d");
  views_column_ = static_cast<size_t>(it - columns.begin());
  return absl::OkStatus();
}

void Tags::OnEvent(const Event& event, State& state, Context& context) const {
  if (event.has_customer_erased()) return Forget(event, state, context);
  Changes changes;
  const int64_t time_us = event.event_time_us();
  const bool first = state.life_cycle() == State::UNKNOWN, activity = IsActivity(event);
  const bool earlier = first || time_us < state.first_seen_us();
  const bool after_silence = activity && Duration(time_us - state.last_activity_us()) >= days(options_.silent_days);
  if (earlier) state.set_first_seen_us(time_us);
  if (first || (activity && time_us > state.last_activity_us())) state.set_last_activity_us(time_us);
  // Activity alone changes the life cycle of the silent only; all other changes come by timer.
  if (earlier || state.life_cycle() >= State::SILENT) {
    const State::LifeCycle was = state.life_cycle();
    FollowLifeCycle(state, context, after_silence, changes);
    if (earlier || was != state.life_cycle()) SetLifeCycleTimer(state, context);
  }
  if (!changes.empty()) CheckReturning(state, context, changes);
  if (purchases_ && IsPurchase(event)) CheckPurchases(*purchases_, state, context, changes);
  if (interests_ && IsView(event)) {
    if (state.views_to_skip() > 0) {
      state.set_views_to_skip(state.views_to_skip() - 1);
    } else {
      CheckInterests(*interests_, state, context, changes);
    }
  }
  if (!changes.empty()) Apply(std::move(changes), state, context);
}

void Tags::OnTimer(const Timer& timer, State& state, Context& context) const {
  Changes changes;
  switch (timer.id) {
    case kLifeCycleTimer:
      FollowLifeCycle(state, context, false, changes);
      SetLifeCycleTimer(state, context);
      CheckReturning(state, context, changes);
      break;
    case kReturningTimer: CheckReturning(state, context, changes); break;
    case kPurchasesTimer:
      if (purchases_) CheckPurchases(*purchases_, state, context, changes);
      break;
    case kInterestsTimer:
      if (interests_) CheckInterests(*interests_, state, context, changes);
      break;
    default: break;
  }
  if (!changes.empty()) Apply(std::move(changes), state, context);
}

void Tags::FollowLifeCycle(State& state, const Context& context, bool after_silence, Changes& changes) const {
  const State::LifeCycle was = state.life_cycle(), is = LifeCycleAt(state, options_, context.now());
  if (was == is) return;
  state.set_life_cycle(is);
  const bool was_silent = was >= State::SILENT && is < State::SILENT;
  const bool came_back = was_silent && after_silence;
  v1::Reason reason = WhyLifeCycle(state, options_, context.now());
  if (was_silent) {  // or it only seemed so, for the event came late
    reason = Because("tags.last_activity", FromMicros(state.last_activity_us()), "", {},
                     came_back ? "active again after silence" : "there was activity, told late");
  }
  if (was != State::UNKNOWN) changes.push_back({std::string(NameOf(was)), false, reason});
  changes.push_back({std::string(NameOf(is)), true, reason});
  if (!came_back) return;
  state.set_returned_us(state.last_activity_us());
  changes.push_back({"returning", true, reason});
}

void Tags::SetLifeCycleTimer(const State& state, Context& context) const {
  const Timestamp last = FromMicros(state.last_activity_us()), first = FromMicros(state.first_seen_us());
  switch (state.life_cycle()) {
    case State::NEW:
      context.SetTimer(kLifeCycleTimer, std::min(first + days(options_.new_days), last + days(options_.silent_days)));
      break;
    case State::ACTIVE: context.SetTimer(kLifeCycleTimer, last + days(options_.silent_days)); break;
    case State::SILENT: context.SetTimer(kLifeCycleTimer, last + days(options_.lost_days)); break;
    default: context.CancelTimer(kLifeCycleTimer);
  }
}

void Tags::CheckReturning(State& state, Context& context, Changes& changes) const {
  if (state.returned_us() == 0) return;
  const Timestamp end = FromMicros(state.returned_us()) + days(options_.returning_days);
  const bool silent = state.life_cycle() >= State::SILENT;
  if (!silent && context.now() < end) {
    context.SetTimer(kReturningTimer, end);
    return;
  }
  const double back = InDays(context.now() - FromMicros(state.returned_us()));
  changes.push_back({"returning", false,
                     silent ? WhyLifeCycle(state, options_, context.now())
                            : Because("tags.returned", FromMicros(state.returned_us()), "", {},
                                      absl::StrFormat("back for %.0f days", std::floor(back)))});
  state.set_returned_us(0);
  context.CancelTimer(kReturningTimer);
}

void Tags::CheckPurchases(const PurchaseFeatures& features, const State& state, Context& context,
                          Changes& changes) const {
  // Reasons are made only when there is something to give a reason for.
  const auto judge = [&](std::string_view tag, bool comes, bool stays, const auto& why) {
    const bool held = Holds(state, tag);
    if (held ? stays : !comes) return;
    changes.push_back({std::string(tag), !held, why(!held)});
  };
  const Value orders_value = context.Get(features.orders_90d), spend_value = context.Get(features.spend_365d);
  const auto orders = std::get<int64_t>(orders_value);
  const double spend = AsNumber(spend_value);
  const bool buys = AsNumber(context.Get(features.orders_365d)) >= 1;

  judge("frequent_buyer", orders >= options_.frequent_orders_90d, orders >= options_.frequent_orders_90d_keep,
        [&](bool comes) {
          return Because("purchases.orders_90d", orders, comes ? ">=" : "<",
                         comes ? options_.frequent_orders_90d : options_.frequent_orders_90d_keep,
                         absl::StrFormat("%d order%s in the last 90 days", orders, orders == 1 ? "" : "s"));
        });
  const auto by_spend = [&](std::string_view comparison, double threshold) {
    return Because("purchases.spend_365d", spend, comparison, threshold,
                   absl::StrFormat("spend of %.2f in the last 365 days", spend));
  };
  judge("high_spender", spend >= options_.high_spend_365d, spend >= options_.high_spend_365d_keep, [&](bool comes) {
    return comes ? by_spend(">=", options_.high_spend_365d) : by_spend("<", options_.high_spend_365d_keep);
  });
  judge("low_spender", buys && spend <= options_.low_spend_365d, buys && spend <= options_.low_spend_365d_keep,
        [&](bool comes) {
          if (comes) return by_spend("<=", options_.low_spend_365d);
          if (buys) return by_spend(">", options_.low_spend_365d_keep);
          return Because("purchases.orders_365d", int64_t{0}, "<", int64_t{1}, "no order in the last 365 days");
        });

  // Only a day on which something leaves a window can change these by time alone.
  std::optional<int64_t> next;
  for (const FeatureRef& feature : {features.expires_90d, features.expires_365d}) {
    const Value value = context.Get(feature);
    if (const auto* day = std::get_if<int64_t>(&value)) next = std::min(next.value_or(*day), *day);
  }
  if (next) {
    context.SetTimer(kPurchasesTimer, context.StartOf(static_cast<int32_t>(*next)));
  } else {
    context.CancelTimer(kPurchasesTimer);
  }
}

void Tags::CheckInterests(const FeatureRef& interests, State& state, Context& context, Changes& changes) const {
  const Items items = context.GetItems(interests);
  const auto views_of = [&](const Item& item) { return static_cast<int64_t>(AsNumber(item.columns[views_column_])); };
  const auto why = [&](std::string_view category, int64_t views, std::string_view comparison, int64_t threshold) {
    return Because(
        "site.interests", views, comparison, threshold,
        absl::StrFormat("%d view%s of %s in the last 30 days", views, views == 1 ? "" : "s", std::string(category)));
  };
  int held = 0;
  for (const auto& tag : state.held()) {
    const std::string_view name = tag.name();
    if (name.substr(0, kInterest.size()) != kInterest) continue;
    const std::string_view category = name.substr(kInterest.size());
    const auto it = std::find_if(items.begin(), items.end(), [&](const Item& item) { return item.name == category; });
    const int64_t views = it == items.end() ? 0 : views_of(*it);
    if (views >= options_.interest_views_30d_keep) {
      ++held;
    } else {
      changes.push_back({tag.name(), false, why(category, views, "<", options_.interest_views_30d_keep)});
    }
  }
  // A view adds to one category, so until the next can reach the threshold nothing needs to be looked at.
  int64_t missing = options_.interest_views_30d;
  for (const Item& item : items) {
    const std::string tag = absl::StrCat(std::string(kInterest), std::string(item.name));
    const int64_t views = views_of(item);
    const bool stays = views >= options_.interest_views_30d_keep && Holds(state, tag);
    if (item.name.empty() || stays || held >= kMostInterests) continue;
    if (views >= options_.interest_views_30d) {
      ++held;
      changes.push_back({tag, true, why(item.name, views, ">=", options_.interest_views_30d)});
    } else {
      missing = std::min(missing, options_.interest_views_30d - views);
    }
  }
  state.set_views_to_skip(static_cast<uint32_t>(std::max<int64_t>(1, missing) - 1));
  if (held > 0) {
    context.SetTimer(kInterestsTimer, context.StartOf(context.moment().day + 1));
  } else {
    context.CancelTimer(kInterestsTimer);
  }
}

void Tags::Forget(const Event& event, State& state, Context& context) const {
  const std::string& reason = event.customer_erased().reason();
  Changes changes;
  for (const auto& tag : state.held()) {
    changes.push_back({tag.name(), false,
                       Because("tags.held", std::string_view(tag.name()), "", {},
                               reason.empty() ? "the customer is erased" : "the customer is erased: " + reason)});
  }
  if (!changes.empty()) Apply(std::move(changes), state, context);
}

// Changes the set first and writes then, so that every change shows the same tags: those after all of them.
void Tags::Apply(Changes changes, State& state, Context& context) const {
  std::vector<v1::TagChange> results;
  for (Change& change : changes) {
    auto* held = state.mutable_held();
    const auto it = std::lower_bound(held->begin(), held->end(), change.tag,
                                     [](const auto& tag, const std::string& name) { return tag.name() < name; });
    const bool before = it != held->end() && it->name() == change.tag;
    if (before == change.after) continue;
    v1::TagChange& result = results.emplace_back();
    result.set_tag(change.tag);
    result.set_before(before);
    result.set_after(change.after);
    *result.mutable_info()->add_reasons() = std::move(change.reason);
    if (before) {
      result.set_held_since_us(it->since_us());
      held->erase(it);
    } else {
      const int at = static_cast<int>(it - held->begin());
      auto* added = held->Add();
      added->set_name(change.tag);
      added->set_since_us(ToMicros(context.now()));
      for (int i = held->size() - 1; i > at; --i) held->SwapElements(i, i - 1);
    }
  }
  for (v1::TagChange& result : results) {
    for (const auto& tag : state.held()) result.add_tags(tag.name());
    context.Emit(std::move(result));
  }
}

}  // namespace portrait
