// What every record goes through, whatever its format.
#include <catch2/catch_test_macros.hpp>
#include <string>
#include <vector>

#include "google/protobuf/arena.h"
#include "pipeline/decode/decoder.h"

namespace portrait {
namespace {

constexpr std::string_view kView =
    R"({"type":"page","messageId":"m1","userId":"anna","timestamp":"2026-01-31","properties":{"path":"/"}})";

Event SmallEvent() {
  Event event;
  event.set_event_id("m1");
  event.set_customer_id("anna");
  event.set_event_time_us(1'769'860'800'000'000);
  event.mutable_page_viewed()->set_path("/");
  return event;
}

struct Given {
  std::string topic = "events";
  WireFormat format = WireFormat::kJson;
  std::vector<HeaderView> headers;
  int64_t timestamp_us = 1'769'904'000'000'000;
  std::optional<std::string_view> key = "anna";
};

Record RecordOf(std::optional<std::string_view> value, const Given& given) {
  Record record;
  record.partition = 2;
  record.offset = 17;
  record.timestamp_us = given.timestamp_us;
  record.key = given.key;
  record.value = value;
  for (const HeaderView& header : given.headers) record.headers.push_back(header);
  return record;
}

// The event as text, or "code: text".
std::string Decoded(std::optional<std::string_view> value, const Given& given = {}) {
  Decoder decoder;
  Event event = SmallEvent();  // must be replaced
  event.set_session_id("left over");
  if (const auto rejection = decoder.Decode(RecordOf(value, given), {given.topic, given.format}, event)) {
    return rejection->code + ": " + rejection->text;
  }
  return event.ShortDebugString();
}

const std::string kDecodedView =
    "event_id: \"m1\" customer_id: \"anna\" event_time_us: 1769817600000000 page_viewed { path: \"/\" }";

TEST_CASE("a tombstone is rejected") { CHECK(Decoded(std::nullopt) == "tombstone: the record has no value"); }

TEST_CASE("a record that is too large is rejected unread") {
  CHECK(Decoded(std::string(1'000'001, ' ')) == "too_large: the value is larger than 1000000 bytes: 1000001 bytes");
  CHECK(Decoded(std::string(2'000'000, '{')).starts_with("too_large"));
  const std::string padded = std::string(kView) + std::string(1'000'000 - kView.size(), ' ');
  CHECK(Decoded(padded) == kDecodedView);
}

TEST_CASE("the content type decides, in any case and with parameters") {
  const std::string protobuf = SmallEvent().SerializeAsString();
  for (const char* type :
       {"application/json", "Application/JSON", "application/json; charset=utf-8", "text/json",
        " application/json ;charset=\"UTF-8\"; v=1", "application/json;", "application/json;charset=us-ascii"}) {
    INFO(type);
    CHECK(Decoded(kView, {.format = WireFormat::kProtobuf, .headers = {{"Content-Type", type}}}) == kDecodedView);
  }
  for (const char* type : {"application/x-protobuf", "application/protobuf", "application/vnd.google.protobuf",
                           "application/x-protobuf; messageType=\"portrait.v1.Event\""}) {
    INFO(type);
    CHECK(Decoded(protobuf, {.headers = {{"content-type", type}}}) == SmallEvent().ShortDebugString());
  }
}

TEST_CASE("a content type or charset that is not read is named") {
  CHECK(Decoded(kView, {.headers = {{"content-type", "text/csv"}}}) ==
        "unknown_content_type: no such content type: \"text/csv\"");
  CHECK(Decoded(kView, {.headers = {{"content-type", "application/json; charset=utf-16"}}}) ==
        "unknown_content_type: no such content type: \"application/json; charset=utf-16\"");
  CHECK(Decoded(kView, {.headers = {{"content-type", ""}}}) == "unknown_content_type: no such content type: \"\"");
  CHECK(Decoded(kView, {.headers = {{"content-type", std::string_view("\0\xFF", 2)}}}) ==
        "unknown_content_type: no such content type: \"\\x00\\xff\"");
}

TEST_CASE("headers of all sorts do no harm") {
  const std::string huge(500'000, 'h');
  const std::string_view binary("\0\x01\xFF\xFE", 4);
  CHECK(Decoded(kView, {.headers = {{"content-type", std::nullopt},
                                    {"", ""},
                                    {"traceparent", binary},
                                    {binary, huge},
                                    {huge, std::nullopt},
                                    {"content-type", "text/csv"},
                                    {"content-type", "application/json"},
                                    {"content-type", std::nullopt},
                                    {"traceparent", binary}}}) == kDecodedView);
}

TEST_CASE("an event without an id is named after its place in the log") {
  CHECK(
      Decoded(R"({"type":"page","userId":"anna","timestamp":"2026-01-31"})", {.topic = "browsing-events"}) ==
      "event_id: \"browsing-events-2-17\" customer_id: \"anna\" event_time_us: 1769817600000000 imputed: \"event_id\" "
      "page_viewed { }");
}

TEST_CASE("an event without a time gets its record's") {
  CHECK(
      Decoded(R"({"type":"page","messageId":"m1","userId":"anna"})") ==
      "event_id: \"m1\" customer_id: \"anna\" event_time_us: 1769904000000000 imputed: \"event_time\" page_viewed { }");
  CHECK(Decoded(R"({"type":"page","messageId":"m1","userId":"anna"})", {.timestamp_us = -1000}) ==
        "missing_time: neither the event nor the record has a time");
  CHECK(Decoded(R"({"type":"page","messageId":"m1","userId":"anna","receivedAt":1769860800})", {.timestamp_us = -1000})
            .starts_with("event_id: \"m1\" customer_id: \"anna\" event_time_us: 1769860800000000 "));
}

TEST_CASE("the very first moment of 1970 is a time in JSON") {
  CHECK(Decoded(R"({"type":"page","messageId":"m1","userId":"anna","timestamp":0})") ==
        "event_id: \"m1\" customer_id: \"anna\" page_viewed { }");
}

TEST_CASE("an event of nobody is rejected, even where the record has a key") {
  CHECK(Decoded(R"({"type":"page","userId":null,"anonymousId":""})") ==
        "missing_customer_id: neither a customer id nor an anonymous id");
  Event event = SmallEvent();
  event.clear_customer_id();
  CHECK(Decoded(event.SerializeAsString(), {.format = WireFormat::kProtobuf}).starts_with("missing_customer_id"));
}

TEST_CASE("one decoder reads record after record, into an event in an arena too") {
  Decoder decoder;
  google::protobuf::Arena arena;
  const SourceOptions source{"events", WireFormat::kJson};
  const std::string large =
      R"({"type":"page","userId":"anna","properties":{"path":")" + std::string(100'000, 'x') + "\"}}";
  for (int i = 0; i < 10; ++i) {
    Event& event = *google::protobuf::Arena::CreateMessage<Event>(&arena);
    CHECK_FALSE(decoder.Decode(RecordOf(large, {}), source, event));
    CHECK(decoder.Decode(RecordOf("{", {}), source, event));
    CHECK_FALSE(decoder.Decode(RecordOf(kView, {}), source, event));
    CHECK(event.ShortDebugString() == kDecodedView);
  }
}

}  // namespace
}  // namespace portrait
