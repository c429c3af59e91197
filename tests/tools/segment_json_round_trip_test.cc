// What our own tools write as JSON is read back as it was: names, units and types of the two sides agree.
#include <catch2/catch_get_random_seed.hpp>
#include <catch2/catch_test_macros.hpp>
#include <random>
#include <set>
#include <string>

#include "pipeline/decode/decoder.h"
#include "pipeline/tools/segment_json.h"

namespace portrait {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using Random = std::mt19937_64;

std::string RandomText(Random& random) {
  static const char* const texts[] = {"a", "007", "Zürich", "東京 🙂", "say \"hi\"\\\n", "null", "1e5", " blank "};
  return texts[random() % std::size(texts)];
}

// Sets about half of the fields, each to something that can be.
void Fill(Message& message, Random& random) {
  const auto* reflection = message.GetReflection();
  for (int i = 0; i < message.GetDescriptor()->field_count(); ++i) {
    const FieldDescriptor* field = message.GetDescriptor()->field(i);
    if (field->is_repeated()) {
      for (uint64_t left = random() % 3; left > 0; --left) Fill(*reflection->AddMessage(&message, field), random);
      continue;
    }
    if (field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
      Fill(*reflection->MutableMessage(&message, field), random);
      continue;
    }
    if (random() % 2 == 0) continue;
    switch (field->cpp_type()) {
      case FieldDescriptor::CPPTYPE_STRING: reflection->SetString(&message, field, RandomText(random)); break;
      case FieldDescriptor::CPPTYPE_INT64:
        reflection->SetInt64(&message, field, static_cast<int64_t>(random() % 1'000'000'000'000'000));
        break;
      case FieldDescriptor::CPPTYPE_INT32:
        reflection->SetInt32(&message, field, static_cast<int32_t>(random() % 3000));
        break;
      case FieldDescriptor::CPPTYPE_DOUBLE:
        reflection->SetDouble(&message, field, static_cast<double>(random() % 1000) / 1000);
        break;
      case FieldDescriptor::CPPTYPE_ENUM:
        reflection->SetEnumValue(&message, field, 1 + static_cast<int>(random() % 2));
        break;
      case FieldDescriptor::CPPTYPE_BOOL: reflection->SetBool(&message, field, true); break;
      default: FAIL("a type of field that this test does not know: " << field->name());
    }
  }
}

Event RandomEvent(Random& random) {
  Event event;
  event.set_event_id(RandomText(random));
  event.set_customer_id(RandomText(random));
  if (random() % 2) event.set_anonymous_id(RandomText(random));
  event.set_event_time_us(static_cast<int64_t>(random() % 4'000'000'000'000'000) + 1);
  if (random() % 2) event.set_sent_time_us(event.event_time_us() + 5);
  if (random() % 2) event.set_received_time_us(event.event_time_us() + 7'000'000);
  if (random() % 2) event.set_session_id(RandomText(random));
  if (random() % 2) event.set_source(RandomText(random));
  const auto* bodies = Event::descriptor()->FindOneofByName("body");
  const auto* body = bodies->field(static_cast<int>(random() % static_cast<uint64_t>(bodies->field_count())));
  Fill(*Event::GetReflection()->MutableMessage(&event, body), random);
  if (event.has_consent_changed()) event.mutable_consent_changed()->set_marketing(v1::Consent::DENIED);
  return event;
}

TEST_CASE("an event written as JSON by our tools is read back as it was") {
  const unsigned seed = Catch::getSeed();  // again by --rng-seed
  INFO("seed " << seed);
  Random random(seed);
  Decoder decoder;
  Event read;
  Record record;
  std::set<EventKind> kinds;
  for (int i = 0; i < 20'000; ++i) {
    const Event event = RandomEvent(random);
    const std::string json = ToSegmentJson(event);
    record.value = json;
    const auto rejection = decoder.Decode(record, {"events", WireFormat::kJson}, read);
    if (rejection) FAIL(rejection->code << ": " << rejection->text << "\n" << json);
    kinds.insert(read.body_case());
    if (read.SerializeAsString() != event.SerializeAsString()) {
      FAIL("differs: " << json << "\n" << event.ShortDebugString() << "\n" << read.ShortDebugString());
    }
  }
  CHECK(static_cast<int>(kinds.size()) == Event::descriptor()->FindOneofByName("body")->field_count());
}

}  // namespace
}  // namespace portrait
