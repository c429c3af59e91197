// The part of the operator `tags` that lets rules judge a customer, and keeps the tags that they give: of the rules in
// force, which are held, and of those in the shadow, which would be.
#include <algorithm>
#include <iterator>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "operators/insert_at.h"
#include "operators/tags.h"

namespace portrait {
namespace {

using rules::TagVerdict;

// Puts a tag into the set, or takes it out; nothing when it is so already. What it was before.
struct Replaced {
  bool held = false;
  int64_t since_us = 0;
};
std::optional<Replaced> Replace(const TagVerdict& change, Timestamp now,
                                google::protobuf::RepeatedPtrField<v1::state::HeldTag>& held) {
  const auto it = std::lower_bound(held.begin(), held.end(), change.tag,
                                   [](const auto& tag, const std::string& name) { return tag.name() < name; });
  const bool before = it != held.end() && it->name() == change.tag;
  if (before == change.after) return std::nullopt;
  if (before) {
    const Replaced was{true, it->since_us()};
    held.erase(it);
    return was;
  }
  const int at = static_cast<int>(it - held.begin());
  auto& added = InsertAt(at, held);
  added.set_name(change.tag);
  added.set_since_us(ToMicros(now));
  added.set_rule(static_cast<uint32_t>(change.rule));
  return Replaced{};
}

void Count(const TagVerdict& change, v1::state::ShadowTags& shadow, Context& context) {
  const std::string tag = TagFamily(change.tag);
  context.CountShadow(tag, change.after);
  auto& counts = *shadow.mutable_counts();
  const auto it = std::lower_bound(counts.begin(), counts.end(), tag,
                                   [](const auto& count, const std::string& name) { return count.tag() < name; });
  const bool there = it != counts.end() && it->tag() == tag;
  auto& count = there ? *it : InsertAt(static_cast<int>(it - counts.begin()), counts);
  count.set_tag(tag);
  if (change.after) {
    count.set_entries(count.entries() + 1);
  } else {
    count.set_exits(count.exits() + 1);
  }
}

// Whether a moment comes before that of a timer.
bool Sooner(const std::optional<Timestamp>& next, const std::optional<Timestamp>& timer) {
  return next && (!timer || *next < *timer);
}

}  // namespace

std::string TagFamily(std::string_view tag) {
  const size_t colon = tag.find(':');
  return colon == std::string_view::npos ? std::string(tag) : absl::StrCat(std::string(tag.substr(0, colon)), ":*");
}

void Tags::LookAtAffected(const std::vector<int32_t>& otherwise, const Side& side, Context& context) const {
  auto& seen = rules::ChangeDetector::Snapshot::OfThisThread(side.shadow != nullptr);
  if (std::exchange(seen.taken_by, nullptr) != &context) return Look(otherwise, side, context);
  side.rules.detector().After(context.features(), seen);
  if (seen.affected.empty()) return;
  JudgeBy([&](rules::Judge& judge) { return judge.Look(seen.affected); }, side, context);
}

void Tags::Look(const std::vector<int32_t>& units, const Side& side, Context& context) const {
  if (!side.judged()) return LookAnew(side, context);
  if (!units.empty()) JudgeBy([&](rules::Judge& judge) { return judge.Look(units); }, side, context);
}

void Tags::PinsChanged(std::string_view pinned, const rules::EndedPins& ended, State& state, Context& context) const {
  if (const auto end = rules::FirstEnd(state.pins())) {
    context.SetTimer(kPinTimer, *end);
  } else {
    context.CancelTimer(kPinTimer);
  }
  Settle(state, context);
  OnBothSides([&](const Side& side) { LookAtPinned(pinned, ended, side, context); }, state);
}

void Tags::LookAtPinned(std::string_view pinned, const rules::EndedPins& ended, const Side& side,
                        Context& context) const {
  if (!side.judged()) return LookAnew(side, context, ended);
  std::set<int32_t> units;
  const auto look_at = [&](std::string_view tag) {
    if (const int32_t rule = side.rules.RuleOf(tag); rule >= 0) {
      units.insert(side.rules.rules()[static_cast<size_t>(rule)].unit);
    }
  };
  if (!pinned.empty()) look_at(pinned);
  for (const rules::Ended& pin : ended) look_at(pin.tag);
  if (units.empty()) return;
  JudgeBy([&](rules::Judge& judge) { return judge.Look(std::vector<int32_t>(units.begin(), units.end())); }, side,
          context, {}, ended);
}

void Tags::SayThatPinsEnded(const rules::EndedPins& ended, const rules::RuleSet& rules,
                            std::vector<TagVerdict>& changes) const {
  const auto unit_of = [&](int32_t rule) { return rule < 0 ? -1 : rules.rules()[static_cast<size_t>(rule)].unit; };
  for (TagVerdict& change : changes) {
    const bool each = change.rule >= 0 && rules.rules()[static_cast<size_t>(change.rule)].each >= 0;
    for (const rules::Ended& pin : ended) {
      if (each ? pin.tag != change.tag : unit_of(rules.RuleOf(pin.tag)) != unit_of(change.rule)) continue;
      change.reasons.insert(change.reasons.begin(), pin.why);
    }
  }
}

template <class LookBy>
rules::Judgement Tags::Judged(LookBy look, const Side& side, const Context& context, std::optional<Timestamp> timer,
                              const rules::EndedPins& ended) const {
  rules::Evaluation evaluation(side.rules.program(), context, context.moment(), rules::Scratch::OfThisThread());
  const auto start_of = [&](int32_t day) { return context.StartOf(day); };
  rules::Judge judge(side.rules, evaluation, side.held(), start_of, timer, rules::Pins(side.state.pins(), &ended));
  return look(judge);
}

template <class LookBy>
void Tags::JudgeBy(LookBy look, const Side& side, Context& context, std::vector<TagVerdict> gone,
                   const rules::EndedPins& ended) const {
  const std::optional<Timestamp> timer = context.TimerAt(side.timer());
  rules::Judgement judgement = Judged(look, side, context, timer, ended);
  SayThatPinsEnded(ended, side.rules, judgement.changes);
  if (Sooner(judgement.next, timer)) context.SetTimer(side.timer(), *judgement.next);
  if (judgement.changes.empty() && gone.empty()) return;
  std::move(judgement.changes.begin(), judgement.changes.end(), std::back_inserter(gone));
  Apply(std::move(gone), side, context);
}

// Names are what connects the tags held with rules that have not judged them.
std::vector<TagVerdict> Tags::TakeOver(const Side& side) const {
  if (side.shadow != nullptr) {
    side.shadow->Clear();
    side.shadow->set_begun(side.begun);
    *side.shadow->mutable_held() = side.state.held();
  }
  std::vector<TagVerdict> gone;
  const auto& all = side.rules.rules();
  for (auto& tag : side.held()) {
    const int32_t rule = side.rules.RuleOf(tag.name());
    const bool of_each = tag.name().find(':') != std::string::npos;
    if (rule >= 0 && of_each == (all[static_cast<size_t>(rule)].each >= 0)) {
      tag.set_rule(static_cast<uint32_t>(rule));
    } else {
      tag.set_rule(static_cast<uint32_t>(all.size()));  // nobody's
      gone.push_back({-1, tag.name(), false, {rules::ReasonOfTags("there is no rule for this tag any more")}});
    }
  }
  side.rules.windows().Forget(side.state);
  if (side.shadow != nullptr) {
    side.shadow->set_rules(side.rules.version());
  } else {
    side.state.set_rules(side.rules.version());
  }
  return gone;
}

// The rules are not those that judged last.
void Tags::LookAnew(const Side& side, Context& context, const rules::EndedPins& ended) const {
  std::vector<TagVerdict> gone = TakeOver(side);
  context.CancelTimer(side.timer());
  JudgeBy([&](rules::Judge& judge) { return judge.Look(side.rules.All()); }, side, context, std::move(gone), ended);
}

// Of a shadow that has not begun, too, the timer of the rules in force counts: it is when the row is looked at next.
bool Tags::WouldChange(const Side& as_if, const Context& context) const {
  if (!TakeOver(as_if).empty()) return true;
  const auto all = [&](rules::Judge& judge) { return judge.Look(as_if.rules.All()); };
  const std::optional<Timestamp> timer = context.TimerAt(kRulesTimer);
  const rules::Judgement judgement = Judged(all, as_if, context, timer);
  return !judgement.changes.empty() || Sooner(judgement.next, timer);
}

bool Tags::HasStaleShadow(const State& state) const {
  return state.has_shadow() && (!shadow_ || state.shadow().begun() != options_.shadow_begun);
}

bool Tags::Settle(State& state, Context& context) const {
  if (!HasStaleShadow(state)) return false;
  const bool promoted = state.rules() != rules_->version() && state.shadow().rules() == rules_->version();
  context.CancelTimer(kShadowTimer);
  if (promoted) Promote(state, context);
  state.clear_shadow();
  rules_->windows().Forget(state);
  return promoted;
}

// Told are the tags that differ from those held so far, whatever they did in the shadow meanwhile.
void Tags::Promote(State& state, Context& context) const {
  HeldTags held = std::move(*state.mutable_held());
  *state.mutable_held() = state.shadow().held();
  state.set_rules(rules_->version());
  context.CancelTimer(kRulesTimer);
  const Side side = InForce(state);
  const auto all = [&](rules::Judge& judge) { return judge.Look(rules_->All()); };
  const rules::Judgement judgement = Judged(all, side, context, std::nullopt);
  if (judgement.next) context.SetTimer(kRulesTimer, *judgement.next);
  for (const TagVerdict& change : judgement.changes) Replace(change, context.now(), side.held());
  std::vector<TagVerdict> changes = Differences(held, state, context);
  HeldTags known = std::move(*state.mutable_held());
  *state.mutable_held() = std::move(held);
  Apply(std::move(changes), side, context);
  *state.mutable_held() = std::move(known);
}

std::vector<TagVerdict> Tags::Differences(const HeldTags& before, const State& state, const Context& context) const {
  rules::Evaluation evaluation(rules_->program(), context, context.moment(), rules::Scratch::OfThisThread());
  const auto start_of = [](int32_t) { return Timestamp(); };  // nobody asks when
  rules::Judge judge(*rules_, evaluation, state.held(), start_of, std::nullopt, rules::Pins(state.pins()));
  const auto has = [](const HeldTags& tags, const std::string& name) {
    return std::any_of(tags.begin(), tags.end(), [&](const auto& tag) { return tag.name() == name; });
  };
  std::vector<TagVerdict> changes;
  const auto add = [&](const std::string& tag, bool after) {
    const auto rule = RuleFor(tag);
    const size_t colon = tag.find(':');
    const std::string_view item = colon == std::string::npos ? "" : std::string_view(tag).substr(colon + 1);
    auto why = rule.ok() ? judge.Explain(*rule, item).reasons
                         : std::vector<v1::Reason>{rules::ReasonOfTags("there is no rule for this tag any more")};
    changes.push_back({rule.ok() ? *rule : -1, tag, after, std::move(why)});
  };
  for (const auto& tag : before) {
    if (!has(state.held(), tag.name())) add(tag.name(), false);
  }
  for (const auto& tag : state.held()) {
    if (!has(before, tag.name())) add(tag.name(), true);
  }
  return changes;
}

// Changes the set first and writes then, so that every change shows the same tags: those after all of them.
void Tags::Apply(std::vector<TagVerdict> changes, const Side& side, Context& context) const {
  std::vector<v1::TagChange> results;
  for (TagVerdict& change : changes) {
    const std::optional<Replaced> was = Replace(change, context.now(), side.held());
    if (!was) continue;
    if (side.shadow != nullptr) {
      Count(change, *side.shadow, context);
      continue;
    }
    v1::TagChange& result = results.emplace_back();
    result.set_tag(change.tag);
    result.set_before(was->held);
    result.set_after(change.after);
    result.set_rules(side.rules.VersionText());
    if (change.rule >= 0) result.set_about(side.rules.rules()[static_cast<size_t>(change.rule)].rule.about);
    for (v1::Reason& reason : change.reasons) *result.mutable_info()->add_reasons() = std::move(reason);
    if (was->held) result.set_held_since_us(was->since_us);
  }
  for (v1::TagChange& result : results) {
    for (const auto& tag : side.held()) result.add_tags(tag.name());
    context.Emit(std::move(result));
  }
}

}  // namespace portrait
