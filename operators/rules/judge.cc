#include "operators/rules/judge.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "operators/rules/explanation.h"

namespace portrait::rules {
namespace {

using v1::state::HeldTag;

// Reused by all customers that a thread judges.
std::vector<uint64_t>& HeldRulesOfThisThread() {
  thread_local std::vector<uint64_t> words;
  return words;
}

v1::Reason InWords(std::string text) {
  v1::Reason reason;
  reason.set_text(std::move(text));
  return reason;
}

std::string_view ItemOf(const std::string& tag) {
  const size_t colon = tag.find(':');
  return colon == std::string::npos ? std::string_view() : std::string_view(tag).substr(colon + 1);
}

const Item* ItemNamed(const Items& items, std::string_view name) {
  const auto it = std::find_if(items.begin(), items.end(), [&](const Item& item) { return item.name == name; });
  return it == items.end() ? nullptr : &*it;
}

}  // namespace

Judge::Judge(const RuleSet& set, Evaluation& evaluation, const HeldTags& held, NextChange::StartOfDay start_of,
             std::optional<Timestamp> timer, Pins pins)
    : set_(set),
      evaluation_(evaluation),
      held_(held),
      start_of_(start_of),
      within_day_(timer && *timer <= start_of(evaluation.now().day + 1)),
      pins_(pins),
      held_rules_(HeldRulesOfThisThread()) {
  held_rules_.assign(set_.rules().size() / 64 + 1, 0);
  for (const HeldTag& tag : held_) held_rules_[tag.rule() / 64] |= uint64_t{1} << tag.rule() % 64;
}

Judgement Judge::Look(const std::vector<int32_t>& units) {
  for (const int32_t unit : units) LookAtUnit(unit);
  return std::move(out_);
}

Judgement Judge::Look(const Affected& affected) {
  for (const int32_t unit : affected.units) LookAtUnit(unit);
  for (const auto& [unit, list] : affected.elements) {
    LookAtElements(set_.units()[static_cast<size_t>(unit)].front(), affected);
  }
  return std::move(out_);
}

void Judge::LookAtUnit(int32_t number) {
  const RuleSet::Unit& unit = set_.units()[static_cast<size_t>(number)];
  const Compiled& first = set_.rules()[static_cast<size_t>(unit.front())];
  if (first.each >= 0) {
    LookAtEach(unit.front());
  } else if (first.rule.group.empty()) {
    LookAtOne(unit.front());
  } else {
    LookAtGroup(unit);
  }
}

const HeldTag* Judge::HeldOf(int32_t rule) const {
  if (!IsHeld(rule)) return nullptr;
  const auto it = std::find_if(held_.begin(), held_.end(),
                               [&](const HeldTag& tag) { return static_cast<int32_t>(tag.rule()) == rule; });
  return it == held_.end() ? nullptr : &*it;
}

const HeldTag* Judge::HeldOf(int32_t rule, std::string_view item) const {
  if (!IsHeld(rule)) return nullptr;
  const auto it = std::find_if(held_.begin(), held_.end(), [&](const HeldTag& tag) {
    return static_cast<int32_t>(tag.rule()) == rule && ItemOf(tag.name()) == item;
  });
  return it == held_.end() ? nullptr : &*it;
}

void Judge::See(const HeldTag* held) {
  evaluation_.SetSince(held == nullptr ? std::optional<Timestamp>() : FromMicros(held->since_us()));
}

bool Judge::Has(const Compiled& c, const HeldTag* held) {
  if (held != nullptr && pins_.Brought(*held)) held = nullptr;  // it has to earn its place
  See(held);
  if (c.unless && evaluation_.Holds(*c.unless)) return false;
  if (c.until && evaluation_.Holds(*c.until)) return false;
  return (held != nullptr && c.until) || !c.when || evaluation_.Holds(*c.when);
}

// Of what has the tag: when the first of its conditions changes. Of what has it not: when the last of those that stand
// in the way does.
Timestamp Judge::NextOf(const Compiled& c, bool held) {
  struct Condition {
    std::optional<int32_t> node;
    bool wanted;
  };
  const Condition conditions[] = {{held && c.until ? std::nullopt : c.when, true}, {c.unless, false}, {c.until, false}};
  constexpr Timestamp kNothing = Timestamp::min();  // is in the way
  Timestamp first = kNever, last = kNothing;
  for (const Condition& condition : conditions) {
    if (!condition.node) continue;
    const Timestamp next = set_.next_change().Of(evaluation_, *condition.node, start_of_, within_day_);
    if (evaluation_.Holds(*condition.node) == condition.wanted) {
      first = std::min(first, next);
    } else {
      last = std::max(last, next);
    }
  }
  return last == kNothing ? first : last;
}

std::vector<v1::Reason> Judge::Why(const Compiled& c, const HeldTag* held, bool has) {
  if (held != nullptr && pins_.Brought(*held)) held = nullptr;
  See(held);
  std::vector<v1::Reason> reasons;
  if (!has && c.unless && evaluation_.Holds(*c.unless)) {
    reasons = rules::Explain(evaluation_, *c.unless);
  } else if (c.when && !c.until) {
    reasons = rules::Explain(evaluation_, *c.when);
  } else if (c.when && held == nullptr && (has || !evaluation_.Holds(*c.when))) {
    reasons = rules::Explain(evaluation_, *c.when);  // what made it come, or what is missing for it
  } else if (c.until) {
    reasons = rules::Explain(evaluation_, *c.until);
  }
  if (reasons.empty()) reasons.push_back(InWords(c.rule.about.empty() ? "by its rule" : c.rule.about));
  return reasons;
}

void Judge::Change(int32_t rule, std::string tag, bool after, std::vector<v1::Reason> reasons) {
  out_.changes.push_back({rule, std::move(tag), after, std::move(reasons)});
}

void Judge::Next(Timestamp at) {
  if (at != kNever && (!out_.next || at < *out_.next)) out_.next = at;
}

const v1::state::PinnedTag* Judge::PinOf(int32_t rule) const {
  return pins_.empty() ? nullptr : pins_.Of(set_.rules()[static_cast<size_t>(rule)].rule.tag);
}

// Time changes nothing about it: the pin's end has a timer of its own.
bool Judge::LookAtPinned(int32_t rule, std::string tag, const v1::state::PinnedTag& pin, bool held) {
  if (held == pin.absent()) Change(rule, std::move(tag), !pin.absent(), {PinReason(pin)});
  return !pin.absent();
}

void Judge::LookAtOne(int32_t rule) {
  const Compiled& c = set_.rules()[static_cast<size_t>(rule)];
  const HeldTag* const held = HeldOf(rule);
  if (const auto* pin = PinOf(rule)) {
    LookAtPinned(rule, c.rule.tag, *pin, held != nullptr);
    return;
  }
  const bool has = Has(c, held);
  if (has != (held != nullptr)) {
    Change(rule, c.rule.tag, has, Why(c, held, has));
    evaluation_.SetSince(has ? std::optional<Timestamp>(evaluation_.now().time) : std::nullopt);
  } else {
    See(held);
  }
  Next(NextOf(c, has));
}

// Of an element that the list has, or no longer has; returns whether the customer has its tag now, by the rule.
// `full`: no more tags of this rule.
bool Judge::LookAtElement(int32_t rule, std::string_view name, const Item* item, const HeldTag* held, bool full) {
  const Compiled& c = set_.rules()[static_cast<size_t>(rule)];
  if (!pins_.empty()) {
    std::string tag = absl::StrCat(c.rule.tag, ":", std::string(name));
    if (const auto* pin = pins_.Of(tag)) {
      LookAtPinned(rule, std::move(tag), *pin, held != nullptr);
      return false;  // it does not count among those that a rule may give
    }
  }
  if (item == nullptr) {
    if (held == nullptr) return false;
    const FeatureDescription& list = evaluation_.program().features[static_cast<size_t>(c.each)].description();
    v1::Reason gone = InWords(absl::StrCat(std::string(name), " is no longer among ", list.name));
    gone.set_feature(list.name);
    Change(rule, held->name(), false, {std::move(gone)});
    return false;
  }
  if (held == nullptr && (full || name.empty())) return false;
  evaluation_.SetItem(0, item);
  const bool has = Has(c, held);
  if (has != (held != nullptr)) {
    Change(rule, held != nullptr ? held->name() : absl::StrCat(c.rule.tag, ":", std::string(name)), has,
           Why(c, held, has));
    evaluation_.SetSince(has ? std::optional<Timestamp>(evaluation_.now().time) : std::nullopt);
  } else {
    See(held);
  }
  Next(NextOf(c, has));
  evaluation_.SetItem(0, nullptr);
  return has;
}

// Tags held come first, so that they stay where there are more elements than a rule may give tags.
void Judge::LookAtEach(int32_t rule) {
  const Items& items = evaluation_.ItemsOf(set_.rules()[static_cast<size_t>(rule)].each);
  int held_now = 0;
  if (IsHeld(rule)) {
    for (const HeldTag& tag : held_) {
      if (static_cast<int32_t>(tag.rule()) != rule) continue;
      const std::string_view name = ItemOf(tag.name());
      held_now += LookAtElement(rule, name, ItemNamed(items, name), &tag, false) ? 1 : 0;
    }
  }
  const std::string& tag = set_.rules()[static_cast<size_t>(rule)].rule.tag;
  const auto pinned = [&](std::string_view name) {
    return !pins_.empty() && pins_.Of(absl::StrCat(tag, ":", std::string(name))) != nullptr;
  };
  for (const auto& pin : pins_.all()) {
    const std::string_view name = ItemOf(pin.tag());
    if (set_.RuleOf(pin.tag()) != rule || name.empty()) continue;
    if (HeldOf(rule, name) == nullptr) LookAtElement(rule, name, nullptr, nullptr, false);
  }
  for (const Item& item : items) {
    if (HeldOf(rule, item.name) != nullptr || pinned(item.name)) continue;
    held_now += LookAtElement(rule, item.name, &item, nullptr, held_now >= kMostTagsOfARule) ? 1 : 0;
  }
}

// Of lists so short that there is a tag for each of their elements.
void Judge::LookAtElements(int32_t rule, const Affected& affected) {
  const int32_t list = set_.rules()[static_cast<size_t>(rule)].each;
  for (const Affected::Element& element : affected.changed) {
    if (element.list != list) continue;
    LookAtElement(rule, element.name, element.now ? &*element.now : nullptr, HeldOf(rule, element.name), false);
  }
}

std::optional<int32_t> Judge::PinnedWinnerOf(const RuleSet::Unit& unit) const {
  if (pins_.empty()) return std::nullopt;
  std::optional<int32_t> winner;
  int64_t since_us = 0;
  for (const int32_t rule : unit) {
    const auto* pin = PinOf(rule);
    if (pin == nullptr || pin->absent() || (winner && pin->since_us() <= since_us)) continue;
    winner = rule;
    since_us = pin->since_us();
  }
  return winner;
}

// The first whose rule gives or keeps its tag; the last of a group has no condition.
int32_t Judge::WinnerOf(const RuleSet::Unit& unit) {
  if (const auto pinned = PinnedWinnerOf(unit)) return *pinned;
  return *std::find_if(unit.begin(), unit.end() - 1, [this](int32_t rule) {
    return PinOf(rule) == nullptr && Has(set_.rules()[static_cast<size_t>(rule)], HeldOf(rule));
  });
}

void Judge::LookAtGroup(const RuleSet::Unit& unit) {
  const int32_t winner = WinnerOf(unit);
  std::vector<v1::Reason> why;  // one story for both changes: what made the one go made the other come
  for (const int32_t rule : unit) {
    if (IsHeld(rule) == (rule == winner)) continue;
    if (why.empty()) why = WhyInGroup(unit, winner);
    Change(rule, set_.rules()[static_cast<size_t>(rule)].rule.tag, rule == winner, why);
  }
  if (PinnedWinnerOf(unit)) return;
  for (const int32_t rule : unit) {
    if (rule != winner && PinOf(rule) != nullptr) continue;
    const HeldTag* const held = rule == winner ? HeldOf(rule) : nullptr;
    evaluation_.SetSince(rule != winner    ? std::optional<Timestamp>()
                         : held == nullptr ? evaluation_.now().time
                                           : FromMicros(held->since_us()));
    Next(NextOf(set_.rules()[static_cast<size_t>(rule)], rule == winner));
    if (rule == winner) break;  // what comes after it matters only once it no longer holds
  }
}

std::vector<v1::Reason> Judge::WhyInGroup(const RuleSet::Unit& unit, int32_t winner) {
  const Compiled& won = set_.rules()[static_cast<size_t>(winner)];
  if (const auto pinned = PinnedWinnerOf(unit)) return {PinReason(*PinOf(*pinned))};
  for (const int32_t rule : unit) {
    if (rule != winner && IsHeld(rule) && PinOf(rule) != nullptr) return {PinReason(*PinOf(rule))};
  }
  if (won.when) return Why(won, nullptr, true);
  // The last one, which has no condition: because the one that was held no longer holds, or else none of the others
  // does.
  std::vector<v1::Reason> out;
  for (const int32_t rule : unit) {
    if (!IsHeld(rule) || rule == winner) continue;
    const HeldTag* const held = HeldOf(rule);
    const Compiled& c = set_.rules()[static_cast<size_t>(rule)];
    if (!Has(c, held)) return Why(c, held, false);
  }
  for (const int32_t rule : unit) {
    if (rule == winner) break;
    if (const auto* pin = PinOf(rule)) {
      if (out.size() < kMostReasons) out.push_back(PinReason(*pin));
      continue;
    }
    for (v1::Reason& reason : Why(set_.rules()[static_cast<size_t>(rule)], nullptr, false)) {
      if (out.size() < kMostReasons) out.push_back(std::move(reason));
    }
  }
  if (out.empty()) out.push_back(InWords(won.rule.about.empty() ? "by its rule" : won.rule.about));
  return out;
}

Judge::Standing Judge::Explain(int32_t rule, std::string_view item) {
  const Compiled& c = set_.rules()[static_cast<size_t>(rule)];
  if (!c.rule.group.empty()) {
    const RuleSet::Unit& unit = set_.units()[static_cast<size_t>(c.unit)];
    const int32_t winner = WinnerOf(unit);
    if (rule == winner) return {true, WhyInGroup(unit, winner)};
    const HeldTag* const held = HeldOf(rule);
    if (const auto* pin = PinOf(rule); pin != nullptr && pin->absent()) return {false, {PinReason(*pin)}};
    const bool own = PinnedWinnerOf(unit) || Has(c, held);
    // Its own condition holds, but that of another one of the group comes first.
    return {false, own ? WhyInGroup(unit, winner) : Why(c, held, false)};
  }
  const HeldTag* const held = c.each >= 0 ? HeldOf(rule, item) : HeldOf(rule);
  const std::string tag = c.each >= 0 ? absl::StrCat(c.rule.tag, ":", std::string(item)) : c.rule.tag;
  if (const auto* pin = pins_.Of(tag)) return {!pin->absent(), {PinReason(*pin)}};
  if (c.each >= 0) {
    const Item* const found = ItemNamed(evaluation_.ItemsOf(c.each), item);
    if (found == nullptr) return {false, {InWords(absl::StrCat(std::string(item), " is not among ", c.rule.each))}};
    evaluation_.SetItem(0, found);
  }
  const bool has = Has(c, held);
  // What keeps a tag is not what made it come: shown is the latter, as long as it holds.
  Standing out{has, {}};
  if (has && held != nullptr && c.until && c.when && evaluation_.Holds(*c.when)) {
    out.reasons = rules::Explain(evaluation_, *c.when);
  }
  if (out.reasons.empty()) out.reasons = Why(c, held, has);
  evaluation_.SetItem(0, nullptr);
  return out;
}

}  // namespace portrait::rules
