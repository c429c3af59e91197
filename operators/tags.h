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
// When the customer is erased, every tag held goes, and every pin. All changes of one step are written together and
// show the same final set of tags. State: about 20 bytes and 20 for each tag; at most one tag a rule, and 32 for a rule
// with `each`; the windows, at most 64; and at most 32 pins (operators/rules/pins.h), beyond which a further one is
// passed over.
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
  rules::RuleSource rules;  // none: no tags
  int silent_days = 60;     // who is active again after this long has come back: tags.returned
};

class Tags final : public Operator<v1::state::Tags> {
 public:
  explicit Tags(TagsOptions options = {}) : options_(std::move(options)) {}

  static void Describe(Description& about);
  absl::Status Bind(const FeatureRegistry& features) override;
  void BeforeEvent(const Event& event, const v1::state::Tags& state, const Context& context) const override;
  void OnEvent(const Event& event, v1::state::Tags& state, Context& context) const override;
  void OnTimer(const Timer& timer, v1::state::Tags& state, Context& context) const override;
  void OnChange(Slot changed, v1::state::Tags& state, Context& context) const override;
  bool Reconsiders(const v1::state::Tags& state, const Context& context) const override;
  void OnSwitch(v1::state::Tags& state, Context& context) const override;

  // Why a customer has a tag at a moment, or has not. The state must be one that these rules have judged.
  // NotFound: no rule gives such a tag, with the one that was meant.
  absl::StatusOr<rules::Judge::Standing> Explain(std::string_view tag, const v1::state::Tags& state,
                                                 const FeatureReader& reader, const Moment& at) const;

  // The rule that gives a tag, by its number. NotFound: no rule gives such a tag, with the one that was meant.
  absl::StatusOr<int32_t> RuleFor(std::string_view tag) const;

  // Once bound; null before.
  const rules::RuleSet* rules() const { return rules_.get(); }

 private:
  void Look(const std::vector<int32_t>& units, v1::state::Tags& state, Context& context) const;
  // `look` asks a Judge. `gone` are changes that are certain already.
  template <class LookBy>
  void JudgeBy(LookBy look, v1::state::Tags& state, Context& context, std::vector<rules::TagVerdict> gone = {},
               const rules::EndedPins& ended = {}) const;
  void LookAnew(v1::state::Tags& state, Context& context, const rules::EndedPins& ended = {}) const;
  template <class LookBy>
  rules::Judgement Judged(LookBy look, const v1::state::Tags& state, const Context& context,
                          const rules::EndedPins& ended = {}) const;
  // A pin of this tag has come, or those have ended; `state` has the pins that are left.
  void PinsChanged(std::string_view pinned, const rules::EndedPins& ended, v1::state::Tags& state,
                   Context& context) const;
  void SayThatPinsEnded(const rules::EndedPins& ended, std::vector<rules::TagVerdict>& changes) const;
  // Whether that moment comes before that of the timer.
  static bool Sooner(const std::optional<Timestamp>& next, const Context& context);
  // Makes these rules the ones that have judged, and drops what they do not name; of tags that none gives, the end.
  std::vector<rules::TagVerdict> TakeOver(v1::state::Tags& state) const;
  void Forget(const Event& event, v1::state::Tags& state, Context& context) const;
  void Apply(std::vector<rules::TagVerdict> changes, v1::state::Tags& state, Context& context) const;

  TagsOptions options_;
  std::unique_ptr<const rules::RuleSet> rules_;
};

// The operator `tags` of a chain, and where its state is; null when there is none.
struct TagsOfChain {
  explicit TagsOfChain(const Chain& chain);
  const Tags* op = nullptr;
  Slot slot = 0;
};

}  // namespace portrait
