// What goes out: topics, keys, formats, files, dirt, and the bar that shows it.
#include <unistd.h>

#include <catch2/catch_test_macros.hpp>
#include <fstream>
#include <set>
#include <sstream>

#include "absl/strings/str_cat.h"
#include "operators/testing/harness.h"
#include "pipeline/decode/decoder.h"
#include "pipeline/tools/dirt.h"
#include "pipeline/tools/event_writer.h"
#include "pipeline/tools/population.h"
#include "pipeline/tools/progress_bar.h"
#include "pipeline/tools/segment_json.h"

namespace portrait {
namespace {

struct KeptRecord {
  std::string topic;
  std::optional<std::string> key, value;
  std::string content_type;
  int64_t timestamp_us;
  bool operator==(const KeptRecord&) const = default;
};

class KeepingSink final : public RecordSink {
 public:
  absl::Status Write(const NewRecord& record) override {
    KeptRecord kept{std::string(record.topic), {}, {}, {}, record.timestamp_us};
    if (record.key) kept.key = std::string(*record.key);
    if (record.value) kept.value = std::string(*record.value);
    for (const HeaderView& header : record.headers) {
      if (header.name == "content-type") kept.content_type = header.value.value_or("");
    }
    records.push_back(kept);
    return absl::OkStatus();
  }
  absl::Status Finish() override { return absl::OkStatus(); }
  std::vector<KeptRecord> records;
};

Event Order() {
  Event event = EventFor("anna", At("2026-01-31 12:00"));
  event.set_event_id("e1");
  auto& order = *event.mutable_order_completed();
  order.set_order_id("o1");
  order.set_total_micros(29'330'000);
  order.set_currency("USD");
  auto& product = *order.add_products();
  product.set_product_id("tea-1");
  product.set_quantity(2);
  product.set_price_micros(14'665'000);
  return event;
}

TEST_CASE("an event goes to the topic of its kind, keyed by customer, stamped with its time") {
  KeepingSink sink;
  EventWriter writer({.format = WireFormat::kProtobuf}, &sink);
  const Event order = Order();
  REQUIRE(writer.Write(order).ok());
  CHECK(sink.records[0] == KeptRecord{"purchase-events", "anna", order.SerializeAsString(), "application/x-protobuf",
                                      order.event_time_us()});
  CHECK(writer.events() == 1);
  CHECK(writer.by_topic() == std::map<std::string, uint64_t>{{"purchase-events", 1}});
}

TEST_CASE("every kind of event has a topic") {
  const EventTopics topics;
  std::string told;
  for (const auto kind :
       {Event::kPageViewed, Event::kCheckoutStarted, Event::kEmailDelivered, Event::kUnsubscribed,
        Event::kOrderCompleted, Event::kOrderCancelled, Event::kQuestionAsked, Event::kSatisfactionRated,
        Event::kPhoneCall, Event::kIdentified, Event::kConsentChanged, Event::kCustomerErased, Event::kTagPinned}) {
    absl::StrAppend(&told, std::string(EventKindName(kind)), " ", topics.Of(kind), "\n");
  }
  CHECK(told ==
        "page_viewed browsing-events\ncheckout_started browsing-events\nemail_delivered email-events\nunsubscribed "
        "email-events\n"
        "order_completed purchase-events\norder_cancelled purchase-events\nquestion_asked service-events\n"
        "satisfaction_rated service-events\nphone_call profile-events\nidentified profile-events\nconsent_changed "
        "profile-events\ncustomer_erased profile-events\ntag_pinned profile-events\n");
}

TEST_CASE("JSON has the shape and the names of Segment") {
  CHECK(
      ToSegmentJson(Order()) ==
      R"({"type":"track","event":"Order Completed","messageId":"e1","userId":"anna","timestamp":"2026-01-31T12:00:00Z",)"
      R"("properties":{"order_id":"o1","total":29.33,"currency":"USD","products":[{"product_id":"tea-1","price":14.665,"quantity":2}]}})");
  Event person = EventFor("anna", At("2026-01-31 12:00"));
  person.set_event_id("e2");
  person.mutable_identified()->set_name("Anna");
  person.mutable_identified()->set_city("Munich");
  CHECK(ToSegmentJson(person) ==
        R"({"type":"identify","messageId":"e2","userId":"anna","timestamp":"2026-01-31T12:00:00Z",)"
        R"("traits":{"name":"Anna","address":{"city":"Munich"}}})");
  Event bad = EventFor("an\xffna\n", At("2026-01-31 12:00"));
  bad.mutable_page_viewed();
  CHECK(ToSegmentJson(bad).find('\n') == std::string::npos);
}

TEST_CASE("lines go to a file for each topic, or all to one stream") {
  const auto folder = std::filesystem::temp_directory_path() / absl::StrCat("portrait-lines-", getpid());
  {
    LineSink files(folder);
    EventWriter writer({.format = WireFormat::kJson}, &files);
    REQUIRE(writer.Write(Order()).ok());
    REQUIRE(writer.Write(Order()).ok());
    REQUIRE(files.Finish().ok());
  }
  std::ifstream file(folder / "purchase-events.ndjson");
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  CHECK(text == ToSegmentJson(Order()) + "\n" + ToSegmentJson(Order()) + "\n");
  std::filesystem::remove_all(folder);

  std::ostringstream stream;
  LineSink all(&stream);
  REQUIRE(all.Write({.topic = "t", .value = "line"}).ok());
  CHECK(stream.str() == "line\n");
  LineSink nowhere(std::filesystem::path("/dev/null/folder"));
  CHECK(!nowhere.Write({.topic = "t", .value = "line"}).ok());
}

TEST_CASE("dirt is added beside clean records, of every kind, and counted") {
  const auto run = [](WireFormat format, double rate) {
    KeepingSink sink;
    DirtySink dirty({.rate = rate, .seed = 5}, &sink);
    EventWriter writer({.format = format}, &dirty);
    Population population({.seed = 7, .customers = 60, .begin = At("2026-01-01"), .end = At("2026-03-01")});
    for (Event event; population.Next(event);) REQUIRE(writer.Write(event).ok());
    uint64_t added = 0;
    std::string missing;
    for (size_t i = 0; i < kDirtKinds; ++i) {
      added += dirty.count(static_cast<Dirt>(i));
      if (dirty.count(static_cast<Dirt>(i)) == 0) missing += DirtName(static_cast<Dirt>(i));
    }
    if (rate > 0) CHECK(missing == "");
    CHECK(sink.records.size() == writer.events() + added);
    return sink.records;
  };
  const auto clean = run(WireFormat::kProtobuf, 0), soiled = run(WireFormat::kProtobuf, 0.05);
  REQUIRE(soiled.size() > clean.size());
  size_t next = 0;
  for (const KeptRecord& record : soiled) {
    if (next < clean.size() && record == clean[next]) ++next;
  }
  CHECK(next == clean.size());  // all clean records are there, in their order
  CHECK(run(WireFormat::kJson, 0.05).size() == soiled.size());
}

class StillClock final : public Clock {
 public:
  Timestamp Now() const override { return Timestamp(); }
  Duration Monotonic() const override { return now; }
  Duration now{};
};

TEST_CASE("a progress bar is drawn on a terminal, ten times a second at most") {
  std::ostringstream out;
  StillClock clock;
  {
    ProgressBar bar("importing", {.total = 200, .stream = &out, .terminal = 1, .clock = &clock});
    bar.Update(50, "50 events");
    bar.Update(60, "60 events");  // too soon
    clock.now = seconds(6);
    bar.Update(100, "100 events");
    bar.Update(200, "200 events");
  }
  CHECK(out.str() ==
        "\rimporting [=======>                      ]  25 %  50 events  0:00\x1b[K"
        "\rimporting [===============>              ]  50 %  100 events  0:06 left\x1b[K"
        "\rimporting [==============================] 100 %  200 events  0:06\x1b[K\n");
}

TEST_CASE("no terminal, no bar") {
  std::ostringstream out;
  {
    ProgressBar bar("importing", {.total = 2, .stream = &out, .terminal = 0});
    bar.Update(1);
  }
  CHECK(out.str() == "");
}

TEST_CASE("counts are readable") {
  CHECK(ShortCount(9'999) == "9999");
  CHECK(ShortCount(12'345) == "12.3 k");
  CHECK(ShortCount(1'234'567) == "1.2 M");
  CHECK(LongCount(0) == "0");
  CHECK(LongCount(999) == "999");
  CHECK(LongCount(1'234'567) == "1 234 567");
}

}  // namespace
}  // namespace portrait
