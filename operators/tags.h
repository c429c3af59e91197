// Tags by rules that users write (docs/rules.md), and what is known about a customer's activity as a whole.
//
//   builder.Add<Purchases>().Add<Tags>(TagsOptions{.rules = source});
//
// The features that rules read are compared before and after every event, and rules looked at where that may matter
// (operators/rules/change_detector.h); after a timer of another operator, those that read its features. So does the
// passing of time: from all conditions the moment is worked out at which the first of them can change, and there is one
// timer for that moment. Activity does not move it: it looks again
// when it fires. A row that other rules have judged is judged as a whole when it is next touched: tags whose rules are
// gone go.
//
// Activity is any event except what is done to the customer rather than by them: a mail delivered or bounced, a reply
// or resolution by the staff, an outbound call. Where only such events came, the first of them stands for it.
//
// Windows of events that rules name (operators/rules/event_windows.h) are part of the state. An event enters them
// before rules are looked at; those that the rules in force do not name are dropped when a row meets these rules, and
// new ones begin empty then.
//
// A tag that somebody pins (tag_pinned) is held, or not held, as the pin says, whatever its rule does, until it is
// unpinned or the pin's time is over; a timer of its own stands for that. Pins stay when the rules change. Nothing
// else of the portrait takes notice of a pin: it is no activity of the customer's.
//
// Rules may run in the shadow beside those in force: they are judged by the same events and moments, for tags of their
// own that would be, which begin as those held when a row first meets them. Nothing is written for them but counts.
// Their timer is one of its own, and moves the row's time no more than their sweep does (Context::StayAside), so that
// the tags held, and when they change, are what they would be without. Windows that both name are one. A row in which
// the shadow has changed nothing yet has no state of it. When rules that are in the shadow come into force, rows take
// over the tags that would be, with their times; rows that meet a chain without this shadow let go of it.
//
// When the customer is erased, every tag held goes, and every pin. All changes of one step are written together and
// show the same final set of tags. State: about 20 bytes and 20 for each tag, of a shadow once more; at most one tag a
// rule, and 32 for a rule with `each`; the windows, at most 64, and those of the shadow; and at most 32 pins
// (operators/rules/pins.h), beyond which a further one is passed over.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "operators/operator.h"
#include "operators/rules/judge.h"
#include "operators/rules/rule_set.h"
#include "portrait/v1/state/tags.pb.h"

namespace portrait {

class Chain;

struct TagsOptions {
  rules::RuleSource rules;    // none: no tags
  rules::RuleSource shadow;   // none: nothing is in the shadow
  uint64_t shadow_begun = 0;  // the control position at which it began: the same rules may come again
  int silent_days = 60;       // who is active again after this long has come back: tags.returned
};

// What tags are counted under: "interest:*" of "interest:shoes", for there may be as many as there are categories.
std::string TagFamily(std::string_view tag);

class Tags final : public Operator<v1::state::Tags> {
 public:
  explicit Tags(TagsOptions options = {}) : options_(std::move(options)) {}

  static void Describe(Description& about);
  absl::Status Bind(const FeatureRegistry& features) override;
  void BeforeEvent(const Event& event, const v1::state::Tags& state, const Context& context) const override;
  void BeforeTimer(Slot slot, const v1::state::Tags& state, const Context& context) const override;
  void OnEvent(const Event& event, v1::state::Tags& state, Context& context) const override;
  void OnTimer(const Timer& timer, v1::state::Tags& state, Context& context) const override;
  void OnChange(Slot changed, v1::state::Tags& state, Context& context) const override;
  bool Reconsiders(const v1::state::Tags& state, const Context& context) const override;
  void OnSwitch(v1::state::Tags& state, Context& context) const override;
  void Fetch(const v1::state::Tags& state, Fetcher& fetch) const override;

  // Why a customer has a tag at a moment, or has not. The state must be one that these rules have judged.
  // NotFound: no rule gives such a tag, with the one that was meant.
  absl::StatusOr<rules::Judge::Standing> Explain(std::string_view tag, const v1::state::Tags& state,
                                                 const FeatureReader& reader, const Moment& at) const;

  // The rule that gives a tag, by its number. NotFound: no rule gives such a tag, with the one that was meant.
  absl::StatusOr<int32_t> RuleFor(std::string_view tag) const;

  // Once bound; null before.
  const rules::RuleSet* rules() const { return rules_.get(); }
  // Null: nothing is in the shadow.
  const rules::RuleSet* shadow() const { return shadow_.get(); }

 private:
  using State = v1::state::Tags;
  using HeldTags = google::protobuf::RepeatedPtrField<v1::state::HeldTag>;
  static constexpr uint32_t kRulesTimer = 1, kPinTimer = 2, kShadowTimer = 3;

  // Rules, and what they have decided about one customer: those in force, or those in the shadow.
  struct Side {
    const rules::RuleSet& rules;
    State& state;
    v1::state::ShadowTags* shadow = nullptr;  // null: in force
    uint64_t begun = 0;                       // of the shadow

    bool judged() const {
      return shadow != nullptr ? shadow->rules() == rules.version() && shadow->begun() == begun
                               : state.rules() == rules.version();
    }
    uint32_t timer() const { return shadow != nullptr ? kShadowTimer : kRulesTimer; }
    HeldTags& held() const { return shadow != nullptr ? *shadow->mutable_held() : *state.mutable_held(); }
  };
  Side InForce(State& state) const { return {*rules_, state}; }
  Side Shadow(State& state) const { return {*shadow_, state, state.mutable_shadow(), options_.shadow_begun}; }

  absl::StatusOr<std::unique_ptr<const rules::RuleSet>> Compile(const rules::RuleSource& source,
                                                                const FeatureRegistry& features,
                                                                std::shared_ptr<rules::EventWindows> windows) const;

  // What is done with both sides.
  template <class Do>
  void OnBothSides(Do handle, State& state) const {
    if (shadow_) handle(Shadow(state));  // first: it begins from the tags held before this step
    handle(InForce(state));
  }
  // Ends what a row has of a shadow that this chain has not: its rules may be those in force now.
  // True: they are, so its tags are those held now.
  bool Settle(State& state, Context& context) const;
  bool HasStaleShadow(const State& state) const;

  // `watched` says of a set of rules' detector which features the step that begins may change. A handler that asks for
  // what has changed must follow.
  template <class Watched>
  void Watch(Watched watched, const State& state, const Context& context) const;
  // What this step has changed, where its begin was watched; else `otherwise`.
  void LookAtAffected(const std::vector<int32_t>& otherwise, const Side& side, Context& context) const;
  void Look(const std::vector<int32_t>& units, const Side& side, Context& context) const;
  // `look` asks a Judge. `gone` are changes that are certain already.
  template <class LookBy>
  void JudgeBy(LookBy look, const Side& side, Context& context, std::vector<rules::TagVerdict> gone = {},
               const rules::EndedPins& ended = {}) const;
  void LookAnew(const Side& side, Context& context, const rules::EndedPins& ended = {}) const;
  template <class LookBy>
  rules::Judgement Judged(LookBy look, const Side& side, const Context& context, std::optional<Timestamp> timer,
                          const rules::EndedPins& ended = {}) const;
  // Whether this side would change anything that is stored, now or by time.
  bool WouldChange(const Side& as_if, const Context& context) const;
  // A pin of this tag has come, or those have ended; `state` has the pins that are left.
  void PinsChanged(std::string_view pinned, const rules::EndedPins& ended, State& state, Context& context) const;
  void LookAtPinned(std::string_view pinned, const rules::EndedPins& ended, const Side& side, Context& context) const;
  void SayThatPinsEnded(const rules::EndedPins& ended, const rules::RuleSet& rules,
                        std::vector<rules::TagVerdict>& changes) const;
  // Makes these rules the ones that have judged, and drops what they do not name; of tags that none gives, the end.
  std::vector<rules::TagVerdict> TakeOver(const Side& side) const;
  // The rules in force have come out of the shadow: what it knew of this row is now so.
  void Promote(State& state, Context& context) const;
  // Between those and the tags held, with why it is so now.
  std::vector<rules::TagVerdict> Differences(const HeldTags& before, const State& state, const Context& context) const;
  void Forget(const Event& event, State& state, Context& context) const;
  void Apply(std::vector<rules::TagVerdict> changes, const Side& side, Context& context) const;

  TagsOptions options_;
  std::unique_ptr<const rules::RuleSet> rules_, shadow_;
};

// The operator `tags` of a chain, and where its state is; null when there is none.
struct TagsOfChain {
  explicit TagsOfChain(const Chain& chain);
  const Tags* op = nullptr;
  Slot slot = 0;
};

}  // namespace portrait
