#include "operators/operator_states.h"

#include "google/protobuf/io/coded_stream.h"

namespace portrait {

using google::protobuf::Message;

const Message& OperatorStates::Decode(const Place& place, const Message& empty) const {
  place.message.reset(empty.New());
  if (!place.message->ParseFromArray(stored_.data() + place.at, static_cast<int>(place.size))) {
    place.message->Clear();
    damaged_ = static_cast<Slot>(&place - places_.data());
  }
  return *place.message;
}

Message& OperatorStates::Change(Slot slot, const Message& empty) {
  Place& place = places_[slot];
  if (!place.message) {
    if (place.present) {
      Decode(place, empty);
    } else {
      place.message.reset(empty.New());
    }
  }
  place.present = place.changed = true;
  return *place.message;
}

size_t OperatorStates::EncodedSize(Slot slot) const {
  const Place& place = places_[slot];
  return place.changed ? place.message->ByteSizeLong() : place.size;
}

void OperatorStates::Encode(Slot slot, google::protobuf::io::CodedOutputStream& out) const {
  const Place& place = places_[slot];
  if (place.changed) {
    place.message->SerializeWithCachedSizes(&out);
  } else {
    out.WriteRaw(stored_.data() + place.at, static_cast<int>(place.size));
  }
}

void OperatorStates::Rest(std::string_view bytes, const std::vector<Range>& ranges) {
  if (stored_.capacity() > 2 * bytes.size()) stored_ = std::string();
  stored_.assign(bytes);
  stored_size_ = static_cast<uint32_t>(bytes.size());
  damaged_.reset();
  for (size_t slot = 0; slot < places_.size(); ++slot) {
    const Range range = slot < ranges.size() ? ranges[slot] : Range();
    Place& place = places_[slot];
    place.message.reset();
    place.at = range.at;
    place.size = range.size & kMostBytes;
    place.present = range.at != 0;
    place.changed = false;
  }
}

void OperatorStates::DropOutdated() {
  const auto is_needed = [](const Place& place) { return place.present && !place.changed; };
  size_t needed = 0;
  for (const Place& place : places_) needed += is_needed(place) ? place.size : 0;
  if (2 * needed > stored_.size()) return;
  std::string kept;
  kept.reserve(needed);
  for (Place& place : places_) {
    if (!is_needed(place)) continue;
    kept.append(stored_, place.at, place.size);
    place.at = static_cast<uint32_t>(kept.size() - place.size);
  }
  stored_ = std::move(kept);
}

}  // namespace portrait
