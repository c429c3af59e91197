// The states of all operators in one row, decoded one by one as they are asked for. A row at rest is its stored bytes,
// so it takes a quarter of the memory, and an event pays only for the states that it reads or changes.
//
//   row.states.Rest(bytes, ranges);                        // as stored
//   auto& visits = row.states.Change(slot, empty);         // decodes that one
//   row.states.Encode(slot, stream);                       // the others are copied as they are
//
// One thread, also for what is const: a state that is read for the first time is decoded then.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "google/protobuf/message.h"

namespace google::protobuf::io {
class CodedOutputStream;
}

namespace portrait {

// An operator's place in its chain; place 0 is the cleaning stage.
using Slot = uint32_t;

class OperatorStates {
 public:
  OperatorStates() = default;
  explicit OperatorStates(size_t slots) : places_(slots) {}

  Slot size() const { return static_cast<Slot>(places_.size()); }
  bool Has(Slot slot) const { return places_[slot].present; }

  // The state; `empty`, a message of its type, where there is none. Valid until Rest.
  const google::protobuf::Message& Read(Slot slot, const google::protobuf::Message& empty) const {
    const Place& place = places_[slot];
    return place.message ? *place.message : place.present ? Decode(place, empty) : empty;
  }
  template <class State>
  const State& As(Slot slot) const {
    return static_cast<const State&>(Read(slot, State::default_instance()));
  }
  // The same to be changed, made where there is none.
  google::protobuf::Message& Change(Slot slot, const google::protobuf::Message& empty);

  // A state that could not be parsed, and was read as an empty one: the row must not be used any more.
  std::optional<Slot> damaged() const { return damaged_; }

  // Of a state that is there.
  size_t EncodedSize(Slot slot) const;  // to be asked just before Encode
  void Encode(Slot slot, google::protobuf::io::CodedOutputStream& out) const;

  // Only the bytes stay. `ranges` says where in them the states lie, by slot; those with an `at` of 0 are not there.
  struct Range {
    uint32_t at = 0;
    uint32_t size = 0;
  };
  void Rest(std::string_view bytes, const std::vector<Range>& ranges);
  // Lets go of stored bytes that are out of date, where they are most of them.
  void DropOutdated();

  // What is decoded, with its slot; for accounts and to have it fetched.
  template <class Visit>
  void ForDecoded(Visit visit) const {
    for (Slot slot = 0; slot < size(); ++slot) {
      if (places_[slot].message) visit(slot, *places_[slot].message);
    }
  }
  std::string_view stored() const { return stored_; }
  // Of the row when it came to rest last.
  size_t stored_size() const { return stored_size_; }
  const void* places() const { return places_.data(); }
  // But for the messages themselves.
  size_t BytesInMemory() const { return stored_.capacity() + places_.capacity() * sizeof(Place); }

 private:
  struct Place {
    mutable std::unique_ptr<google::protobuf::Message> message;
    uint32_t at = 0;  // in stored_
    uint32_t size : 30 = 0;
    uint32_t present : 1 = 0;
    uint32_t changed : 1 = 0;  // the stored bytes are out of date
  };
  static_assert(sizeof(Place) == 16);
  static constexpr uint32_t kMostBytes = (1u << 30) - 1;  // of a state, as of any message
  const google::protobuf::Message& Decode(const Place& place, const google::protobuf::Message& empty) const;

  std::vector<Place> places_;
  std::string stored_;
  uint32_t stored_size_ = 0;
  mutable std::optional<Slot> damaged_;
};

}  // namespace portrait
