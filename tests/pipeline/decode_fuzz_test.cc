// Whatever bytes come, decoding and cleaning end with an event that is safe to process, or with a rejection.
#include <catch2/catch_get_random_seed.hpp>
#include <catch2/catch_test_macros.hpp>
#include <fstream>
#include <random>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "google/protobuf/stubs/logging.h"
#include "operators/clean.h"
#include "operators/rejection_codes.h"
#include "operators/utf8.h"
#include "pipeline/decode/decoder.h"

namespace portrait {
namespace {

// Protobuf would write a line for every text that is not UTF-8.
[[maybe_unused]] google::protobuf::LogHandler* const kQuiet = google::protobuf::SetLogHandler(nullptr);

using Random = std::mt19937_64;

// The examples of the documentation: one of every kind at least.
std::vector<std::string> JsonExamples() {
  std::ifstream in(PORTRAIT_SOURCE_DIR "/docs/events.md");
  std::stringstream stream;
  stream << in.rdbuf();
  const std::string text = stream.str();
  std::vector<std::string> examples;
  for (size_t at = text.find("```json"); at != std::string::npos; at = text.find("```json", at + 1)) {
    const size_t from = text.find('\n', at) + 1;
    examples.push_back(text.substr(from, text.find("```", from) - from));
  }
  REQUIRE(examples.size() > 30);
  return examples;
}

class Intake {
 public:
  // Decodes and cleans; what comes of it must keep the promises of both. True if an event came of it.
  bool Take(const std::string& bytes, WireFormat format, Event& event) {
    Record record;
    record.partition = 1;
    record.offset = ++offset_;
    record.timestamp_us = kNow;
    const auto copy = std::make_unique<char[]>(bytes.size());  // so that a sanitizer sees a byte too far
    std::copy(bytes.begin(), bytes.end(), copy.get());
    record.value = std::string_view(copy.get(), bytes.size());
    auto rejection = decoder_.Decode(record, {"t", format}, event);
    Event read;
    if (!read.ParseFromString(event.SerializeAsString())) FAIL("cannot be read again: " << event.ShortDebugString());
    if (!rejection) {
      CheckDecoded(event);
      rejection = clean_.Check(event, {FromMicros(kNow)});
    }
    if (rejection) {
      CheckRejection(*rejection);
      return false;
    }
    CheckCleaned(event);
    clean_.IsDuplicate(event, state_);
    if (state_.event_ids_size() > 64 || state_.business_keys_size() > 64) FAIL("the window is not bounded");
    return true;
  }

 private:
  static constexpr int64_t kNow = 1'769'904'000'000'000;

  static void CheckDecoded(const Event& event) {
    if (event.event_id().empty() || RowKey(event).empty() || event.body_case() == Event::BODY_NOT_SET) {
      FAIL("decoded without id, key or body: " << event.ShortDebugString());
    }
  }

  void CheckRejection(const Rejection& rejection) {
    if (!codes_.contains(rejection.code)) FAIL("an unlisted code: " << rejection.code);
    if (rejection.text.empty() || rejection.text.size() > 800 || !IsUtf8(rejection.text)) {
      FAIL("not a sentence: " << rejection.text);
    }
  }

  // Cleaning what is clean changes nothing, and it can be written and read.
  void CheckCleaned(const Event& event) {
    Event again = event, read;
    if (clean_.Check(again, {FromMicros(kNow)}) || again.SerializeAsString() != event.SerializeAsString()) {
      FAIL("cleaning twice differs: " << event.ShortDebugString());
    }
    if (!read.ParseFromString(event.SerializeAsString())) FAIL("cannot be read again: " << event.ShortDebugString());
    if (event.event_time_us() > kNow + 300'000'000) FAIL("in the future: " << event.ShortDebugString());
  }

  static std::set<std::string_view> Codes() {
    std::set<std::string_view> codes;
    for (const RejectionInfo& info : RejectionCodes()) codes.insert(info.name);
    return codes;
  }

  Decoder decoder_;
  Clean clean_{{.rates = {{"USD", 0.92}}}};
  v1::state::CleanState state_;
  const std::set<std::string_view> codes_ = Codes();
  int64_t offset_ = 0;
};

std::string RandomBytes(Random& random) {
  std::string bytes(random() % 200, '\0');
  for (char& c : bytes) c = static_cast<char>(random());
  return bytes;
}

// Changes, inserts, removes or repeats some bytes.
std::string Mutated(std::string bytes, Random& random, const std::vector<std::string>& pieces) {
  for (unsigned left = 1 + random() % 4; left > 0; --left) {
    const size_t at = bytes.empty() ? 0 : random() % bytes.size();
    switch (random() % 6) {
      case 0:
        if (!bytes.empty()) bytes[at] = static_cast<char>(random());
        break;
      case 1: bytes.insert(at, 1, static_cast<char>(random())); break;
      case 2: bytes.erase(at, 1 + random() % 8); break;
      case 3: bytes.insert(at, bytes.substr(at, random() % 40)); break;
      case 4: {
        const std::string& piece = pieces[random() % pieces.size()];
        bytes.replace(at, std::min(bytes.size() - at, random() % 12), piece);
        break;
      }
      default: bytes.resize(at); break;
    }
  }
  return bytes;
}

// Puts another value in place of one that follows a colon, so that the text stays JSON.
std::string WithOtherValue(const std::string& json, Random& random, const std::vector<std::string>& values) {
  std::vector<size_t> colons;
  for (size_t i = 0; i + 1 < json.size(); ++i) {
    if (json[i] == ':' && json[i - 1] == '"') colons.push_back(i);
  }
  const size_t from = colons[random() % colons.size()] + 1;
  size_t to = json.find_first_of(",}]", from);
  if (const size_t first = json.find_first_not_of(' ', from); json[first] == '"') to = json.find('"', first + 1) + 1;
  return json.substr(0, from) + values[random() % values.size()] + json.substr(to);
}

const std::vector<std::string> kValues = {"null",
                                          "true",
                                          "0",
                                          "-1",
                                          "1.5",
                                          "1e308",
                                          "-1e308",
                                          "9223372036854775807",
                                          "18446744073709551615",
                                          "\"\"",
                                          "\"NaN\"",
                                          "\"x\"",
                                          "{}",
                                          "[]",
                                          "[null]",
                                          "[{}]",
                                          "[[]]",
                                          "{\"id\":{}}",
                                          "\"\\u0000\"",
                                          "\"2100-01-01\"",
                                          "\"1970-01-01T00:00:00Z\"",
                                          "\"USD\"",
                                          "\"usd \"",
                                          "\"granted\"",
                                          "\"\\ud83d\\ude42\"",
                                          "\"" + std::string(5000, 'x') + "\"",
                                          "[" + std::string("1,1") + "]",
                                          "{\"a\":1,\"a\":2}"};

int Runs() {
#if defined(__SANITIZE_ADDRESS__)
  return 20'000;
#else
  return 60'000;
#endif
}

TEST_CASE("random bytes do no harm") {
  const unsigned seed = Catch::getSeed();  // again by --rng-seed
  INFO("seed " << seed);
  Random random(seed);
  Intake intake;
  Event event;
  int rejected = 0;
  for (int i = 0; i < Runs(); ++i) {
    rejected += !intake.Take(RandomBytes(random), i % 2 == 0 ? WireFormat::kJson : WireFormat::kProtobuf, event);
  }
  CHECK(rejected > Runs() / 10 * 9);
}

TEST_CASE("mutated JSON does no harm") {
  const unsigned seed = Catch::getSeed();  // again by --rng-seed
  INFO("seed " << seed);
  Random random(seed);
  Intake intake;
  Event event;
  const std::vector<std::string> examples = JsonExamples();
  int events = 0;
  for (int i = 0; i < Runs(); ++i) {
    const std::string& example = examples[random() % examples.size()];
    events += intake.Take(Mutated(example, random, kValues), WireFormat::kJson, event);
  }
  CHECK(events > Runs() / 100);  // so that cleaning was reached too
}

TEST_CASE("JSON with other values in it does no harm") {
  const unsigned seed = Catch::getSeed();  // again by --rng-seed
  INFO("seed " << seed);
  Random random(seed);
  Intake intake;
  Event event;
  const std::vector<std::string> examples = JsonExamples();
  int events = 0;
  for (int i = 0; i < Runs(); ++i) {
    std::string json = examples[random() % examples.size()];
    for (unsigned left = 1 + random() % 3; left > 0; --left) json = WithOtherValue(json, random, kValues);
    events += intake.Take(json, WireFormat::kJson, event);
  }
  CHECK(events > Runs() / 20);
}

TEST_CASE("mutated Protobuf does no harm") {
  const unsigned seed = Catch::getSeed();  // again by --rng-seed
  INFO("seed " << seed);
  Random random(seed);
  Intake intake;
  std::vector<std::string> events;
  for (const std::string& example : JsonExamples()) {
    Event event;
    REQUIRE(intake.Take(example, WireFormat::kJson, event));
    events.push_back(event.SerializeAsString());
  }
  const std::vector<std::string> pieces = {"\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x01",
                                           std::string("\x80\x80\x80\x80\x08", 5),
                                           std::string(1, '\0'),
                                           std::string("\0\0\0\0\0\0\xF8\x7F", 8),
                                           "\xC3\x28",
                                           std::string(300, 'a')};
  Event event;
  int taken = 0;
  for (int i = 0; i < Runs(); ++i) {
    taken += intake.Take(Mutated(events[random() % events.size()], random, pieces), WireFormat::kProtobuf, event);
  }
  CHECK(taken > Runs() / 100);
}

}  // namespace
}  // namespace portrait
