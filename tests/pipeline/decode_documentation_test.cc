// docs/events.md cannot go stale: its examples are run, its tables compared with the program.
#include <catch2/catch_test_macros.hpp>
#include <fstream>
#include <iostream>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "google/protobuf/text_format.h"
#include "operators/clean.h"
#include "pipeline/decode/decoder.h"
#include "pipeline/decode/event_names.h"

namespace portrait {
namespace {

std::string EventsDocument() {
  std::ifstream in(PORTRAIT_SOURCE_DIR "/docs/events.md");
  std::stringstream text;
  text << in.rdbuf();
  REQUIRE(text.str().size() > 1000);
  return text.str();
}

struct Example {
  std::string json, expected;
};

std::string BlockAt(const std::string& text, size_t start) {
  const size_t from = text.find('\n', start) + 1;
  return text.substr(from, text.find("```", from) - from);
}

std::vector<Example> Examples() {
  const std::string text = EventsDocument();
  std::vector<Example> examples;
  for (size_t at = text.find("```json"); at != std::string::npos; at = text.find("```json", at + 1)) {
    const size_t expected = text.find("```textproto", at);
    REQUIRE(expected != std::string::npos);
    examples.push_back({BlockAt(text, at), BlockAt(text, expected)});
  }
  return examples;
}

// What the operators see of this JSON, or why they do not.
std::string Cleaned(const std::string& json, Event& event) {
  const Clean clean({.rates = {{"USD", 0.92}}});
  Decoder decoder;
  Record record;
  record.partition = 3;
  record.offset = 42;
  record.timestamp_us = 1769904000'000'000;  // 2026-02-01
  record.value = json;
  auto rejection = decoder.Decode(record, {"browsing-events", WireFormat::kJson}, event);
  if (!rejection) rejection = clean.Check(event, {FromMicros(record.timestamp_us)});
  return rejection ? rejection->code + ": " + rejection->text : event.ShortDebugString();
}

TEST_CASE("every JSON example of the documentation becomes the event shown beside it") {
  for (const Example& example : Examples()) {
    Event expected, event;
    INFO(example.json);
    CHECK(google::protobuf::TextFormat::ParseFromString(example.expected, &expected));
    CHECK(Cleaned(example.json, event) == expected.ShortDebugString());
  }
}

TEST_CASE("the documentation has an example of every kind of event") {
  std::set<std::string> shown, all;
  for (const Example& example : Examples()) {
    Event event;
    Cleaned(example.json, event);
    shown.emplace(EventKindName(event.body_case()));
  }
  const auto* bodies = Event::descriptor()->FindOneofByName("body");
  for (int i = 0; i < bodies->field_count(); ++i) all.insert(bodies->field(i)->name());
  CHECK(shown == all);
}

TEST_CASE("the table of kinds in the documentation is that of the program") {
  std::string expected;
  const auto* bodies = Event::descriptor()->FindOneofByName("body");
  for (int i = 0; i < bodies->field_count(); ++i) {
    const auto* body = bodies->field(i);
    std::string names;
    if (body->number() == Event::kPageViewed) names = "`page`, `screen`";
    if (body->number() == Event::kIdentified) names = "`identify`";
    for (const EventName& name : EventNames()) {
      if (static_cast<int>(name.kind) != body->number()) continue;
      names += (names.empty() ? "`" : ", `") + std::string(name.name) + "`";
    }
    expected += "| `" + body->name() + "` | `" + body->message_type()->name() + "` | " + names + " |\n";
  }
  const std::string text = EventsDocument(), head = "| kind (Protobuf body) | message | JSON |\n|---|---|---|\n";
  const size_t start = text.find(head);
  REQUIRE(start != std::string::npos);
  const size_t from = start + head.size();
  CHECK(text.substr(from, text.find("\n\n", from) + 1 - from) == expected);
}

}  // namespace
}  // namespace portrait
