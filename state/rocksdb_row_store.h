// A row store in RocksDB: one database in one folder for each task.
//
// No write-ahead log: after a crash the last batches may be gone, and the journal and the changelog bring them back.
// Rows, index and meta share one column family, so that a batch is lost or kept as a whole. A large batch (a restore)
// goes into a table file of its own, which RocksDB takes in as a whole: less than half the work of the way through
// memory.
#pragma once

#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "state/row_store.h"

namespace rocksdb {
class Env;
class Status;
}  // namespace rocksdb

namespace portrait {

// Memory that all databases of the process share. Safe from any thread.
class RocksDbMemory {
 public:
  // `bytes`: block cache and write buffers together, for this many stores.
  explicit RocksDbMemory(size_t bytes, int stores = 1);
  ~RocksDbMemory();
  RocksDbMemory(const RocksDbMemory&) = delete;
  RocksDbMemory& operator=(const RocksDbMemory&) = delete;

 private:
  friend class RocksDbRowStore;
  struct Shared;
  std::unique_ptr<Shared> shared_;
};

// A disk that is nearly full is refused while there is still room for what is under way: RocksDB itself may end the
// process when a write fails in the middle (Debian builds it with assertions on).
//
// Damage is never read as data: every block has a checksum, and file sizes are compared with what was written. A store
// in which damage was found is marked, so that the next Open refuses it even when it would not meet the damage again.
class RocksDbRowStore final : public RowStore {
  struct Impl;

 public:
  // Opens or creates. Errors name the folder: FailedPrecondition when another process holds it, DataLoss when it is
  // corrupt, ResourceExhausted when the disk is full. `memory` must outlive the store, and `env`, which stands for the
  // disk in tests of its faults.
  static absl::StatusOr<std::unique_ptr<RocksDbRowStore>> Open(const std::filesystem::path& folder,
                                                               RocksDbMemory& memory, rocksdb::Env* env = nullptr);
  // The same, but what is corrupt is moved aside, to FOLDER.corrupt-TIME, for somebody to look at, and a new store is
  // made in its place; `moved_to` then says where. `suffix` is the time, as text.
  static absl::StatusOr<std::unique_ptr<RocksDbRowStore>> OpenOrSetAside(
      const std::filesystem::path& folder, RocksDbMemory& memory, std::string_view suffix,
      std::optional<std::filesystem::path>& moved_to);
  // Makes copies of one store while it is in use. Safe from any thread; may outlive the store.
  class Copier {
   public:
    // A copy in the folder `to`, which must not exist: everything written before, as a store of its own, and what its
    // meta record says. On the same disk its files are shared with the store, elsewhere copied. NotFound: the store is
    // closed. The store's owner waits when it wants to close it meanwhile.
    absl::StatusOr<v1::StoreMeta> CopyTo(const std::filesystem::path& to);

   private:
    friend class RocksDbRowStore;
    std::mutex mutex_;
    Impl* store_ = nullptr;  // guarded by mutex_; null = closed
  };
  std::shared_ptr<Copier> copier() const { return copier_; }

  // Deletes the database in the folder, which must not be open.
  static absl::Status Destroy(const std::filesystem::path& folder);
  ~RocksDbRowStore() override;

  absl::StatusOr<std::optional<std::string>> Get(std::string_view customer_id) override;
  absl::Status GetMany(const std::vector<std::string_view>& customer_ids, const VisitRow& visit) override;
  absl::Status Write(const RowBatch& batch) override;
  absl::StatusOr<std::optional<v1::StoreMeta>> Meta() override;
  absl::Status Scan(const std::function<absl::Status(std::string_view, std::string_view)>& visit) override;
  absl::StatusOr<std::vector<std::pair<std::string, std::string>>> ReadRows(std::string_view after,
                                                                            size_t at_most) override;
  absl::StatusOr<std::vector<TimerHint>> ReadTimers(const TimerHint& from, int64_t until_us, size_t at_most) override;
  absl::StatusOr<std::vector<GoneRow>> ReadGone() override;
  absl::Status Flush() override;
  absl::Status Clear() override;

 private:
  absl::Status Report(const rocksdb::Status& status) const;
  absl::Status CheckRoom();
  absl::Status WriteInBulk(const RowBatch& batch);
  explicit RocksDbRowStore(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
  std::shared_ptr<Copier> copier_ = std::make_shared<Copier>();
};

}  // namespace portrait
