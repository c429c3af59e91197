// What a store does when the disk below it fails: it stops with the cause, or is refused as corrupt; what it gives is
// always what was written, up to some batch.
#include <unistd.h>

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "state/rocksdb_row_store.h"
#include "tests/state/faulty_disk.h"

namespace portrait {
namespace {

namespace fs = std::filesystem;

using Rows = std::map<std::string, std::string>;

struct Folder {
  fs::path path = fs::temp_directory_path() / ("portrait-disk-fault-" + std::to_string(getpid()));
  Folder() { Clean(); }
  ~Folder() { Clean(); }
  void Clean() const {
    for (const auto& entry : fs::directory_iterator(path.parent_path())) {
      if (entry.path().filename().string().starts_with(path.filename().string())) fs::remove_all(entry.path());
    }
  }
};

// Batches of a history, and what the store must hold after each of them: states[P] is what stands at position P.
struct History {
  std::vector<RowBatch> batches;
  std::vector<Rows> states{{}};

  explicit History(unsigned seed) {
    std::mt19937 random(seed);
    for (int64_t position = 1; position <= 12; ++position) {
      RowBatch batch;
      Rows rows = states.back();
      const bool large = position % 5 == 0;  // goes around RocksDB's memory
      for (int i = 0; i < (large ? 500 : 40); ++i) {
        const std::string customer = "c" + std::to_string(random() % 400);
        const std::string row(large ? 12'000 : 200, static_cast<char>('a' + random() % 26));
        batch.writes.emplace_back(customer, row);
        rows[customer] = row;
      }
      batch.meta.set_changelog_position(position);
      batches.push_back(std::move(batch));
      states.push_back(std::move(rows));
    }
  }
};

// Writes the history, with a flush now and then, until something fails.
absl::Status Write(RocksDbRowStore& store, const History& history, int64_t from = 0) {
  for (size_t i = static_cast<size_t>(from); i < history.batches.size(); ++i) {
    if (absl::Status s = store.Write(history.batches[i]); !s.ok()) return s;
    if (i % 3 == 2) {
      if (absl::Status s = store.Flush(); !s.ok()) return s;
    }
  }
  return store.Flush();
}

absl::StatusOr<Rows> Contents(RocksDbRowStore& store) {
  Rows rows;
  absl::Status scanned = store.Scan([&](std::string_view customer, std::string_view row) {
    rows.emplace(customer, row);
    return absl::OkStatus();
  });
  if (!scanned.ok()) return scanned;
  return rows;
}

TEST_CASE("a disk that fails at any write stops the store with the cause, and a whole prefix is left") {
  const Folder folder;
  const History history(3);
  int faults = 0;
  for (const DiskFault fault : {DiskFault::kFull, DiskFault::kBroken, DiskFault::kTorn}) {
    for (int64_t writes = 0;; writes += 1 + writes / 8) {
      CAPTURE(static_cast<int>(fault), writes);
      folder.Clean();
      RocksDbMemory memory(16 << 20);
      FaultyDisk disk;
      const std::unique_ptr<rocksdb::Env> env =
          rocksdb::NewCompositeEnv(std::shared_ptr<rocksdb::FileSystem>(&disk, [](rocksdb::FileSystem*) {}));
      disk.FailAfter(writes, fault);
      absl::Status ended;
      {
        auto store = RocksDbRowStore::Open(folder.path, memory, env.get());
        ended = store.ok() ? Write(**store, history) : store.status();
      }
      if (!disk.failed()) break;
      ++faults;
      // A fault may hit what does not matter (RocksDB's own log): then nothing is missing. Else it is told.
      if (!ended.ok()) {
        CHECK(ended.message().find(folder.path.string()) != absl::string_view::npos);
        if (fault == DiskFault::kFull) CHECK(ended.code() == absl::StatusCode::kResourceExhausted);
      }
      // The disk works again, in a new process.
      auto store = RocksDbRowStore::Open(folder.path, memory);
      if (!store.ok()) {
        REQUIRE(absl::IsDataLoss(store.status()));
        continue;
      }
      const int64_t position = (*store)->Meta()->value_or(v1::StoreMeta()).changelog_position();
      if (ended.ok()) CHECK(position == static_cast<int64_t>(history.batches.size()));
      REQUIRE(Contents(**store).value() == history.states[static_cast<size_t>(position)]);
      // And goes on.
      REQUIRE(Write(**store, history, position).ok());
      REQUIRE(Contents(**store).value() == history.states.back());
    }
  }
  CHECK(faults > 50);
}

void Damage(const fs::path& file, std::mt19937& random) {
  const auto size = fs::file_size(file);
  const auto at = size == 0 ? 0 : random() % size;
  switch (random() % 3) {
    case 0: fs::resize_file(file, at); break;
    case 1: fs::remove(file); break;
    default: {
      std::fstream stream(file, std::ios::in | std::ios::out | std::ios::binary);
      stream.seekg(static_cast<std::streamoff>(at));
      const int was = stream.get();
      stream.clear();
      stream.seekp(static_cast<std::streamoff>(at));
      stream.put(static_cast<char>(was ^ (1 << random() % 8)));
    }
  }
}

TEST_CASE("a damaged file is found, or did not matter: no wrong row is ever given") {
  const Folder folder;
  const History history(5);
  int found = 0;
  for (unsigned seed = 0; seed < 60; ++seed) {
    CAPTURE(seed);
    std::mt19937 random(seed);
    folder.Clean();
    RocksDbMemory memory(16 << 20);
    REQUIRE(Write(*RocksDbRowStore::Open(folder.path, memory).value(), history).ok());
    std::vector<fs::path> files;
    for (const auto& entry : fs::directory_iterator(folder.path)) {
      if (entry.is_regular_file() && entry.path().filename() != "LOCK") files.push_back(entry.path());
    }
    std::sort(files.begin(), files.end());
    const fs::path file = files[random() % files.size()];
    CAPTURE(file.string());
    Damage(file, random);
    RocksDbMemory cold(16 << 20);
    std::optional<fs::path> moved_to;
    auto store = RocksDbRowStore::OpenOrSetAside(folder.path, cold, "20260101T000000Z", moved_to);
    REQUIRE(store.ok());
    if (!moved_to) {
      const auto rows = Contents(**store);
      if (rows.ok()) {
        // Where the list of files lost its end it is an earlier state, and says so: then the changelog has the rest.
        const auto meta = (*store)->Meta().value().value_or(v1::StoreMeta());
        REQUIRE(*rows == history.states[static_cast<size_t>(meta.changelog_position())]);
        continue;
      }
      CAPTURE(rows.status().ToString());
      REQUIRE(absl::IsDataLoss(rows.status()));
      CHECK(rows.status().message().find(folder.path.string()) != absl::string_view::npos);
      // The next start knows.
      store->reset();
      store = RocksDbRowStore::OpenOrSetAside(folder.path, cold, "20260101T000000Z", moved_to);
      REQUIRE(store.ok());
      REQUIRE(moved_to);
    }
    ++found;
    CHECK(moved_to->string() == folder.path.string() + ".corrupt-20260101T000000Z");
    CHECK(fs::exists(*moved_to));
    CHECK_FALSE((*store)->Meta()->has_value());
  }
  CHECK(found > 15);
}

}  // namespace
}  // namespace portrait
