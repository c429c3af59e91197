#include "pipeline/tools/result_text.h"

#include <catch2/catch_test_macros.hpp>

#include "operators/testing/harness.h"
#include "pipeline/tools/dead_letters.h"

namespace portrait {
namespace {

v1::ResultInfo Info(const std::string& customer, std::string_view time, const std::string& reason = {}) {
  v1::ResultInfo info;
  info.set_customer_id(customer);
  info.set_event_time_us(ToMicros(At(time)));
  if (!reason.empty()) info.add_reasons()->set_text(reason);
  return info;
}

v1::TagChange Change(const std::string& customer, const std::string& tag, bool after) {
  v1::TagChange change;
  *change.mutable_info() = Info(customer, "2026-01-31 12:00", "no activity for 60 days");
  change.set_tag(tag);
  change.set_before(!after);
  change.set_after(after);
  return change;
}

v1::ChurnAlert Alert(v1::ChurnAlert::Phase phase, v1::ChurnAlert::Band band, v1::ChurnAlert::Band before) {
  v1::ChurnAlert alert;
  *alert.mutable_info() = Info("bert", "2026-03-02 09:30", "silent for 41 days, usually 12");
  alert.mutable_info()->add_reasons()->set_text("2 complaints unresolved");
  alert.set_phase(phase);
  alert.set_band(band);
  alert.set_band_before(before);
  alert.set_probability(0.742);
  alert.set_horizon_days(90);
  alert.set_value_at_risk_micros(120'499'999);
  alert.set_currency("USD");
  return alert;
}

v1::DeadLetter Letter() {
  v1::DeadLetter letter;
  letter.set_code("malformed_json");
  letter.set_text("the value is no JSON");
  letter.set_topic("purchase-events");
  letter.set_partition(3);
  letter.set_offset(1234);
  letter.set_timestamp_us(ToMicros(At("2026-03-02 09:31")));
  letter.set_value("{broken");
  letter.set_original_bytes(812);
  return letter;
}

TEST_CASE("results read like sentences") {
  CHECK(ResultLine(Change("anna", "silent", true)) ==
        "2026-01-31 12:00  anna  + silent  because no activity for 60 days");
  CHECK(ResultLine(Change("anna", "active", false)) ==
        "2026-01-31 12:00  anna  - active  because no activity for 60 days");
  CHECK(ResultLine(Alert(v1::ChurnAlert::OPENED, v1::ChurnAlert::HIGH, v1::ChurnAlert::NONE)) ==
        "2026-03-02 09:30  bert  ! churn opened, high: 74 % that no order comes within 90 days, 120.50 USD at risk  "
        "because "
        "silent for 41 days, usually 12; 2 complaints unresolved");
  CHECK(ResultLine(Alert(v1::ChurnAlert::CLOSED, v1::ChurnAlert::NONE, v1::ChurnAlert::HIGH)) ==
        "2026-03-02 09:30  bert  ~ churn closed  because silent for 41 days, usually 12; 2 complaints unresolved");
  CHECK(ResultLine(Letter()) ==
        "2026-03-02 09:31  purchase-events/3@1234  ! malformed_json: the value is no JSON (812 bytes)");
}

TEST_CASE("a reason without words is told by its feature") {
  v1::Reason reason;
  reason.set_feature("site.silence");
  reason.mutable_value()->set_duration_us(days(61) / std::chrono::microseconds(1));
  reason.set_comparison(">=");
  reason.mutable_threshold()->set_integer(60);
  CHECK(ReasonText(reason) == "site.silence 61.0 days (>= 60)");
  CHECK(ReasonText(v1::Reason()) == "");
}

TEST_CASE("money is rounded to the cent") {
  CHECK(MoneyText(29'330'000, "USD") == "29.33 USD");
  CHECK(MoneyText(-5'000, "") == "-0.01");
  CHECK(MoneyText(0, "EUR") == "0.00 EUR");
}

Record RecordOf(std::string_view value, std::optional<std::string_view> content_type) {
  Record record;
  record.value = value;
  if (content_type) record.headers.push_back({"Content-Type", content_type});
  return record;
}

TEST_CASE("results are read as Protobuf and as JSON, by their header or without one") {
  const v1::TagChange change = Change("anna", "silent", true);
  const std::string protobuf = change.SerializeAsString(), json = ResultJson(change);
  CHECK(json.find("\"event_time_us\":\"1769860800000000\"") != std::string::npos);
  CHECK(json.find("\"before\":false") != std::string::npos);
  const auto read = [&](std::string_view value, std::optional<std::string_view> type) {
    const auto result = DecodeResult(*v1::TagChange::descriptor(), RecordOf(value, type));
    return result.ok() ? ResultLine(**result) : std::string(result.status().message());
  };
  const std::string line = ResultLine(change);
  CHECK(read(protobuf, "application/x-protobuf") == line);
  CHECK(read(json, "application/json; charset=utf-8") == line);
  CHECK(read(protobuf, std::nullopt) == line);
  CHECK(read(json, std::nullopt) == line);
  CHECK(read("\xff\xff", std::nullopt) == "not a TagChange");
  CHECK(read("{broken", std::nullopt).starts_with("not a TagChange as JSON"));
  CHECK(!DecodeResult(*v1::TagChange::descriptor(), Record()).ok());
}

TEST_CASE("a filter lets through what meets all its conditions") {
  const auto silent = Change("anna", "silent", true);
  const auto high = Alert(v1::ChurnAlert::OPENED, v1::ChurnAlert::HIGH, v1::ChurnAlert::NONE);
  const auto low = Alert(v1::ChurnAlert::OPENED, v1::ChurnAlert::LOW, v1::ChurnAlert::NONE);
  const auto closed = Alert(v1::ChurnAlert::CLOSED, v1::ChurnAlert::NONE, v1::ChurnAlert::HIGH);
  const auto passes = [&](const ResultFilter& filter) {
    std::string passed;
    if (filter.Passes(silent)) passed += "silent ";
    if (filter.Passes(high)) passed += "high ";
    if (filter.Passes(low)) passed += "low ";
    if (filter.Passes(closed)) passed += "closed ";
    if (filter.Passes(Letter())) passed += "letter ";
    return passed;
  };
  CHECK(passes({}) == "silent high low closed letter ");
  CHECK(passes({.customers = {"anna"}}) == "silent ");
  CHECK(passes({.customers = {"anna", "bert"}}) == "silent high low closed ");
  CHECK(passes({.tags = {"lost", "silent"}}) == "silent ");
  CHECK(passes({.band = v1::ChurnAlert::MEDIUM}) == "high closed ");
  CHECK(passes({.codes = {"malformed_json"}}) == "letter ");
  CHECK(passes({.codes = {"too_large"}}) == "");
  CHECK(passes({.customers = {"anna"}, .tags = {"lost"}}) == "");
}

TEST_CASE("dead letters are counted by code and topic") {
  LetterCounts counts;
  counts.Add(Letter());
  v1::DeadLetter later = Letter();
  later.set_timestamp_us(ToMicros(At("2026-03-05 10:00")));
  counts.Add(later);
  later.set_code("wrong_partition");
  counts.Add(later);
  CHECK(counts.total() == 3);
  CHECK(counts.Text() ==
        "           3 dead letters\n"
        "           2  malformed_json, purchase-events, records of 2026-03-02 09:31 to 2026-03-05 10:00\n"
        "                purchase-events/3@1234: the value is no JSON\n"
        "           1  wrong_partition, purchase-events, records of 2026-03-05 10:00 to 2026-03-05 10:00\n"
        "                purchase-events/3@1234: the value is no JSON\n");
}

// Remembers what is sent.
class TellingSink final : public RecordSink {
 public:
  absl::Status Write(const NewRecord& record) override {
    told += std::string(record.topic) + "/" + std::to_string(record.partition) +
            " key=" + std::string(record.key.value_or("none")) +
            " value=" + std::string(record.value.value_or("none")) + " time=" + std::to_string(record.timestamp_us);
    for (const HeaderView& header : record.headers) {
      told += " " + std::string(header.name) + "=" + std::string(header.value.value_or("none"));
    }
    told += "\n";
    return absl::OkStatus();
  }
  absl::Status Finish() override { return absl::OkStatus(); }
  std::string told;
};

TEST_CASE("a dead letter's record is sent again as it was, its partition by the key") {
  v1::DeadLetter letter = Letter();
  letter.set_has_key(true);
  letter.set_key("anna");
  letter.set_timestamp_us(77);
  auto* header = letter.add_headers();
  header->set_name("content-type");
  header->set_value("application/json");
  TellingSink sink;
  LetterSender sender(&sink, nullptr, seconds(1));
  CHECK(sender.Send(letter).ok());
  letter.clear_has_key();
  letter.clear_key();
  letter.set_tombstone(true);
  letter.clear_value();
  CHECK(sender.Send(letter).ok());
  CHECK(sink.told ==
        "purchase-events/-1 key=anna value={broken time=77 content-type=application/json\n"
        "purchase-events/3 key=none value=none time=77 content-type=application/json\n");
  CHECK(sender.sent() == 2);
}

// One record of a log, and whether it is still there.
class OneRecordReader final : public LogReader {
 public:
  explicit OneRecordReader(int64_t begin) : begin_(begin) {}
  absl::StatusOr<LogRange> Range(std::string_view, int32_t, Duration) override { return LogRange{begin_, 2000}; }
  absl::StatusOr<std::unique_ptr<LogCursor>> Open(std::string_view, int32_t, int64_t from, int64_t) override {
    class Cursor final : public LogCursor {
     public:
      explicit Cursor(int64_t offset) : offset_(offset) {}
      absl::StatusOr<std::optional<Record>> Next(Duration) override {
        Record record;
        record.offset = offset_;
        record.value = "the whole value";
        record.headers.push_back({"unused", std::nullopt});  // GCC 12 takes moving an empty list for a mistake
        return record;
      }
      int64_t offset_;
    };
    return std::make_unique<Cursor>(from);
  }

 private:
  int64_t begin_;
};

TEST_CASE("of a letter that was cut the original is fetched, and counted as not sent once it is gone") {
  v1::DeadLetter letter = Letter();
  letter.set_truncated(true);
  TellingSink sink;
  OneRecordReader there(0), gone(1235);
  LetterSender from_there(&sink, &there, seconds(1)), from_gone(&sink, &gone, seconds(1));
  CHECK(from_there.Send(letter).ok());
  CHECK(sink.told.find("value=the whole value") != std::string::npos);
  sink.told.clear();
  CHECK(from_gone.Send(letter).ok());
  CHECK(sink.told == "");
  CHECK(from_gone.sent() == 0);
  CHECK(from_gone.not_sent().size() == 1);
}

TEST_CASE("a dry run counts and sends nothing") {
  LetterSender sender(nullptr, nullptr, seconds(1));
  CHECK(sender.Send(Letter()).ok());
  CHECK(sender.by_topic() == std::map<std::string, uint64_t>{{"purchase-events", 1}});
}

}  // namespace
}  // namespace portrait
