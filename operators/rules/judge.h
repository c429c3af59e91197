// Judges one customer at one moment by a set of rules: which tags come, which go, why, and when to look again.
//
//   Judge judge(set, evaluation, state.held(), start_of_day);
//   Judgement judgement = judge.Look(affected);
//
// A tag comes when its rule's `when` holds, `unless` does not and `until` does not. It stays until `until` holds, or,
// without one, while `when` holds; and it goes when `unless` holds. Of a group, the first rule that gives or keeps its
// tag decides. A tag that is pinned is there, or not, as the pin says; of a group with several pins, the latest. The
// last of a group is the customer's even where it is pinned absent, if nothing else is left.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "operators/rules/pins.h"
#include "operators/rules/rule_set.h"
#include "portrait/v1/result.pb.h"
#include "portrait/v1/state/tags.pb.h"

namespace portrait::rules {

inline constexpr int kMostTagsOfARule = 32;  // of a rule with `each`

struct TagVerdict {
  int32_t rule = -1;
  std::string tag;
  bool after = false;
  std::vector<v1::Reason> reasons;  // at least one
};

struct Judgement {
  std::vector<TagVerdict> changes;
  // When time alone may change something about the units looked at; if that is before the timer.
  std::optional<Timestamp> next;
};

// Lives as long as one look. The tags held name their rules by their numbers in this set; the number after the last is
// nobody's.
class Judge {
 public:
  using HeldTags = google::protobuf::RepeatedPtrField<v1::state::HeldTag>;

  // `timer`: when the customer is looked at again in any case; what time changes later than that is not worked out.
  Judge(const RuleSet& set, Evaluation& evaluation, const HeldTags& held, NextChange::StartOfDay start_of,
        std::optional<Timestamp> timer = std::nullopt, Pins pins = {});

  Judgement Look(const std::vector<int32_t>& units);
  Judgement Look(const Affected& affected);

  // Why a customer has the tag of a rule, or has not: `item` is the element's name for a rule with `each`. The reasons
  // of the outcome as it is now.
  struct Standing {
    bool has = false;
    std::vector<v1::Reason> reasons;
  };
  Standing Explain(int32_t rule, std::string_view item);

 private:
  using Compiled = RuleSet::Compiled;

  bool IsHeld(int32_t rule) const { return (held_rules_[static_cast<size_t>(rule) / 64] >> (rule % 64) & 1) != 0; }
  const v1::state::HeldTag* HeldOf(int32_t rule) const;
  const v1::state::HeldTag* HeldOf(int32_t rule, std::string_view item) const;
  void See(const v1::state::HeldTag* held);
  bool Has(const Compiled& c, const v1::state::HeldTag* held);
  Timestamp NextOf(const Compiled& c, bool held);
  std::vector<v1::Reason> Why(const Compiled& c, const v1::state::HeldTag* held, bool has);

  void LookAtOne(int32_t rule);
  void LookAtUnit(int32_t unit);
  void LookAtEach(int32_t rule);
  void LookAtElements(int32_t rule, const Affected& affected);
  bool LookAtPinned(int32_t rule, std::string tag, const v1::state::PinnedTag& pin, bool held);
  bool LookAtElement(int32_t rule, std::string_view name, const Item* item, const v1::state::HeldTag* held, bool full);
  int32_t WinnerOf(const RuleSet::Unit& unit);
  // Of a rule that stands for one tag; null: not pinned.
  const v1::state::PinnedTag* PinOf(int32_t rule) const;
  std::optional<int32_t> PinnedWinnerOf(const RuleSet::Unit& unit) const;
  void LookAtGroup(const RuleSet::Unit& unit);
  std::vector<v1::Reason> WhyInGroup(const RuleSet::Unit& unit, int32_t winner);
  void Change(int32_t rule, std::string tag, bool after, std::vector<v1::Reason> reasons);
  void Next(Timestamp at);

  const RuleSet& set_;
  Evaluation& evaluation_;
  const HeldTags& held_;
  NextChange::StartOfDay start_of_;
  bool within_day_;
  const Pins pins_;
  std::vector<uint64_t>& held_rules_;  // a bit for each rule
  Judgement out_;
};

}  // namespace portrait::rules
