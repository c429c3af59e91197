// Backup and restore of a process's local state.
//
// Local state is a cache of the changelog: a backup saves the time of reading that from its start, nothing else rests
// on it. What a store has missed since the backup it takes from the changelog when it starts, and a store that is too
// old for that, or of another history, is found out by its meta record as any other.
//
//   DIR/BACKUP.json        v1.Backup: whose it is, when it was made, what each partition holds
//   DIR/partition-N/       a store in RocksDB, whole and closed
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "portrait/v1/backup.pb.h"
#include "state/rocksdb_row_store.h"

namespace portrait {

// Where the store of a partition lies.
std::filesystem::path StoreFolder(const std::filesystem::path& state_dir, const std::string& application_id,
                                  int32_t partition);

// A copy of one partition's store, by whoever has it.
struct StoreSource {
  int32_t partition = 0;
  std::shared_ptr<RocksDbRowStore::Copier> copier;
};

// Copies the stores into the new folder `to`; those that were closed meanwhile are left out. `backup` says whose they
// are, and is completed. All or nothing: the folder has its name when everything is in it.
// AlreadyExists: the folder is there. FailedPrecondition: no store is open.
absl::StatusOr<v1::Backup> MakeBackup(const std::vector<StoreSource>& stores, v1::Backup backup,
                                      const std::filesystem::path& to);

// What is in it, a line for each partition, for people.
std::string DescribeBackup(const v1::Backup& backup);

absl::StatusOr<v1::Backup> ReadBackup(const std::filesystem::path& from);

// Puts the stores of a backup where a process that does not run will look for them. FailedPrecondition: the backup is
// of another application. AlreadyExists: a partition has local state; nothing was changed.
absl::Status RestoreBackup(const std::filesystem::path& from, const std::filesystem::path& state_dir,
                           const std::string& application_id);

}  // namespace portrait
