// Random histories of the engine over in-memory ports: kills, clean stops, commits whose outcome is unknown.
//   PORTRAIT_SEED=17 replays one seed; PORTRAIT_SEEDS=100000 makes a long run.
#include <catch2/catch_test_macros.hpp>
#include <cstdlib>
#include <iostream>
#include <map>
#include <string>

#include "portrait/v1/journal.pb.h"
#include "tests/simulation/checker.h"
#include "tests/simulation/world.h"

namespace portrait::simulation {
namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr uint64_t kSeeds = 50;  // a seed takes many times as long under a sanitizer
#else
constexpr uint64_t kSeeds = 1000;
#endif

uint64_t Setting(const char* name, uint64_t otherwise) {
  const char* value = std::getenv(name);
  return value == nullptr ? otherwise : std::strtoull(value, nullptr, 10);
}

std::string Joined(const std::vector<std::string>& lines) {
  std::string out;
  for (const std::string& line : lines) out += line + "\n";
  return out;
}

TEST_CASE("nothing is lost and nothing comes twice, whatever dies when") {
  const uint64_t only = Setting("PORTRAIT_SEED", 0);
  const uint64_t seeds = Setting("PORTRAIT_SEEDS", kSeeds);
  std::map<std::string, int> counts;
  for (uint64_t seed = only ? only : 1; seed <= (only ? only : seeds); ++seed) {
    CAPTURE(seed);
    World world(seed);
    for (int step = 0; step < 400 && world.failure().empty(); ++step) world.Step();
    REQUIRE(world.failure() == "");
    REQUIRE(Joined(Check(world, false)) == "");
    world.Settle();
    REQUIRE(world.failure() == "");
    REQUIRE(Joined(Check(world, true)) == "");
    for (const auto& [what, count] : world.counts) counts[what] += count;
    counts["steps replayed"] += static_cast<int>(world.replayed_steps());
  }
  for (const auto& [what, count] : counts) std::cout << what << " " << count << "\n";
  CHECK(counts["steps replayed"] > 0);
  CHECK(counts["transactions lost"] > 0);
}

TEST_CASE("a clean stop leaves nothing to replay") {
  World world(5);
  for (int step = 0; step < 200; ++step) world.Step();
  world.Settle();
  world.Restart();
  const double before = world.replayed_steps();
  world.Settle();
  CHECK(world.failure() == "");
  CHECK(world.replayed_steps() == before);
}

TEST_CASE("an empty disk is restored from the changelog") {
  World world(6);
  for (int step = 0; step < 300; ++step) world.Step();
  world.Settle();
  world.Restart();
  for (int32_t p = 0; p < World::kPartitions; ++p) world.disk(p).Wipe();
  for (int step = 0; step < 50; ++step) world.Step();
  world.Settle();
  CHECK(world.failure() == "");
  CHECK(Joined(Check(world, true)) == "");
}

TEST_CASE("the journal is cut as it goes, and a recovery still finds what it needs") {
  World world(2, [](EngineOptions& options) { options.journal_trim_interval = Duration(0); });
  for (int step = 0; step < 300; ++step) world.Step();
  world.Settle();
  for (int32_t p = 0; p < World::kPartitions; ++p) {
    CHECK(world.broker.Begin(world.options().JournalTopic(), p) > 0);
  }
  world.Kill();
  world.Settle();
  CHECK(world.failure() == "");
  CHECK(Joined(Check(world, true)) == "");
}

TEST_CASE("local state that may have missed a tombstone is thrown away and restored") {
  World world(6);
  for (int step = 0; step < 300; ++step) world.Step();
  world.Settle();
  world.Restart();
  const auto put_on_disk = [&](const std::string& customer) {
    RowBatch batch;
    MemoryRowStore store(&world.disk(0));
    batch.meta = store.Meta()->value();
    batch.writes.emplace_back(customer, v1::Row().SerializeAsString());
    REQUIRE(store.Write(batch).ok());
    return [&world, customer] { return MemoryRowStore(&world.disk(0)).Get(customer)->has_value(); };
  };
  const auto there = put_on_disk("removed while this disk was away");
  SECTION("not when it is fresh enough") {
    world.PassTime(days(3));
    world.Settle();
    CHECK(there());
  }
  SECTION("when it is older than half of the time for which tombstones are kept") {
    world.PassTime(days(4));
    world.Settle();
    CHECK_FALSE(there());
    CHECK(Joined(Check(world, true)) == "");
  }
  CHECK(world.failure() == "");
}

// The checker is itself checked: each of these faults must be seen.
TEST_CASE("the checker sees a result that is missing, and a result that came twice") {
  World world(7);
  for (int step = 0; step < 100; ++step) world.Step();
  world.Settle();
  REQUIRE(Joined(Check(world, true)) == "");
  const auto results = world.broker.Committed("results", 0);
  REQUIRE_FALSE(results.empty());
  world.broker.Append("results", 0, StoredRecord(*results.back()));
  CHECK(Joined(Check(world, true)).find("differ") != std::string::npos);
}

TEST_CASE("the checker sees an input that was never applied") {
  World world(8);
  for (int step = 0; step < 100; ++step) world.Step();
  world.Settle();
  StoredRecord record;
  record.key = "c1";
  record.value = "bad";
  world.broker.Append(World::Sources()[0], 0, record);
  CHECK(Joined(Check(world, true)).find("are left") != std::string::npos);
}

TEST_CASE("a source whose record vanished stops the replay, naming the place") {
  World world(9);
  for (int step = 0; step < 300 && world.replayed_steps() == 0; ++step) world.Step();
  for (const std::string& source : World::Sources()) {
    for (int32_t p = 0; p < World::kPartitions; ++p) world.broker.Cut(source, p, 1'000'000);
  }
  for (int step = 0; step < 300 && world.failure().empty(); ++step) world.Step();
  CHECK(world.failure().find("is gone") != std::string::npos);
}

}  // namespace
}  // namespace portrait::simulation
