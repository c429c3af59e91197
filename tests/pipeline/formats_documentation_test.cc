// docs/formats.md cannot go stale: every example of bytes in it is made by the code here, and compared.
#include <catch2/catch_test_macros.hpp>
#include <cstdio>
#include <map>
#include <string>
#include <string_view>

#include "operators/testing/harness.h"
#include "pipeline/journal.h"
#include "portrait/v1/journal.pb.h"
#include "portrait/v1/row.pb.h"
#include "state/row_keys.h"
#include "tests/pipeline/documents.h"

namespace portrait {
namespace {

// Keeps when it was last called, and looks again a day later.
class Visits final : public Operator<v1::TaskState> {
 public:
  static void Describe(Description& about) { about.Name("visits").ReadsEverything(); }
  void OnEvent(const Event& event, v1::TaskState& state, Context& context) const override {
    state.set_last_tick_us(event.event_time_us());
    context.SetTimer(1, context.now() + days(1));
  }
};

class NoResults final : public OutputSink {
 public:
  void Add(size_t, std::string_view, const google::protobuf::Message&) override {}
};

std::string Hex(std::string_view bytes) {
  std::string out;
  for (size_t i = 0; i < bytes.size(); ++i) {
    char text[4];
    std::snprintf(text, sizeof text, "%02x", static_cast<unsigned char>(bytes[i]));
    out += text;
    out += i % 24 == 23 || i + 1 == bytes.size() ? '\n' : ' ';
  }
  return out;
}

// The blocks "```hex NAME" of the document, by name; what follows a # in a line is a remark.
std::map<std::string, std::string> Examples() {
  const std::string text = ReadDocument("docs/formats.md");
  std::map<std::string, std::string> examples;
  for (size_t at = text.find("```hex "); at != std::string::npos; at = text.find("```hex ", at + 1)) {
    const size_t line = text.find('\n', at);
    std::string bytes;
    bool remark = false;
    for (const char c : text.substr(line + 1, text.find("```", line) - line - 1)) {
      remark = c == '#' || (remark && c != '\n');
      if (!remark && std::isxdigit(static_cast<unsigned char>(c))) bytes += c;
    }
    examples[text.substr(at + 7, line - at - 7)] = bytes;
  }
  return examples;
}

std::string Plain(std::string_view bytes) {
  std::string out = Hex(bytes);
  std::erase_if(out, [](char c) { return c == ' ' || c == '\n'; });
  return out;
}

std::string RowBytes(bool erased) {
  const auto chain = std::move(ChainBuilder().Add<Visits>()).Build("v").value();
  RowState row = chain->EmptyRow();
  NoResults none;
  Event event = EventFor("anna", At("2026-01-31 12:00"));
  if (erased) {
    event.mutable_customer_erased();
  } else {
    event.mutable_page_viewed();
  }
  chain->OnEvent(event, {}, false, "anna", row, Calendar(), none);
  std::string bytes;
  chain->Encode(300, row, bytes);
  return bytes;
}

v1::JournalEntry Entry() {
  v1::JournalEntry entry;
  entry.set_lineage("7f");
  entry.mutable_id()->set_transactional_id("portrait.p1-0");
  entry.mutable_id()->set_incarnation(9);
  entry.mutable_id()->set_number(2);
  entry.set_first(300);
  StepLog log(2);
  log.Input(0, 40);
  log.Input(0, 41);
  log.Input(1, 7);
  log.Firing({1'769'947'200'000'000, "anna"});
  log.Tick(1'769'947'260'000'000);
  entry.set_last(304);
  log.MoveTo(entry, {"browsing-events", "email-events"}, {42, 8});
  entry.set_floor(300);
  entry.set_chain_version("v");
  return entry;
}

TEST_CASE("every example of bytes in docs/formats.md is what the code writes") {
  const std::map<std::string, std::string> made = {
      {"row", RowBytes(/*erased=*/false)},
      {"gone row", RowBytes(/*erased=*/true)},
      {"row key", RowKeyOf("anna")},
      {"timer key", IndexKeyOf(TimerHint{1'769'947'200'000'000, "anna"})},
      {"gone key", IndexKeyOf(GoneRow{300, "anna"})},
      {"journal entry", Entry().SerializeAsString()},
  };
  const auto documented = Examples();
  CHECK(documented.size() == made.size());
  for (const auto& [name, bytes] : made) {
    INFO(name << ":\n" << Hex(bytes));
    REQUIRE(documented.contains(name));
    CHECK(documented.at(name) == Plain(bytes));
  }
}

TEST_CASE("the journal entry in docs/formats.md is the one whose bytes stand beside it") {
  const std::string text = ReadDocument("docs/formats.md");
  CHECK(text.find(Entry().ShortDebugString()) != std::string::npos);
}

}  // namespace
}  // namespace portrait
