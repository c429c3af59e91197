#include "operators/operator_states.h"

#include <catch2/catch_test_macros.hpp>
#include <string>

#include "google/protobuf/io/coded_stream.h"
#include "google/protobuf/io/zero_copy_stream_impl_lite.h"
#include "portrait/v1/state/tags.pb.h"

namespace portrait {
namespace {

using v1::state::HeldTag;

const HeldTag& Nothing() { return HeldTag::default_instance(); }

HeldTag Named(const std::string& name) {
  HeldTag tag;
  tag.set_name(name);
  return tag;
}

// As the states of three operators are stored, the last of which has none.
OperatorStates AtRest(const std::string& first, const std::string& second) {
  const std::string a = Named(first).SerializeAsString(), b = Named(second).SerializeAsString();
  const auto size = [](const std::string& bytes) { return static_cast<uint32_t>(bytes.size()); };
  OperatorStates states(3);
  states.Rest("head" + a + "|" + b, {{4, size(a)}, {5 + size(a), size(b)}, {}});
  return states;
}

std::string Encoded(const OperatorStates& states, Slot slot) {
  std::string bytes;
  {
    google::protobuf::io::StringOutputStream stream(&bytes);
    google::protobuf::io::CodedOutputStream out(&stream);
    static_cast<void>(states.EncodedSize(slot));
    states.Encode(slot, out);
  }
  return bytes;
}

TEST_CASE("stored bytes that are out of date go, and those of the other states stay") {
  OperatorStates states = AtRest(std::string(100, 'a'), "bert");
  const size_t stored = states.stored().size();
  states.DropOutdated();
  CHECK(states.stored().size() == stored);  // nothing has changed
  static_cast<HeldTag&>(states.Change(0, Nothing())).set_name("anna");
  states.DropOutdated();
  CHECK(states.stored() == Named("bert").SerializeAsString());
  CHECK(states.stored_size() == stored);
  CHECK(Encoded(states, 1) == Named("bert").SerializeAsString());
  CHECK(states.Read(1, Nothing()).ShortDebugString() == "name: \"bert\"");
  CHECK(Encoded(states, 1) == Named("bert").SerializeAsString());  // what is only read is not out of date
  CHECK(Encoded(states, 0) == Named("anna").SerializeAsString());
  CHECK_FALSE(states.Has(2));
  states.Change(2, Nothing());
  static_cast<HeldTag&>(states.Change(1, Nothing())).set_name("bea");
  states.DropOutdated();
  CHECK(states.stored().empty());
  CHECK(Encoded(states, 1) == Named("bea").SerializeAsString());
}

TEST_CASE("while most of the stored bytes are needed they stay") {
  OperatorStates states = AtRest("anna", std::string(100, 'b'));
  const std::string stored(states.stored());
  static_cast<HeldTag&>(states.Change(0, Nothing())).set_name("bert");
  states.DropOutdated();
  CHECK(states.stored() == stored);
  CHECK(Encoded(states, 1) == Named(std::string(100, 'b')).SerializeAsString());
}

}  // namespace
}  // namespace portrait
