#include "operators/tags.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "operators/chain.h"
#include "operators/nearest_name.h"
#include "operators/optional_time.h"

namespace portrait {
namespace {

using State = v1::state::Tags;

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

// Handled without asking which features have changed.
bool IsOfTags(const Event& event) {
  return event.has_customer_erased() || event.has_tag_pinned() || event.has_tag_unpinned();
}

void NoteActivity(const Event& event, int silent_days, State& state) {
  const int64_t time_us = event.event_time_us();
  const bool first = !state.has_first_seen_us();
  if (first || time_us < state.first_seen_us()) state.set_first_seen_us(time_us);
  if (!first && !IsActivity(event)) return;
  if (!first && Duration(time_us - state.last_activity_us()) >= days(silent_days)) state.set_returned_us(time_us);
  if (first || time_us > state.last_activity_us()) state.set_last_activity_us(time_us);
}

std::optional<double> DaysSince(bool known, int64_t time_us, const Moment& at) {
  return known ? std::optional<double>(InDays(at.time - FromMicros(time_us))) : std::nullopt;
}

}  // namespace

void Tags::Describe(Description& about) {
  about.Name("tags")
      .About("Tags by rules, and a customer's activity as a whole")
      .ReadsEverything()
      .FollowsTimers()
      .FollowsSwitches()
      .LooksBefore();
  about.Writes<v1::TagChange>("tag-changes", "A tag comes or goes, with the reasons");
  about.Timer(kRulesTimer, "time alone may change what a rule says");
  about.Timer(kPinTimer, "a pin ends");
  about.Timer(kShadowTimer, "time alone may change what a rule in the shadow says");
  about.Feature<State>("first_seen", "time", "The first event of any kind",
                       [](const State& s) { return TimeIf(s.has_first_seen_us(), s.first_seen_us()); });
  about.Feature<State>("last_activity", "time", "The last event that the customer caused",
                       [](const State& s) { return TimeIf(s.has_last_activity_us(), s.last_activity_us()); });
  about.Feature<State>(
      "days_since_activity", "days", "Time since the last activity",
      [](const State& s, const Moment& at) { return DaysSince(s.has_last_activity_us(), s.last_activity_us(), at); },
      OverTime::Runs());
  about.Feature<State>(
      "days_known", "days", "Time since the first event",
      [](const State& s, const Moment& at) { return DaysSince(s.has_first_seen_us(), s.first_seen_us(), at); },
      OverTime::Runs());
  about.Feature<State>("returned", "time", "When the customer last came back from a long silence (tags.silent)",
                       [](const State& s) { return TimeIf(s.returned_us() != 0, s.returned_us()); });
  about.ItemsFeature<State>("held", {{"since", FeatureType::kTimestamp, "time", "Since when"}}, "The tags held",
                            [](const State& s) {
                              Items out;
                              for (const auto& held : s.held())
                                out.push_back({held.name(), {FromMicros(held.since_us())}});
                              return out;
                            });
}

absl::Status Tags::Bind(const FeatureRegistry& features) {
  if (options_.silent_days <= 0) {
    return absl::InvalidArgumentError(absl::StrCat("silent_days must be above 0: ", options_.silent_days));
  }
  const auto windows = std::make_shared<rules::EventWindows>(features);
  auto in_force = Compile(options_.rules, features, windows);
  if (!in_force.ok()) return in_force.status();
  rules_ = *std::move(in_force);
  if (!options_.shadow) return absl::OkStatus();
  auto shadow = Compile(options_.shadow, features, windows);
  if (!shadow.ok())
    return absl::Status(shadow.status().code(), absl::StrCat("in the shadow: ", shadow.status().message()));
  shadow_ = *std::move(shadow);
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<const rules::RuleSet>> Tags::Compile(
    const rules::RuleSource& source, const FeatureRegistry& features,
    std::shared_ptr<rules::EventWindows> windows) const {
  std::vector<rules::Rule> written;
  if (source) {
    auto given = source(features);
    if (!given.ok()) return given.status();
    written = *std::move(given);
  }
  return rules::RuleSet::Compile(std::move(written), features, std::move(windows));
}

void Tags::BeforeEvent(const Event& event, const State& state, const Context& context) const {
  if (IsOfTags(event)) return;
  using Watched = rules::ChangeDetector::Watched;
  const auto watched = [&](const rules::ChangeDetector& of) -> const Watched& {
    return of.WatchedBy(event.body_case());
  };
  Watch(watched, state, context);
}

void Tags::BeforeTimer(Slot slot, const State& state, const Context& context) const {
  using Watched = rules::ChangeDetector::Watched;
  const auto watched = [&](const rules::ChangeDetector& of) -> const Watched& { return of.WatchedByTimersOf(slot); };
  Watch(watched, state, context);
}

template <class Watched>
void Tags::Watch(Watched watched, const State& state, const Context& context) const {
  const auto watch = [&](const rules::RuleSet& rules, bool judged, rules::ChangeDetector::Snapshot& seen) {
    seen.taken_by = nullptr;
    if (!judged) return;  // all will be looked at
    rules.detector().Before(watched(rules.detector()), context.features(), seen);
    seen.taken_by = &context;
  };
  using Snapshot = rules::ChangeDetector::Snapshot;
  watch(*rules_, state.rules() == rules_->version(), Snapshot::OfThisThread());
  if (shadow_) {
    // Ahead of a late event or timer the tags are not what they would be at its moment, which the comparison takes for
    // granted.
    const bool judged =
        state.has_shadow() && !HasStaleShadow(state) && state.shadow().judged_us() <= ToMicros(context.now());
    watch(*shadow_, judged, Snapshot::OfThisThread(/*shadow=*/true));
  }
}

void Tags::OnEvent(const Event& event, State& state, Context& context) const {
  if (event.has_customer_erased()) return Forget(event, state, context);
  rules::EndedPins ended;
  if (event.has_tag_pinned()) {
    if (!rules::SetPin(event.tag_pinned(), context.now(), *state.mutable_pins(), ended)) return;
    return PinsChanged(event.tag_pinned().tag(), ended, state, context);
  }
  if (event.has_tag_unpinned()) {
    rules::RemovePin(event.tag_unpinned(), *state.mutable_pins(), ended);
    return PinsChanged({}, ended, state, context);
  }
  NoteActivity(event, options_.silent_days, state);
  rules_->windows().Take(event, context, state);
  Settle(state, context);
  OnBothSides([&](const Side& side) { LookAtAffected(side.rules.All(), side, context); }, state);
}

void Tags::OnTimer(const Timer& timer, State& state, Context& context) const {
  if (timer.id == kPinTimer) {
    rules::EndedPins ended;
    rules::RemoveOverPins(context.now(), *state.mutable_pins(), ended);
    return PinsChanged({}, ended, state, context);
  }
  const bool promoted = Settle(state, context);
  if (timer.id == kShadowTimer) {
    if (!promoted) context.StayAside();
    if (!shadow_) return;
    Look(shadow_->Timed(), Shadow(state), context);
    state.mutable_shadow()->set_judged_us(ToMicros(context.now()));
    return;
  }
  OnBothSides(
      [&](const Side& side) {
        if (side.shadow == nullptr || !side.judged()) Look(side.rules.Timed(), side, context);
      },
      state);
}

void Tags::OnChange(Slot changed, State& state, Context& context) const {
  Settle(state, context);
  OnBothSides([&](const Side& side) { LookAtAffected(side.rules.detector().ReadersOf(changed), side, context); },
              state);
}

// A timer that the rules before have left may come too early, which does no harm: it looks anew, then.
bool Tags::Reconsiders(const State& state, const Context& context) const {
  if (HasStaleShadow(state)) return true;
  const bool in_force = state.rules() != rules_->version(), shadow = shadow_ && !state.has_shadow();
  if (!in_force && !shadow) return false;
  State as_if = state;
  return (shadow && WouldChange(Shadow(as_if), context)) || (in_force && WouldChange(InForce(as_if), context));
}

void Tags::OnSwitch(State& state, Context& context) const {
  bool in_force = state.rules() != rules_->version();
  if (in_force && shadow_ && !HasStaleShadow(state)) {  // asked for the sake of the shadow, perhaps
    State as_if = state;
    in_force = WouldChange(InForce(as_if), context);
  }
  if (!in_force) context.StayAside();
  Settle(state, context);
  OnBothSides(
      [&](const Side& side) {
        if (side.judged() || (side.shadow == nullptr && !in_force)) return;
        LookAnew(side, context);
        if (side.shadow != nullptr) side.shadow->set_judged_us(ToMicros(context.now()));
      },
      state);
}

void Tags::Forget(const Event& event, State& state, Context& context) const {
  const std::string& reason = event.customer_erased().reason();
  std::vector<rules::TagVerdict> changes;
  for (const auto& tag : state.held()) {
    changes.push_back(
        {-1,
         tag.name(),
         false,
         {rules::ReasonOfTags(reason.empty() ? "the customer is erased" : "the customer is erased: " + reason)}});
  }
  if (!changes.empty()) Apply(std::move(changes), InForce(state), context);
}

absl::StatusOr<int32_t> Tags::RuleFor(std::string_view tag) const {
  const int32_t rule = rules_->RuleOf(tag);
  const size_t colon = tag.find(':');
  if (rule < 0) {
    std::vector<std::string_view> names;
    for (const auto& c : rules_->rules()) names.push_back(c.rule.tag);
    return absl::NotFoundError(
        absl::StrCat("no rule gives this tag", DidYouMean(tag.substr(0, colon), names), ": ", std::string(tag)));
  }
  const rules::Rule& written = rules_->rules()[static_cast<size_t>(rule)].rule;
  if (written.each.empty() != (colon == std::string_view::npos)) {
    return absl::NotFoundError(
        written.each.empty() ? absl::StrCat("the tag has no elements; ask for ", written.tag, ": ", std::string(tag))
                             : absl::StrCat("one tag for each of ", written.each, "; ask for ", written.tag,
                                            ":NAME: ", std::string(tag)));
  }
  return rule;
}

absl::StatusOr<rules::Judge::Standing> Tags::Explain(std::string_view tag, const State& state,
                                                     const FeatureReader& reader, const Moment& at) const {
  const auto rule = RuleFor(tag);
  if (!rule.ok()) return rule.status();
  const size_t colon = tag.find(':');
  rules::Evaluation evaluation(rules_->program(), reader, at, rules::Scratch::OfThisThread());
  const auto start_of = [](int32_t) { return Timestamp(); };  // nobody asks when
  return rules::Judge(*rules_, evaluation, state.held(), start_of, std::nullopt, rules::Pins(state.pins()))
      .Explain(*rule, colon == std::string_view::npos ? std::string_view() : tag.substr(colon + 1));
}

TagsOfChain::TagsOfChain(const Chain& chain) {
  for (size_t i = 0; i < chain.operators().size(); ++i) {
    if (const auto* tags = dynamic_cast<const Tags*>(chain.operators()[i].op.get())) {
      op = tags;
      slot = static_cast<Slot>(i + 1);
    }
  }
}

void Tags::Fetch(const State& state, Fetcher& fetch) const {
  fetch.Each(state.held());
  fetch.Each(state.windows(), [&](const v1::state::EventWindow& window) { fetch.Text(window.counts()); });
}

}  // namespace portrait
