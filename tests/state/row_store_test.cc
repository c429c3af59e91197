#include "state/row_store.h"

#include <unistd.h>

#include <catch2/catch_template_test_macros.hpp>
#include <catch2/catch_test_macros.hpp>
#include <filesystem>
#include <fstream>
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
