// Random histories of the engine over in-memory ports. A failing seed is printed;
//   PORTRAIT_SEED=17 replays it, PORTRAIT_TRACE=1 shows what happens; PORTRAIT_SEEDS=100000 makes a long run.
#include <catch2/catch_test_macros.hpp>
#include <cstdlib>
#include <iostream>
#include <map>
#include <string>
#include <string_view>

#include "pipeline/changelog_batch.h"
#include "portrait/v1/row.pb.h"
#include "tests/simulation/world.h"

namespace portrait::simulation {
namespace {

constexpr uint64_t kStrikesAll = 1000;  // in so many every fault happens, whatever the engine's timing
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr uint64_t kSeeds = 50;  // a seed takes many times as long under a sanitizer
#else
constexpr uint64_t kSeeds = kStrikesAll;
#endif
constexpr int kActions = 150;

uint64_t Setting(const char* name, uint64_t otherwise) {
  const char* value = std::getenv(name);
  return value == nullptr ? otherwise : std::strtoull(value, nullptr, 10);
}

TEST_CASE("nothing is lost and nothing comes twice, whatever dies when") {
  const uint64_t only = Setting("PORTRAIT_SEED", 0);
  const uint64_t first = only != 0 ? only : Setting("PORTRAIT_FIRST_SEED", 1);
  const uint64_t seeds = only != 0 ? 1 : Setting("PORTRAIT_SEEDS", kSeeds);
  std::map<std::string, int64_t> counts;
  for (uint64_t seed = first; seed < first + seeds; ++seed) {
    CAPTURE(seed);
    World world(seed);
    world.Trace(Setting("PORTRAIT_TRACE", 0) != 0);
    world.Run(kActions);
    REQUIRE(world.failure() == "");
    world.Settle();
    REQUIRE(world.failure() == "");
    world.StopAndCheck();
    REQUIRE(world.failure() == "");
    for (const auto& [what, count] : world.counts) counts["fault: " + what] += count;
    counts["total: steps replayed"] += static_cast<int64_t>(world.steps_replayed());
    counts["total: rebalances"] += world.group.rebalances();
    counts["total: journal entries checked"] += static_cast<int64_t>(world.checker().entries());
    counts["total: results checked"] += static_cast<int64_t>(world.checker().results());
  }
  for (const auto& [what, count] : counts) std::cout << what << " " << count << "\n";
  std::cout << seeds << " seeds, nothing lost, nothing twice\n";
  if (seeds < kStrikesAll) return;
  // Every point was struck; else a fault is no longer tried, and nobody would notice.
  for (const std::string_view point : kPointNames) CHECK(counts["fault: killed " + std::string(point)] > 0);
  for (const char* fault :
       {"EndTxn lost", "delayed EndTxn arrived in time", "delayed EndTxn fenced", "answers to EndTxn lost",
        "transactions timed out", "sessions expired", "disks wiped", "older disks put back", "disks that lost batches",
        "partitions lost by a zombie", "commits refused by the group's generation",
        "processes paused in the middle of a call", "standbys up to date", "standbys' rows taken over",
        "standbys that stood still for longer than tombstones are kept", "waits for stable offsets",
        "waits for the end of a log"}) {
    INFO(fault);
    CHECK(counts[std::string("fault: ") + fault] > 0);
  }
}

TEST_CASE("a seed replays exactly") {
  const auto history = [] {
    World world(12);
    world.Run(kActions);
    world.Settle();
    std::string told;
    for (const auto& [what, count] : world.counts) told += what + " " + std::to_string(count) + "\n";
    return told + std::to_string(world.checker().results()) + " at " +
           std::to_string(world.clock.Now().time_since_epoch().count());
  };
  CHECK(history() == history());
}

TEST_CASE("a clean stop and start of a process replays nothing") {
  World world(World::Calm{});
  for (int round = 0; round < 20; ++round) {
    world.SendEvents(20);
    world.Settle();
    world.StopAndCheck();
    REQUIRE(world.failure() == "");
  }
  CHECK(world.steps_replayed() == 0);
}

TEST_CASE("an empty disk is restored from the changelog") {
  World world(World::Calm{});
  for (int round = 0; round < 3; ++round) {
    world.SendEvents(100);
    world.Settle();
    world.StopAndCheck();
    REQUIRE(world.failure() == "");
    for (int32_t p = 0; p < World::kPartitions; ++p) world.disk(0, p).Wipe();
  }
  world.Settle();
  world.StopAndCheck();
  CHECK(world.failure() == "");
}

TEST_CASE("a source whose record vanished stops the replay, naming the place") {
  World world(World::Calm{});
  world.SendEvents(300);
  world.ApplyAll();
  world.Kill(0);
  for (const std::string& source : World::Sources()) {
    for (int32_t p = 0; p < World::kPartitions; ++p) {
      Log& log = world.transactions.log(source, p);
      log.Cut(log.end());
    }
  }
  world.Settle();
  CHECK(world.failure().find("the input to replay is gone") != std::string::npos);
}

TEST_CASE("the journal is cut as it goes, and a recovery still finds what it needs") {
  World world(World::Calm{});
  for (int round = 0; round < 40; ++round) {
    world.SendEvents(20);
    world.Settle();
  }
  world.StopAndCheck();
  REQUIRE(world.failure() == "");
  for (int32_t p = 0; p < World::kPartitions; ++p) {
    CHECK(world.transactions.log(world.options().JournalTopic(), p).begin() > 0);
  }
  world.SendEvents(100);
  world.Settle();
  world.Kill(0);
  world.Settle();
  world.StopAndCheck();
  CHECK(world.failure() == "");
}

TEST_CASE("local state that may have missed a removal is thrown away and restored") {
  World world(World::Calm{});
  world.SendEvents(200);
  world.Settle();
  world.StopAndCheck();
  REQUIRE(world.failure() == "");
  RowBatch batch;
  MemoryRowStore store(&world.disk(0, 0));
  batch.meta = store.Meta()->value();
  batch.writes.emplace_back("removed while this disk was away", v1::Row().SerializeAsString());
  REQUIRE(store.Write(batch).ok());
  const auto there = [&] { return store.Get("removed while this disk was away")->has_value(); };
  SECTION("not when it is fresh enough") {
    world.clock.Advance(days(3));
    world.Settle();
    CHECK(there());
  }
  SECTION("when it is older than half of the time for which tombstones are kept") {
    world.clock.Advance(days(4));
    world.Settle();
    CHECK_FALSE(there());
    world.StopAndCheck();
  }
  CHECK(world.failure() == "");
}

TEST_CASE("who follows the changelog has the same index of timers as the owner, and nothing left over") {
  World world(World::Calm{});
  for (int round = 0; round < 20; ++round) {
    world.SendEvents(20);
    world.Settle();
  }
  world.StopAndCheck();
  REQUIRE(world.failure() == "");
  size_t compared = 0;
  for (int32_t p = 0; p < World::kPartitions; ++p) {
    MemoryDisk disk;
    MemoryRowStore follower(&disk), owner(&world.disk(0, p));
    ChangelogBatch batch(2000);  // a few rows
    const Log& log = world.transactions.log(world.options().ChangelogTopic(), p);
    for (const LogRecord* stored = log.Next(0); stored != nullptr; stored = log.Next(stored->offset + 1)) {
      Record record;
      record.key = *stored->key;
      if (stored->value) record.value = *stored->value;
      for (const auto& [name, value] : stored->headers) record.headers.push_back({name, value});
      batch.Add(record, 1);
      if (batch.full()) REQUIRE(batch.WriteTo(follower, {}).ok());
    }
    REQUIRE(batch.WriteTo(follower, {}).ok());
    const auto timers = [](RowStore& store) { return store.ReadTimers({INT64_MIN, ""}, INT64_MAX, 10'000).value(); };
    CHECK(timers(follower) == timers(owner));
    compared += timers(owner).size();
  }
  CHECK(compared > 0);
}

// The checker is itself checked, here without an engine's help and in tests/mutants with faults planted in the engine.
TEST_CASE("the checker sees a transaction without its journal entry, and a result that came twice") {
  World world(World::Calm{});
  world.SendEvents(100);
  world.Settle();
  REQUIRE(world.failure() == "");
  int64_t epoch = 0, offset = 0;
  while (world.transactions.InitProducer("intruder", world.clock.Now().time_since_epoch(), epoch) != Answer::kOk) {
  }
  const LogRecord* result = world.transactions.log("results", 0).Next(0);
  REQUIRE(result != nullptr);
  const LogRecord copy = *result;
  world.transactions.Produce("intruder", epoch, {"results", 0}, copy, {}, offset);
  world.transactions.End("intruder", epoch, true, {});
  CHECK(world.failure().find("RESULT twice") != std::string::npos);
  CHECK(world.failure().find("0 journal entries") != std::string::npos);
}

}  // namespace
}  // namespace portrait::simulation
