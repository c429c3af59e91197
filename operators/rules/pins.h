// What people have decided about a customer's tags: a pin counts in place of the tag's rule (docs/rules.md).
//
//   EndedPins ended;
//   SetPin(event.tag_pinned(), now, *state.mutable_pins(), ended);
//   Judge judge(set, evaluation, state.held(), start_of, timer, Pins(state.pins(), &ended));
//
// A pin of a tag that no rule gives lies idle, until rules come that give it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "operators/time.h"
#include "portrait/v1/event.pb.h"
#include "portrait/v1/result.pb.h"
#include "portrait/v1/state/tags.pb.h"

namespace portrait::rules {

inline constexpr int kMostPins = 32;  // of a customer; about 50 bytes and the texts each, at most 800

using PinList = google::protobuf::RepeatedPtrField<v1::state::PinnedTag>;

// Pins that have just ended, in the step that ends them.
struct Ended {
  std::string tag;
  bool absent = false;
  int64_t since_us = 0;
  v1::Reason why;
};
using EndedPins = std::vector<Ended>;

// A reason that lies in the tags themselves, and not in a comparison.
v1::Reason ReasonOfTags(std::string text);

// Why a tag is there, or is not: "vip is PINNED by anna until 2026-03-01 00:00:00: asked on the phone".
v1::Reason PinReason(const v1::state::PinnedTag& pin);

// Puts a pin into the list, in place of one of the same tag. One that is over at `now` only ends that. False: the
// list is full, and stays as it is.
bool SetPin(const v1::TagPin& pin, Timestamp now, PinList& pins, EndedPins& ended);

// Takes a pin away, if there is one.
void RemovePin(const v1::TagUnpin& unpin, PinList& pins, EndedPins& ended);

// Takes away the pins that are over at `now`.
void RemoveOverPins(Timestamp now, PinList& pins, EndedPins& ended);

// When the first of them ends.
std::optional<Timestamp> FirstEnd(const PinList& pins);

// The pins as a judge sees them; a view, valid as long as the lists.
class Pins {
 public:
  Pins() = default;
  explicit Pins(const PinList& pins, const EndedPins* ended = nullptr) : pins_(&pins), ended_(ended) {}

  bool empty() const { return pins_ == nullptr || pins_->empty(); }
  // Null: not pinned.
  const v1::state::PinnedTag* Of(std::string_view tag) const;
  // Whether the tag was brought by a pin that has just ended: its rule judges as if it were not held.
  bool Brought(const v1::state::HeldTag& held) const;

  // Of all; for those of a rule with `each`.
  const PinList& all() const { return pins_ == nullptr ? None() : *pins_; }

 private:
  static const PinList& None();

  const PinList* pins_ = nullptr;
  const EndedPins* ended_ = nullptr;
};

}  // namespace portrait::rules
