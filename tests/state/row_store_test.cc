#include "state/row_store.h"

#include <unistd.h>

#include <catch2/catch_template_test_macros.hpp>
#include <catch2/catch_test_macros.hpp>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>

#include "state/memory_row_store.h"
#include "state/rocksdb_row_store.h"

namespace portrait {
namespace {

std::filesystem::path FreshFolder() {
  static int made = 0;
  auto folder = std::filesystem::temp_directory_path() /
                ("portrait-row-store-" + std::to_string(getpid()) + "-" + std::to_string(++made));
  std::filesystem::remove_all(folder);
  return folder;
}

struct InMemory {
  MemoryDisk disk;
  MemoryRowStore store{&disk};
  RowStore& get() { return store; }
};

struct InRocksDb {
  std::filesystem::path folder = FreshFolder();
  RocksDbMemory memory{16 << 20};
  std::unique_ptr<RocksDbRowStore> store = RocksDbRowStore::Open(folder, memory).value();
  RowStore& get() { return *store; }
  ~InRocksDb() {
    store.reset();
    std::filesystem::remove_all(folder);
  }
};

std::string Contents(RowStore& store) {
  std::string out;
  CHECK(store
            .Scan([&](std::string_view customer, std::string_view row) {
              out += std::string(customer) + "=" + std::string(row) + " ";
              return absl::OkStatus();
            })
            .ok());
  return out;
}

RowBatch Batch(std::vector<std::pair<std::string, std::optional<std::string>>> writes, int64_t position) {
  RowBatch batch;
  batch.writes = std::move(writes);
  batch.meta.set_changelog_position(position);
  return batch;
}

TEMPLATE_TEST_CASE("rows come back in the order of their keys, the latest of each, with the latest meta", "", InMemory,
                   InRocksDb) {
  TestType any;
  RowStore& store = any.get();
  CHECK_FALSE(store.Meta()->has_value());
  CHECK(Contents(store).empty());
  REQUIRE(store.Write(Batch({{"bert", "1"}, {"anna", "1"}, {"", "x"}}, 1)).ok());
  REQUIRE(store.Write(Batch({{"bert", "2"}, {"zoe", "1"}}, 2)).ok());
  CHECK(Contents(store) == "=x anna=1 bert=2 zoe=1 ");
  CHECK(store.Meta()->value().changelog_position() == 2);
  CHECK(store.Get("bert")->value() == "2");
  CHECK_FALSE(store.Get("ber")->has_value());
  REQUIRE(store.Write(Batch({{"bert", std::nullopt}, {"carl", "1"}, {"carl", std::nullopt}}, 3)).ok());
  CHECK_FALSE(store.Get("bert")->has_value());
  REQUIRE(store.Flush().ok());
  CHECK(Contents(store) == "=x anna=1 zoe=1 ");
}

TEMPLATE_TEST_CASE("several rows are read at once, those that are there and those that are not", "", InMemory,
                   InRocksDb) {
  TestType any;
  RowStore& store = any.get();
  REQUIRE(store.Write(Batch({{"anna", "1"}, {"bert", "2"}, {"carl", "3"}, {"", "x"}}, 1)).ok());
  REQUIRE(store.Flush().ok());
  REQUIRE(store.Write(Batch({{"bert", "4"}, {"carl", std::nullopt}}, 2)).ok());
  const std::vector<std::string_view> asked = {"zoe", "bert", "", "carl", "anna", "ber"};
  std::map<std::string_view, std::string> found;
  REQUIRE(store
              .GetMany(asked,
                       [&](size_t place, std::optional<std::string_view> row) {
                         CHECK(found.emplace(asked[place], row.value_or("-")).second);
                       })
              .ok());
  CHECK(found == std::map<std::string_view, std::string>{
                     {"zoe", "-"}, {"bert", "4"}, {"", "x"}, {"carl", "-"}, {"anna", "1"}, {"ber", "-"}});
  CHECK(store.GetMany({}, [&](size_t, std::optional<std::string_view>) { FAIL("nobody was asked for"); }).ok());
}

TEMPLATE_TEST_CASE("the later of two writes for one customer in a batch wins", "", InMemory, InRocksDb) {
  TestType any;
  RowStore& store = any.get();
  std::vector<std::pair<std::string, std::optional<std::string>>> writes;
  for (int i = 0; i < 200; ++i) writes.emplace_back(i % 2 ? "anna" : "bert", std::to_string(i));
  for (int i = 0; i < 50; ++i) {  // removed and come back, and the other way round
    writes.insert(writes.end(),
                  {{"carl", std::nullopt}, {"carl", std::to_string(i)}, {"dora", "x"}, {"dora", std::nullopt}});
  }
  REQUIRE(store.Write(Batch(std::move(writes), 1)).ok());
  CHECK(store.Get("anna")->value() == "199");
  CHECK(store.Get("bert")->value() == "198");
  CHECK(Contents(store) == "anna=199 bert=198 carl=49 ");
}

std::string TimersOf(RowStore& store, const TimerHint& from, int64_t until_us, size_t at_most = 100) {
  std::string out;
  const auto hints = store.ReadTimers(from, until_us, at_most).value();
  for (const TimerHint& hint : hints) {
    out += std::to_string(hint.time_us) + hint.customer_id + " ";
  }
  return out;
}

TEMPLATE_TEST_CASE("the index of timers is read in the order of time and changes with the rows", "", InMemory,
                   InRocksDb) {
  TestType any;
  RowStore& store = any.get();
  RowBatch batch = Batch({{"anna", "1"}}, 1);
  batch.timers_added = {{300, "b"}, {-7, "anna"}, {5, ""}, {300, "a"}, {INT64_MAX - 1, "z"}};
  REQUIRE(store.Write(batch).ok());
  CHECK(TimersOf(store, {INT64_MIN, ""}, 300) == "-7anna 5 300a 300b ");
  CHECK(TimersOf(store, {300, "a"}, INT64_MAX) == "300a 300b 9223372036854775806z ");
  CHECK(TimersOf(store, {INT64_MIN, ""}, 300, 2) == "-7anna 5 ");
  batch = Batch({}, 2);
  batch.timers_removed = {{300, "a"}, {-7, "anna"}};
  batch.timers_added = {{300, "a"}};
  REQUIRE(store.Write(batch).ok());
  CHECK(TimersOf(store, {INT64_MIN, ""}, 300) == "5 300a 300b ");
  CHECK(Contents(store) == "anna=1 ");
}

TEMPLATE_TEST_CASE("a cleared store is a new one", "", InMemory, InRocksDb) {
  TestType any;
  RowStore& store = any.get();
  RowBatch batch = Batch({{"anna", "1"}}, 1);
  batch.timers_added = {{300, "anna"}};
  REQUIRE(store.Write(batch).ok());
  REQUIRE(store.Clear().ok());
  CHECK(Contents(store).empty());
  CHECK(TimersOf(store, {INT64_MIN, ""}, INT64_MAX).empty());
  CHECK_FALSE(store.Meta()->has_value());
  REQUIRE(store.Write(Batch({{"bert", "1"}}, 2)).ok());
  CHECK(Contents(store) == "bert=1 ");
}

TEST_CASE("large batches, which go around the memory of RocksDB, keep their place among the others") {
  InRocksDb any;
  RowStore& store = any.get();
  REQUIRE(store.Write(Batch({{"anna", "old"}, {"zoe", "small"}}, 1)).ok());
  RowBatch large = Batch({{"anna", "first"}}, 2);
  for (int i = 0; i < 5000; ++i) large.writes.emplace_back("c" + std::to_string(10'000 + i), std::string(1000, 'x'));
  large.writes.emplace_back("anna", "new");
  large.writes.emplace_back("c10007", std::nullopt);
  large.timers_added = {{5, "anna"}};
  REQUIRE(store.Write(large).ok());
  CHECK(store.Get("anna")->value() == "new");
  CHECK(store.Get("zoe")->value() == "small");
  CHECK_FALSE(store.Get("c10007")->has_value());
  CHECK(store.Get("c14999")->value().size() == 1000);
  CHECK(store.Meta()->value().changelog_position() == 2);
  CHECK(TimersOf(store, {INT64_MIN, ""}, 5) == "5anna ");
  REQUIRE(store.Write(Batch({{"anna", "newest"}}, 3)).ok());
  CHECK(store.Get("anna")->value() == "newest");
  // A large batch is durable at once, and with it everything written before.
  large.meta.set_changelog_position(4);
  REQUIRE(store.Write(large).ok());
  any.store.reset();
  any.store = RocksDbRowStore::Open(any.folder, any.memory).value();
  CHECK(any.get().Meta()->value().changelog_position() == 4);
  CHECK(any.get().Get("zoe")->value() == "small");
}

TEST_CASE("whoever finds a store open leaves its files alone, and clears up once it is not") {
  InRocksDb any;
  const auto bulk = any.folder / "bulk.tmp";  // as while a large batch is written
  std::ofstream(bulk) << "half a table";
  CHECK(absl::IsFailedPrecondition(RocksDbRowStore::Open(any.folder, any.memory).status()));
  CHECK(std::filesystem::exists(bulk));
  any.store.reset();
  any.store = RocksDbRowStore::Open(any.folder, any.memory).value();
  CHECK_FALSE(std::filesystem::exists(bulk));
}

TEST_CASE("a crash of the memory store keeps a prefix of the batches") {
  MemoryDisk disk;
  MemoryRowStore store(&disk);
  REQUIRE(store.Write(Batch({{"a", "1"}}, 1)).ok());
  REQUIRE(store.Flush().ok());
  REQUIRE(store.Write(Batch({{"a", "2"}}, 2)).ok());
  REQUIRE(store.Write(Batch({{"a", "3"}}, 3)).ok());
  disk.Crash(1);
  CHECK(Contents(store) == "a=2 ");
  CHECK(store.Meta()->value().changelog_position() == 2);
}

TEST_CASE("rows survive closing and opening RocksDB") {
  const auto folder = FreshFolder();
  RocksDbMemory memory(16 << 20);
  {
    auto store = RocksDbRowStore::Open(folder, memory).value();
    REQUIRE(store->Write(Batch({{"anna", "1"}}, 7)).ok());
    REQUIRE(store->Flush().ok());
  }
  {
    auto store = RocksDbRowStore::Open(folder, memory).value();
    CHECK(Contents(*store) == "anna=1 ");
    CHECK(store->Meta()->value().changelog_position() == 7);
    const auto second = RocksDbRowStore::Open(folder, memory);
    CHECK(second.status().code() == absl::StatusCode::kFailedPrecondition);
    CHECK(second.status().message().find(folder.string()) != absl::string_view::npos);
  }
  std::filesystem::remove_all(folder);
}

TEST_CASE("a corrupt folder is named") {
  const auto folder = FreshFolder();
  RocksDbMemory memory(16 << 20);
  {
    auto store = RocksDbRowStore::Open(folder, memory).value();
    REQUIRE(store->Write(Batch({{"anna", "1"}}, 7)).ok());
    REQUIRE(store->Flush().ok());
  }
  std::ofstream(folder / "CURRENT") << "MANIFEST-999999\n";
  const auto opened = RocksDbRowStore::Open(folder, memory);
  REQUIRE_FALSE(opened.ok());
  CHECK(opened.status().message().find(folder.string()) != absl::string_view::npos);
  std::filesystem::remove_all(folder);
}

TEST_CASE("the header of a row is read from its first bytes") {
  v1::Row row;
  row.set_number(300);
  row.set_next_timer_us(-5);
  row.set_time_us(9);
  row.add_operators()->set_operator_("visits");
  const auto header = ReadRowHeader(row.SerializeAsString());
  REQUIRE(header.ok());
  CHECK(header->number == 300);
  CHECK(header->next_timer_us == -5);
  CHECK_FALSE(header->gone);
  CHECK_FALSE(ReadRowHeader("\x0a\xff").ok());
}

}  // namespace
}  // namespace portrait
