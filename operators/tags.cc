#include "operators/tags.h"

#include <algorithm>
#include <iterator>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "operators/chain.h"
#include "operators/nearest_name.h"
#include "operators/optional_time.h"

namespace portrait {
namespace {

using State = v1::state::Tags;
using rules::TagVerdict;

constexpr uint32_t kRulesTimer = 1;
constexpr uint32_t kPinTimer = 2;

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

v1::Reason InWords(std::string text) {
  v1::Reason reason;
  reason.set_feature("tags.held");
  reason.set_text(std::move(text));
  return reason;
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
      .LooksBeforeEvents();
  about.Writes<v1::TagChange>("tag-changes", "A tag comes or goes, with the reasons");
  about.Timer(kRulesTimer, "time alone may change what a rule says");
  about.Timer(kPinTimer, "a pin ends");
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
  std::vector<rules::Rule> written;
  if (options_.rules) {
    auto given = options_.rules(features);
    if (!given.ok()) return given.status();
    written = *std::move(given);
  }
  auto compiled = rules::RuleSet::Compile(std::move(written), features);
  if (!compiled.ok()) return compiled.status();
  rules_ = *std::move(compiled);
  return absl::OkStatus();
}

void Tags::BeforeEvent(const Event& event, const State& state, const Context& context) const {
  auto& seen = rules::ChangeDetector::Snapshot::OfThisThread();
  seen.event = nullptr;
  if (state.rules() != rules_->version()) return;  // all will be looked at
  rules_->detector().Before(event.body_case(), context.features(), seen);
  seen.event = &event;
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
  auto& seen = rules::ChangeDetector::Snapshot::OfThisThread();
  if (std::exchange(seen.event, nullptr) != &event) return Look(rules_->All(), state, context);
  rules_->detector().After(context.features(), seen);
  if (seen.affected.empty()) return;
  JudgeBy([&](rules::Judge& judge) { return judge.Look(seen.affected); }, state, context);
}

void Tags::OnTimer(const Timer& timer, State& state, Context& context) const {
  if (timer.id != kPinTimer) return Look(rules_->Timed(), state, context);
  rules::EndedPins ended;
  rules::RemoveOverPins(context.now(), *state.mutable_pins(), ended);
  PinsChanged({}, ended, state, context);
}

void Tags::OnChange(Slot changed, State& state, Context& context) const {
  Look(rules_->detector().ReadersOf(changed), state, context);
}

void Tags::Look(const std::vector<int32_t>& units, State& state, Context& context) const {
  if (state.rules() != rules_->version()) return LookAnew(state, context);
  if (!units.empty()) JudgeBy([&](rules::Judge& judge) { return judge.Look(units); }, state, context);
}

void Tags::PinsChanged(std::string_view pinned, const rules::EndedPins& ended, State& state, Context& context) const {
  if (const auto end = rules::FirstEnd(state.pins())) {
    context.SetTimer(kPinTimer, *end);
  } else {
    context.CancelTimer(kPinTimer);
  }
  if (state.rules() != rules_->version()) return LookAnew(state, context, ended);
  std::set<int32_t> units;
  const auto look_at = [&](std::string_view tag) {
    if (const int32_t rule = rules_->RuleOf(tag); rule >= 0) {
      units.insert(rules_->rules()[static_cast<size_t>(rule)].unit);
    }
  };
  if (!pinned.empty()) look_at(pinned);
  for (const rules::Ended& pin : ended) look_at(pin.tag);
  if (units.empty()) return;
  JudgeBy([&](rules::Judge& judge) { return judge.Look(std::vector<int32_t>(units.begin(), units.end())); }, state,
          context, {}, ended);
}

void Tags::SayThatPinsEnded(const rules::EndedPins& ended, std::vector<TagVerdict>& changes) const {
  const auto unit_of = [&](int32_t rule) { return rule < 0 ? -1 : rules_->rules()[static_cast<size_t>(rule)].unit; };
  for (TagVerdict& change : changes) {
    const bool each = change.rule >= 0 && rules_->rules()[static_cast<size_t>(change.rule)].each >= 0;
    for (const rules::Ended& pin : ended) {
      if (each ? pin.tag != change.tag : unit_of(rules_->RuleOf(pin.tag)) != unit_of(change.rule)) continue;
      change.reasons.insert(change.reasons.begin(), pin.why);
    }
  }
}

template <class LookBy>
rules::Judgement Tags::Judged(LookBy look, const State& state, const Context& context,
                              const rules::EndedPins& ended) const {
  rules::Evaluation evaluation(rules_->program(), context, context.moment(), rules::Scratch::OfThisThread());
  const auto start_of = [&](int32_t day) { return context.StartOf(day); };
  rules::Judge judge(*rules_, evaluation, state.held(), start_of, context.TimerAt(kRulesTimer),
                     rules::Pins(state.pins(), &ended));
  return look(judge);
}

bool Tags::Sooner(const std::optional<Timestamp>& next, const Context& context) {
  const std::optional<Timestamp> timer = context.TimerAt(kRulesTimer);
  return next && (!timer || *next < *timer);
}

template <class LookBy>
void Tags::JudgeBy(LookBy look, State& state, Context& context, std::vector<TagVerdict> gone,
                   const rules::EndedPins& ended) const {
  rules::Judgement judgement = Judged(look, state, context, ended);
  SayThatPinsEnded(ended, judgement.changes);
  if (Sooner(judgement.next, context)) context.SetTimer(kRulesTimer, *judgement.next);
  if (judgement.changes.empty() && gone.empty()) return;
  std::move(judgement.changes.begin(), judgement.changes.end(), std::back_inserter(gone));
  Apply(std::move(gone), state, context);
}

// Names are what connects the tags held with rules that have not judged them.
std::vector<TagVerdict> Tags::TakeOver(State& state) const {
  std::vector<TagVerdict> gone;
  for (auto& tag : *state.mutable_held()) {
    const int32_t rule = rules_->RuleOf(tag.name());
    const bool of_each = tag.name().find(':') != std::string::npos;
    if (rule >= 0 && of_each == (rules_->rules()[static_cast<size_t>(rule)].each >= 0)) {
      tag.set_rule(static_cast<uint32_t>(rule));
    } else {
      tag.set_rule(static_cast<uint32_t>(rules_->rules().size()));  // nobody's
      gone.push_back({-1, tag.name(), false, {InWords("there is no rule for this tag any more")}});
    }
  }
  rules_->windows().Forget(state);
  state.set_rules(rules_->version());
  return gone;
}

// The rules are not those that judged last.
void Tags::LookAnew(State& state, Context& context, const rules::EndedPins& ended) const {
  std::vector<TagVerdict> gone = TakeOver(state);
  context.CancelTimer(kRulesTimer);
  JudgeBy([&](rules::Judge& judge) { return judge.Look(rules_->All()); }, state, context, std::move(gone), ended);
}

// A timer that the rules before have left may come too early, which does no harm: it looks anew, then.
bool Tags::Reconsiders(const State& state, const Context& context) const {
  if (state.rules() == rules_->version()) return false;
  State as_if = state;
  if (!TakeOver(as_if).empty()) return true;
  const auto all = [&](rules::Judge& judge) { return judge.Look(rules_->All()); };
  const rules::Judgement judgement = Judged(all, as_if, context);
  return !judgement.changes.empty() || Sooner(judgement.next, context);
}

void Tags::OnSwitch(State& state, Context& context) const { Look(rules_->All(), state, context); }

void Tags::Forget(const Event& event, State& state, Context& context) const {
  const std::string& reason = event.customer_erased().reason();
  std::vector<TagVerdict> changes;
  for (const auto& tag : state.held()) {
    changes.push_back({-1,
                       tag.name(),
                       false,
                       {InWords(reason.empty() ? "the customer is erased" : "the customer is erased: " + reason)}});
  }
  if (!changes.empty()) Apply(std::move(changes), state, context);
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

// Changes the set first and writes then, so that every change shows the same tags: those after all of them.
void Tags::Apply(std::vector<TagVerdict> changes, State& state, Context& context) const {
  std::vector<v1::TagChange> results;
  for (TagVerdict& change : changes) {
    auto* held = state.mutable_held();
    const auto it = std::lower_bound(held->begin(), held->end(), change.tag,
                                     [](const auto& tag, const std::string& name) { return tag.name() < name; });
    const bool before = it != held->end() && it->name() == change.tag;
    if (before == change.after) continue;
    v1::TagChange& result = results.emplace_back();
    result.set_tag(change.tag);
    result.set_before(before);
    result.set_after(change.after);
    result.set_rules(rules_->VersionText());
    if (change.rule >= 0) result.set_about(rules_->rules()[static_cast<size_t>(change.rule)].rule.about);
    for (v1::Reason& reason : change.reasons) *result.mutable_info()->add_reasons() = std::move(reason);
    if (before) {
      result.set_held_since_us(it->since_us());
      held->erase(it);
    } else {
      const int at = static_cast<int>(it - held->begin());
      auto* added = held->Add();
      added->set_name(change.tag);
      added->set_since_us(ToMicros(context.now()));
      added->set_rule(static_cast<uint32_t>(change.rule));
      for (int i = held->size() - 1; i > at; --i) held->SwapElements(i, i - 1);
    }
  }
  for (v1::TagChange& result : results) {
    for (const auto& tag : state.held()) result.add_tags(tag.name());
    context.Emit(std::move(result));
  }
}

TagsOfChain::TagsOfChain(const Chain& chain) {
  for (size_t i = 0; i < chain.operators().size(); ++i) {
    if (const auto* tags = dynamic_cast<const Tags*>(chain.operators()[i].op.get())) {
      op = tags;
      slot = static_cast<Slot>(i + 1);
    }
  }
}

}  // namespace portrait
