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
  damaged_.reset();
  for (size_t slot = 0; slot < places_.size(); ++slot) {
    const Range range = slot < ranges.size() ? ranges[slot] : Range();
    places_[slot] = Place{nullptr, range.at, range.size, range.at != 0, false};
  }
}

}  // namespace portrait
