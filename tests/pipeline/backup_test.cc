#include "pipeline/backup.h"

#include <unistd.h>

#include <catch2/catch_test_macros.hpp>
#include <filesystem>
#include <string>

namespace portrait {
namespace {

namespace fs = std::filesystem;

struct Fixture {
  fs::path root = fs::temp_directory_path() / ("portrait-backup-" + std::to_string(getpid()));
  RocksDbMemory memory{16 << 20};
  Fixture() { fs::remove_all(root); }
  ~Fixture() { fs::remove_all(root); }

  std::unique_ptr<RocksDbRowStore> Open(const std::string& state_dir, int32_t partition) {
    return RocksDbRowStore::Open(StoreFolder(root / state_dir, "app", partition), memory).value();
  }
  static void Write(RowStore& store, const std::string& customer, int64_t position) {
    RowBatch batch;
    batch.writes = {{customer, "row"}};
    batch.timers_added = {{5, customer}};
    batch.meta.set_lineage("history");
    batch.meta.set_changelog_position(position);
    REQUIRE(store.Write(batch).ok());
  }
};

v1::Backup About() {
  v1::Backup about;
  about.set_application("app");
  about.set_instance("portrait-1");
  about.set_made_us(1'767'225'600'000'000);
  return about;
}

TEST_CASE("a backup holds what was written before it, and is found again in an empty folder") {
  Fixture f;
  auto first = f.Open("state", 0);
  auto second = f.Open("state", 7);
  Fixture::Write(*first, "anna", 3);
  Fixture::Write(*second, "bert", 4);
  const auto made = MakeBackup({{0, first->copier()}, {7, second->copier()}}, About(), f.root / "backup");
  REQUIRE(made.ok());
  Fixture::Write(*first, "anna too late", 9);
  CHECK(DescribeBackup(*made) ==
        "application app, instance portrait-1, made 2026-01-01 00:00:00 UTC\n"
        "partition 0: changelog up to 3, as of 1970-01-01 00:00:00 UTC\n"
        "partition 7: changelog up to 4, as of 1970-01-01 00:00:00 UTC\n");
  CHECK(DescribeBackup(ReadBackup(f.root / "backup").value()) == DescribeBackup(*made));

  REQUIRE(RestoreBackup(f.root / "backup", f.root / "other", "app").ok());
  auto restored = f.Open("other", 0);
  CHECK(restored->Meta()->value().lineage() == "history");
  CHECK(restored->Meta()->value().changelog_position() == 3);
  CHECK(restored->Get("anna")->has_value());
  CHECK_FALSE(restored->Get("anna too late")->has_value());
  CHECK(restored->ReadTimers({0, ""}, 5, 10)->size() == 1);
  CHECK(f.Open("other", 7)->Get("bert")->has_value());
  Fixture::Write(*restored, "carl", 5);  // it is a store like any other
}

TEST_CASE("a store that was closed meanwhile is left out, and nothing at all is no backup") {
  Fixture f;
  auto first = f.Open("state", 0);
  auto second = f.Open("state", 1);
  Fixture::Write(*first, "anna", 3);
  const auto closed = second->copier();
  second.reset();
  const auto made = MakeBackup({{0, first->copier()}, {1, closed}}, About(), f.root / "backup");
  REQUIRE(made.ok());
  CHECK(made->partitions_size() == 1);
  const auto none = MakeBackup({{1, closed}}, About(), f.root / "none");
  CHECK(absl::IsFailedPrecondition(none.status()));
  CHECK_FALSE(fs::exists(f.root / "none"));
}

TEST_CASE("neither backup nor restore writes over anything") {
  Fixture f;
  auto store = f.Open("state", 0);
  Fixture::Write(*store, "anna", 3);
  REQUIRE(MakeBackup({{0, store->copier()}}, About(), f.root / "backup").ok());
  CHECK(absl::IsAlreadyExists(MakeBackup({{0, store->copier()}}, About(), f.root / "backup").status()));
  CHECK(absl::IsAlreadyExists(RestoreBackup(f.root / "backup", f.root / "state", "app")));
}

TEST_CASE("a backup of another application, one that is not whole, and a folder that is none are refused") {
  Fixture f;
  auto store = f.Open("state", 0);
  Fixture::Write(*store, "anna", 3);
  REQUIRE(MakeBackup({{0, store->copier()}}, About(), f.root / "backup").ok());
  const absl::Status other = RestoreBackup(f.root / "backup", f.root / "other", "another");
  CHECK(absl::IsFailedPrecondition(other));
  CHECK(other.message() == "the backup is of another application: backup app, configuration another");
  fs::remove_all(f.root / "backup" / "partition-0");
  CHECK(absl::IsDataLoss(RestoreBackup(f.root / "backup", f.root / "other", "app")));
  CHECK(absl::IsNotFound(RestoreBackup(f.root / "nowhere", f.root / "other", "app")));
  CHECK_FALSE(fs::exists(f.root / "other"));
}

}  // namespace
}  // namespace portrait
