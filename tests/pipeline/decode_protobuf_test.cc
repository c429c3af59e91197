#include <catch2/catch_test_macros.hpp>
#include <string>

#include "google/protobuf/stubs/logging.h"
#include "pipeline/decode/protobuf_event.h"

namespace portrait {
namespace {

// Protobuf would write a line for every text that is not UTF-8.
[[maybe_unused]] google::protobuf::LogHandler* const kQuiet = google::protobuf::SetLogHandler(nullptr);

std::string Decoded(std::string_view bytes) {
  Event event;
  if (const auto rejection = DecodeProtobuf(bytes, event)) return rejection->code + ": " + rejection->text;
  return event.ShortDebugString();
}

Event Order() {
  Event event;
  event.set_event_id("m1");
  event.set_customer_id("anna");
  event.mutable_order_completed()->add_products()->set_name("Monopoly");
  return event;
}

TEST_CASE("an event comes back as it was written") {
  CHECK(Decoded(Order().SerializeAsString()) == Order().ShortDebugString());
}

TEST_CASE("bytes that are no event are malformed") {
  CHECK(Decoded("\xFF\xFF\xFF") == "malformed_protobuf: the value is no portrait.v1.Event: 3 bytes");
  const std::string bytes = Order().SerializeAsString();
  CHECK(Decoded(bytes.substr(0, bytes.size() - 1)).starts_with("malformed_protobuf"));
  CHECK(Decoded(R"({"type":"page"})").starts_with("malformed_protobuf"));
  CHECK(Decoded(std::string_view("\0\0\0\0\x07", 5)).starts_with("malformed_protobuf"));  // a schema registry's prefix
}

TEST_CASE("an event without a body says so; a body of a later version is named") {
  CHECK(Decoded("") == "no_body: the event has no body");
  Event event = Order();
  event.clear_body();
  CHECK(Decoded(event.SerializeAsString()) == "no_body: the event has no body");
  const std::string later("\xFA\x06\x00", 3);  // field 111, no bytes in it
  CHECK(Decoded(event.SerializeAsString() + later) == "unknown_event: no body of this number is known: 111");
  CHECK(Decoded(Order().SerializeAsString() + later).starts_with("event_id"));
}

TEST_CASE("a text that is not UTF-8 is told from broken bytes, with its name") {
  // Protobuf does not let one write such a text, so two bytes of a valid one are replaced.
  const auto spoil = [](std::string bytes, std::string_view text) {
    bytes.replace(bytes.find(text), 2, "\xC3\x28");
    return bytes;
  };
  CHECK(Decoded(spoil(Order().SerializeAsString(), "anna")) == "invalid_utf8: a text is not valid UTF-8: customer_id");
  CHECK(Decoded(spoil(Order().SerializeAsString(), "Monopoly")) == "invalid_utf8: a text is not valid UTF-8: name");
}

TEST_CASE("what cleaning did is not the sender's to say") {
  Event event = Order();
  event.add_imputed("event_id");
  event.add_corrected("total");
  CHECK(Decoded(event.SerializeAsString()) == Order().ShortDebugString());
}

TEST_CASE("the last of several bodies counts") {
  Event other;
  other.mutable_page_viewed()->set_path("/");
  CHECK(Decoded(Order().SerializeAsString() + other.SerializeAsString()) ==
        "event_id: \"m1\" customer_id: \"anna\" page_viewed { path: \"/\" }");
}

TEST_CASE("bytes nested without end do no harm") {
  std::string bytes;
  for (int i = 0; i < 20'000; ++i) bytes += "\xE3\x01";  // groups within groups
  CHECK(Decoded(bytes).starts_with("malformed_protobuf"));
}

}  // namespace
}  // namespace portrait
