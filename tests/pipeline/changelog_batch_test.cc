#include "pipeline/changelog_batch.h"

#include <catch2/catch_test_macros.hpp>
#include <string>

#include "absl/strings/str_cat.h"
#include "pipeline/changelog_headers.h"
#include "state/memory_row_store.h"

namespace portrait {
namespace {

struct Fixture {
  MemoryDisk disk;
  MemoryRowStore store{&disk};
  ChangelogBatch batch{1 << 20};

  void Add(const std::string& customer, uint64_t number, int64_t timer_us = 0, bool gone = false,
           const std::string& timer_before = "") {
    v1::Row row;
    row.set_number(number);
    if (timer_us != 0) row.set_next_timer_us(timer_us);
    row.set_gone(gone);
    const std::string bytes = row.SerializeAsString();
    Record record;
    record.key = customer;
    record.value = bytes;
    if (!timer_before.empty()) record.headers.push_back({kTimerBeforeHeader, timer_before});
    batch.Add(record, number);
  }
  void Remove(const std::string& customer, uint64_t number) {
    Record record;
    record.key = customer;
    batch.Add(record, number);
  }
  std::string Shown() {
    std::string out = absl::StrCat("highest=", store.Meta().value()->highest_number());
    REQUIRE(store
                .Scan([&](std::string_view customer, std::string_view row) {
                  absl::StrAppend(&out, " ", std::string(customer), "@", ReadRowHeader(row)->number);
                  return absl::OkStatus();
                })
                .ok());
    const auto timers = store.ReadTimers({INT64_MIN, ""}, INT64_MAX, 100).value();
    for (const TimerHint& hint : timers) absl::StrAppend(&out, " ", hint.customer_id, "!", hint.time_us);
    const auto gone = store.ReadGone().value();
    for (const GoneRow& row : gone) absl::StrAppend(&out, " ", row.customer_id, "-", row.number);
    return out;
  }
};

TEST_CASE("of many records the last of each customer is written, with its timer") {
  Fixture f;
  f.Add("ann", 1, 100);
  f.Add("bob", 2, 50);
  f.Add("ann", 5, 70);
  REQUIRE(f.batch.WriteTo(f.store, {}).ok());
  CHECK(f.batch.empty());
  CHECK(f.Shown() == "highest=5 ann@5 bob@2 bob!50 ann!70");
}

TEST_CASE("the timer of the image before leaves the index, whatever batch that image was in") {
  Fixture f;
  f.Add("ann", 1, 100);
  f.Add("bob", 2, 50, false, "40");  // there is no image before in an empty store
  REQUIRE(f.batch.WriteTo(f.store, {}).ok());
  f.Add("ann", 3, 120, false, "100");
  f.Add("ann", 4, 130, false, "120");
  f.Add("bob", 5, 0, false, "50");
  f.Add("cid", 6, 10, false, "no number");
  REQUIRE(f.batch.WriteTo(f.store, {}).ok());
  CHECK(f.Shown() == "highest=6 ann@4 bob@5 cid@6 cid!10 ann!130");
  f.Add("ann", 7, 130, false, "130");  // what stands in the row wins
  REQUIRE(f.batch.WriteTo(f.store, {}).ok());
  CHECK(f.Shown() == "highest=7 ann@7 bob@5 cid@6 cid!10 ann!130");
}

TEST_CASE("rows that are gone are listed, those that are removed are not there, and a removed row may come back") {
  Fixture f;
  f.Add("ann", 1, 100);
  f.Add("ann", 3, 0, /*gone=*/true);
  f.Add("bob", 2, 50);
  f.Remove("bob", 4);
  f.Remove("cid", 5);
  f.Add("cid", 6);
  REQUIRE(f.batch.WriteTo(f.store, {}).ok());
  CHECK(f.Shown() == "highest=6 ann@3 cid@6 ann-3");
}

TEST_CASE("the highest number never falls, over batches and stores") {
  Fixture f;
  f.Add("ann", 9);
  REQUIRE(f.batch.WriteTo(f.store, {}).ok());
  ChangelogBatch next(1 << 20);
  Record record;
  record.key = "bob";
  next.Add(record, 4);
  REQUIRE(next.WriteTo(f.store, {}).ok());
  CHECK(f.Shown() == "highest=9 ann@9");
}

TEST_CASE("a batch is full by its bytes, not by how often one customer changed") {
  Fixture f;
  ChangelogBatch small(1000);
  const std::string row = v1::Row().SerializeAsString() + std::string("\x08\x01", 2);
  Record record;
  record.key = "ann";
  record.value = row;
  for (int i = 0; i < 1000; ++i) small.Add(record, 1);
  CHECK_FALSE(small.full());
  for (int i = 0; i < 20; ++i) {
    const std::string customer = absl::StrCat("c", i);
    record.key = customer;
    small.Add(record, 1);
  }
  CHECK(small.full());
}

TEST_CASE("bytes that are no row are refused") {
  Fixture f;
  Record record;
  record.key = "ann";
  record.value = "\x0a\xff";
  f.batch.Add(record, 1);
  CHECK(absl::IsDataLoss(f.batch.WriteTo(f.store, {})));
}

}  // namespace
}  // namespace portrait
