#include "pipeline/tools/latest_rows.h"

#include <catch2/catch_test_macros.hpp>
#include <functional>
#include <map>
#include <optional>
#include <string>

#include "pipeline/memory/memory_broker.h"
#include "pipeline/tools/journal_end.h"

namespace portrait {
namespace {

struct Log {
  Log() { broker.CreateTopic("rows", 1); }
  void Write(const std::string& customer, std::optional<std::string> row,
             StoredRecord::State state = StoredRecord::State::kCommitted) {
    StoredRecord record;
    record.key = customer;
    record.value = std::move(row);
    record.state = state;
    broker.Append("rows", 0, std::move(record));
  }

  ManualClock clock{Timestamp(seconds(1'000'000))};
  MemoryBroker broker{&clock};
};

std::map<std::string, std::string> Visited(LatestRows& rows) {
  std::map<std::string, std::string> out;
  const absl::Status read = rows.ForEach([&](std::string_view customer, std::string_view row) {
    CHECK(out.emplace(customer, row).second);
    return absl::OkStatus();
  });
  CHECK(read.ok());
  return out;
}

TEST_CASE("of each customer the latest row comes, once, and nothing of those that are removed", "[tools]") {
  Log log;
  log.Write("anna", "1");
  log.Write("bert", "1");
  log.Write("anna", "2");
  log.Write("cora", "1");
  log.Write("cora", std::nullopt);
  log.Write("bert", std::nullopt);
  log.Write("bert", "3");
  const auto reader = log.broker.NewReader();
  LatestRows rows(*reader, "rows", 0);
  CHECK(Visited(rows) == std::map<std::string, std::string>{{"anna", "2"}, {"bert", "3"}});
  CHECK(rows.overtaken() == 0);
}

TEST_CASE("a row that compaction removes between the two passes is told, not taken for none", "[tools]") {
  Log log;
  log.Write("anna", "1");
  log.Write("bert", "1");
  const auto reader = log.broker.NewReader();
  bool cut = false;
  LatestRows rows(*reader, "rows", 0, [&](uint64_t done, uint64_t total) {
    CHECK(done <= total);
    if (cut || done + 1 < total / 2) return;
    cut = true;
    log.Write("anna", "2");
    log.broker.Cut("rows", 0, 1);
  });
  CHECK(Visited(rows) == std::map<std::string, std::string>{{"bert", "1"}});
  CHECK(rows.overtaken() == 1);
}

TEST_CASE("what a visitor refuses ends the reading", "[tools]") {
  Log log;
  log.Write("anna", "1");
  log.Write("bert", "1");
  const auto reader = log.broker.NewReader();
  LatestRows rows(*reader, "rows", 0);
  int visits = 0;
  const absl::Status read = rows.ForEach([&](std::string_view, std::string_view) {
    ++visits;
    return absl::DataLossError("no row");
  });
  CHECK(read == absl::DataLossError("no row"));
  CHECK(visits == 1);
}

TEST_CASE("the last entry of a journal is found behind aborted ones", "[tools]") {
  Log log;
  const auto reader = log.broker.NewReader();
  CHECK_FALSE(LastJournalEntry(*reader, "rows", 0)->has_value());
  v1::JournalEntry entry;
  for (const int64_t time_us : {5, 7}) {
    entry.mutable_after()->set_highest_time_us(time_us);
    log.Write("", entry.SerializeAsString());
  }
  for (int i = 0; i < 40; ++i) log.Write("", "aborted", StoredRecord::State::kAborted);
  const auto last = LastJournalEntry(*reader, "rows", 0);
  REQUIRE(last.ok());
  REQUIRE(last->has_value());
  CHECK((*last)->after().highest_time_us() == 7);
  log.Write("", "no entry");
  CHECK(LastJournalEntry(*reader, "rows", 0).status().code() == absl::StatusCode::kDataLoss);
}

}  // namespace
}  // namespace portrait
