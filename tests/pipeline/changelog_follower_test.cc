#include "pipeline/changelog_follower.h"

#include <catch2/catch_test_macros.hpp>
#include <string>

#include "absl/strings/str_cat.h"
#include "pipeline/memory/memory_broker.h"
#include "state/memory_row_store.h"

namespace portrait {
namespace {

struct Fixture {
  Fixture() { broker.CreateTopic("changelog", 1); }

  void Append(const std::string& customer, uint64_t number) {
    v1::Row row;
    row.set_number(number);
    StoredRecord record;
    record.key = customer;
    record.value = row.SerializeAsString();
    broker.Append("changelog", 0, std::move(record));
  }
  ChangelogFollower Follower(ChangelogFollower::Options options) {
    options.topic = "changelog";
    options.lineage = "history";
    return ChangelogFollower(store, *reader, clock, options);
  }
  std::string Shown() {
    const auto meta = store.Meta().value().value_or(v1::StoreMeta());
    std::string out = absl::StrCat("P=", meta.changelog_position(), " as-of=", meta.as_of_us() / 1'000'000,
                                   " last=", meta.last_committed_step());
    const absl::Status scanned = store.Scan([&](std::string_view customer, std::string_view row) {
      absl::StrAppend(&out, " ", std::string(customer), "@", ReadRowHeader(row)->number);
      return absl::OkStatus();
    });
    return scanned.ok() ? out : scanned.ToString();
  }

  ManualClock clock{FromMicros(50'000'000)};
  MemoryBroker broker{&clock};
  MemoryDisk disk;
  MemoryRowStore store{&disk};
  std::unique_ptr<LogReader> reader = broker.NewReader();
};

TEST_CASE("the last record of each customer stands in the store, with the position after it") {
  Fixture f;
  f.Append("ann", 1);
  f.Append("bob", 2);
  f.Append("ann", 5);
  ChangelogFollower follower = f.Follower({});
  REQUIRE(follower.Open(3, f.clock.Now()).ok());
  CHECK(follower.Advance(100, seconds(1)).value());
  CHECK(f.Shown() == "P=3 as-of=50 last=5 ann@5 bob@2");
}

TEST_CASE("a follower that stops half-way keeps its place, but does not claim to know the end") {
  Fixture f;
  for (uint64_t n = 1; n <= 5; ++n) f.Append(absl::StrCat("c", n), n);
  {
    ChangelogFollower follower = f.Follower({.as_of_us = 7'000'000});
    REQUIRE(follower.Open(5, f.clock.Now()).ok());
    CHECK_FALSE(follower.Advance(2, seconds(1)).value());
    CHECK(f.Shown() == "P=2 as-of=7 last=2 c1@1 c2@2");
  }
  ChangelogFollower next = f.Follower({.position = 2, .as_of_us = 7'000'000, .last_step = 2});
  REQUIRE(next.Open(5, f.clock.Now()).ok());
  CHECK_FALSE(next.Advance(3, seconds(1)).value());
  CHECK(next.Advance(3, seconds(1)).value());
  CHECK(next.rows() == 3);
  CHECK(f.Shown() == "P=5 as-of=50 last=5 c1@1 c2@2 c3@3 c4@4 c5@5");
}

TEST_CASE("a follower goes on where it reached the end the last time") {
  Fixture f;
  f.Append("ann", 1);
  ChangelogFollower follower = f.Follower({});
  REQUIRE(follower.Open(1, f.clock.Now()).ok());
  CHECK(follower.Advance(100, seconds(1)).value());
  f.Append("ann", 2);
  REQUIRE(follower.Open(2, f.clock.Now()).ok());
  CHECK(follower.Advance(100, seconds(1)).value());
  CHECK(follower.rows() == 2);
  CHECK(f.Shown() == "P=2 as-of=50 last=2 ann@2");
}

TEST_CASE("a tombstone removes the row, and its number counts") {
  Fixture f;
  f.Append("ann", 1);
  f.Append("bob", 2);
  StoredRecord gone;
  gone.key = "ann";
  gone.headers = {{"number", "3"}};
  f.broker.Append("changelog", 0, std::move(gone));
  ChangelogFollower follower = f.Follower({.step_limit = 3});
  REQUIRE(follower.Open(3, f.clock.Now()).ok());
  CHECK(follower.Advance(100, seconds(1)).value());
  CHECK(f.Shown() == "P=3 as-of=50 last=3 bob@2");
}

TEST_CASE("a row that is ahead of the journal is refused, and nothing of its batch is stored") {
  Fixture f;
  f.Append("ann", 1);
  f.Append("bob", 9);
  ChangelogFollower follower = f.Follower({.step_limit = 8});
  REQUIRE(follower.Open(2, f.clock.Now()).ok());
  const auto advanced = follower.Advance(100, seconds(1));
  CHECK(absl::IsDataLoss(advanced.status()));
  CHECK(advanced.status().message().find("offset 1 step 9, journal 8") != std::string::npos);
  CHECK(f.Shown() == "P=0 as-of=0 last=0");
}

TEST_CASE("who sleeps for longer than tombstones are kept does not take its rows for fresh") {
  Fixture f;
  f.Append("ann", 1);
  f.Append("bob", 2);
  ChangelogFollower follower = f.Follower({.as_of_us = 40'000'000, .tombstones_kept = seconds(100)});
  REQUIRE(follower.Open(2, f.clock.Now()).ok());
  CHECK_FALSE(follower.Advance(1, seconds(1)).value());
  f.clock.Advance(seconds(95));                          // ann may have been removed since, and her tombstone too
  CHECK_FALSE(follower.Advance(1, seconds(1)).value());  // not yet at the end
  CHECK(absl::IsAborted(follower.Advance(1, seconds(1)).status()));
  CHECK(f.Shown() == "P=2 as-of=40 last=2 ann@1 bob@2");
  CHECK(absl::IsAborted(follower.NothingNew(f.clock.Now())));
}

TEST_CASE("who looks often enough and finds nothing new stays fresh, and stores that now and then") {
  Fixture f;
  f.Append("ann", 1);
  ChangelogFollower follower = f.Follower({.as_of_us = 40'000'000, .tombstones_kept = seconds(1000)});
  REQUIRE(follower.Open(1, f.clock.Now()).ok());
  REQUIRE(follower.Advance(10, seconds(1)).value());
  f.clock.Advance(seconds(500));
  REQUIRE(follower.NothingNew(f.clock.Now()).ok());
  CHECK(f.Shown() == "P=1 as-of=50 last=1 ann@1");
  f.clock.Advance(seconds(900));
  REQUIRE(follower.NothingNew(f.clock.Now()).ok());
  CHECK(f.Shown() == "P=1 as-of=1450 last=1 ann@1");
  f.Append("bob", 2);
  f.clock.Advance(seconds(900));
  const Timestamp asked = f.clock.Now();
  f.clock.Advance(seconds(50));
  REQUIRE(follower.Open(2, asked).ok());
  CHECK(follower.Advance(10, seconds(1)).value());
  CHECK(f.Shown() == "P=2 as-of=2350 last=2 ann@1 bob@2");  // as of when the end was asked for
}

}  // namespace
}  // namespace portrait
