#include "operators/rules/pins.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "operators/insert_at.h"
#include "operators/value.h"

namespace portrait::rules {
namespace {

using v1::state::PinnedTag;

PinList::iterator PlaceOf(const std::string& tag, PinList& pins) {
  return std::lower_bound(pins.begin(), pins.end(), tag,
                          [](const PinnedTag& pin, const std::string& name) { return pin.tag() < name; });
}

Ended End(const PinnedTag& pin, std::string why) {
  return {pin.tag(), pin.absent(), pin.since_us(), ReasonOfTags(std::move(why))};
}

std::string Over(const PinnedTag& pin) {
  return absl::StrCat(pin.tag(), " is no longer PINNED: ", pin.author(), " pinned it until ",
                      ToText(FromMicros(pin.until_us())));
}

}  // namespace

v1::Reason ReasonOfTags(std::string text) {
  v1::Reason reason;
  reason.set_feature("tags.held");
  reason.set_text(std::move(text));
  return reason;
}

v1::Reason PinReason(const PinnedTag& pin) {
  return ReasonOfTags(absl::StrCat(
      pin.tag(), pin.absent() ? " is PINNED absent by " : " is PINNED by ", pin.author(),
      pin.until_us() == 0 ? "" : absl::StrCat(" until ", ToText(FromMicros(pin.until_us()))), ": ", pin.reason()));
}

bool SetPin(const v1::TagPin& pin, Timestamp now, PinList& pins, EndedPins& ended) {
  auto place = PlaceOf(pin.tag(), pins);
  const bool there = place != pins.end() && place->tag() == pin.tag();
  if (pin.until_us() != 0 && pin.until_us() <= ToMicros(now)) {
    if (there) {
      place->set_author(pin.author());
      place->set_until_us(pin.until_us());
      ended.push_back(End(*place, Over(*place)));
      pins.erase(place);
    }
    return true;
  }
  if (!there) {
    if (pins.size() >= kMostPins) return false;
    const auto at = static_cast<int>(place - pins.begin());
    InsertAt(at, pins).set_tag(pin.tag());
    place = pins.begin() + at;
  }
  if (!there || place->absent() != pin.absent()) place->set_since_us(ToMicros(now));
  place->set_absent(pin.absent());
  place->set_until_us(pin.until_us());
  place->set_author(pin.author());
  place->set_reason(pin.reason());
  return true;
}

void RemovePin(const v1::TagUnpin& unpin, PinList& pins, EndedPins& ended) {
  const auto place = PlaceOf(unpin.tag(), pins);
  if (place == pins.end() || place->tag() != unpin.tag()) return;
  ended.push_back(End(*place, absl::StrCat(unpin.tag(), " is no longer PINNED, by ", unpin.author(),
                                           unpin.reason().empty() ? "" : ": " + unpin.reason())));
  pins.erase(place);
}

void RemoveOverPins(Timestamp now, PinList& pins, EndedPins& ended) {
  for (auto place = pins.begin(); place != pins.end();) {
    if (place->until_us() == 0 || place->until_us() > ToMicros(now)) {
      ++place;
      continue;
    }
    ended.push_back(End(*place, Over(*place)));
    place = pins.erase(place);
  }
}

std::optional<Timestamp> FirstEnd(const PinList& pins) {
  std::optional<Timestamp> first;
  for (const PinnedTag& pin : pins) {
    if (pin.until_us() != 0) first = std::min(first.value_or(Timestamp::max()), FromMicros(pin.until_us()));
  }
  return first;
}

const PinnedTag* Pins::Of(std::string_view tag) const {
  if (empty()) return nullptr;
  const auto it = std::lower_bound(pins_->begin(), pins_->end(), tag,
                                   [](const PinnedTag& pin, std::string_view name) { return pin.tag() < name; });
  return it == pins_->end() || it->tag() != tag ? nullptr : &*it;
}

bool Pins::Brought(const v1::state::HeldTag& held) const {
  return ended_ != nullptr && std::any_of(ended_->begin(), ended_->end(), [&](const Ended& pin) {
           return pin.tag == held.name() && !pin.absent && held.since_us() >= pin.since_us;
         });
}

const PinList& Pins::None() {
  static const PinList* const none = new PinList();
  return *none;
}

}  // namespace portrait::rules
