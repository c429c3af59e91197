#include "state/rocksdb_row_store.h"

#include <rocksdb/cache.h>
#include <rocksdb/db.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/options.h>
#include <rocksdb/sst_file_writer.h>
#include <rocksdb/table.h>
#include <rocksdb/write_batch.h>
#include <rocksdb/write_buffer_manager.h>

#include <algorithm>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "state/row_keys.h"

namespace portrait {
namespace {

// From this size on a batch goes into a table file of its own.
constexpr size_t kBulkBytes = 4 << 20;
constexpr const char* kBulkFile = "/bulk.tmp";  // within the folder; not a name of RocksDB's

absl::Status FromRocksDb(const rocksdb::Status& status, const std::string& folder) {
  if (status.ok()) return absl::OkStatus();
  const std::string text = absl::StrCat("local state in ", folder, ": ", status.ToString());
  if (status.IsCorruption()) return absl::DataLossError(text);
  if (status.IsNoSpace()) return absl::ResourceExhaustedError(text);
  if (status.IsIOError() && absl::StrContains(status.ToString(), "lock")) {
    return absl::FailedPreconditionError(absl::StrCat(text, " (does another process use it?)"));
  }
  return absl::InternalError(text);
}

}  // namespace

struct RocksDbMemory::Shared {
  std::shared_ptr<rocksdb::Cache> cache;
  std::shared_ptr<rocksdb::WriteBufferManager> write_buffers;
};

RocksDbMemory::RocksDbMemory(size_t bytes) : shared_(std::make_unique<Shared>()) {
  shared_->cache = rocksdb::NewLRUCache(bytes);
  shared_->write_buffers = std::make_shared<rocksdb::WriteBufferManager>(bytes / 2, shared_->cache);
}

RocksDbMemory::~RocksDbMemory() = default;

struct RocksDbRowStore::Impl {
  std::string folder;
  rocksdb::Options options;
  rocksdb::WriteOptions write;
  std::unique_ptr<rocksdb::DB> db;

  rocksdb::Status Open();
};

rocksdb::Status RocksDbRowStore::Impl::Open() {
  rocksdb::DB* opened = nullptr;
  const rocksdb::Status status = rocksdb::DB::Open(options, folder, &opened);
  db.reset(opened);
  return status;
}

RocksDbRowStore::RocksDbRowStore(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
RocksDbRowStore::~RocksDbRowStore() = default;

absl::StatusOr<std::unique_ptr<RocksDbRowStore>> RocksDbRowStore::Open(const std::filesystem::path& folder,
                                                                       RocksDbMemory& memory) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) return absl::PermissionDeniedError(absl::StrCat("cannot create ", folder.string(), ": ", error.message()));

  rocksdb::BlockBasedTableOptions table;
  table.block_cache = memory.shared_->cache;
  table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10));
  table.cache_index_and_filter_blocks = true;
  auto impl = std::make_unique<Impl>();
  rocksdb::Options& options = impl->options;
  options.create_if_missing = true;
  options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  options.write_buffer_manager = memory.shared_->write_buffers;
  options.write_buffer_size = 32 << 20;
  options.compression = rocksdb::kLZ4Compression;
  options.max_background_jobs = 2;
  options.keep_log_file_num = 3;
  options.max_open_files = 256;
  options.avoid_unnecessary_blocking_io = true;

  impl->folder = folder.string();
  impl->write.disableWAL = true;
  impl->write.memtable_insert_hint_per_batch = true;
  const rocksdb::Status opened = impl->Open();
  if (!opened.ok()) {
    absl::Status status = FromRocksDb(opened, impl->folder);
    if (absl::IsFailedPrecondition(status)) return status;
    return absl::Status(status.code(),
                        absl::StrCat(status.message(), "; what is in this folder can be restored: delete it"));
  }
  return std::unique_ptr<RocksDbRowStore>(new RocksDbRowStore(std::move(impl)));
}

absl::Status RocksDbRowStore::Destroy(const std::filesystem::path& folder) {
  return FromRocksDb(rocksdb::DestroyDB(folder.string(), rocksdb::Options()), folder.string());
}

absl::StatusOr<std::optional<std::string>> RocksDbRowStore::Get(std::string_view customer_id) {
  std::string row;
  const rocksdb::Status status = impl_->db->Get(rocksdb::ReadOptions(), RowKeyOf(customer_id), &row);
  if (status.IsNotFound()) return std::nullopt;
  if (!status.ok()) return FromRocksDb(status, impl_->folder);
  return row;
}

namespace {

// One key's part of a batch; without a value it is removed. The value points into the batch.
struct Change {
  std::string key;
  const std::string* value;
};

// In the order of the keys, the last change of each. Ordered, the memtable's insert hint makes writing nearly twice as
// cheap as in arrival order, and a table file takes no other order.
std::vector<Change> ChangesOf(const RowBatch& batch, const std::string& meta) {
  static const std::string nothing;
  std::vector<Change> changes;
  changes.reserve(1 + batch.writes.size() + batch.timers_removed.size() + batch.timers_added.size());
  changes.push_back({std::string(kMetaKey), &meta});
  for (const auto& [customer, row] : batch.writes) changes.push_back({RowKeyOf(customer), row ? &*row : nullptr});
  for (const TimerHint& hint : batch.timers_removed) changes.push_back({TimerKeyOf(hint), nullptr});
  for (const TimerHint& hint : batch.timers_added) changes.push_back({TimerKeyOf(hint), &nothing});
  for (const GoneRow& row : batch.gone_removed) {
    changes.push_back({NumberedKey(kGonePrefix, row.number, row.customer_id), nullptr});
  }
  for (const GoneRow& row : batch.gone_added) {
    changes.push_back({NumberedKey(kGonePrefix, row.number, row.customer_id), &nothing});
  }
  std::stable_sort(changes.begin(), changes.end(), [](const Change& a, const Change& b) { return a.key < b.key; });
  const auto same = [](const Change& a, const Change& b) { return a.key == b.key; };
  const auto kept = std::unique(changes.rbegin(), changes.rend(), same);  // from the end: the last of each stays
  changes.erase(changes.begin(), kept.base());
  return changes;
}

size_t BytesOf(const RowBatch& batch) {
  size_t bytes = 0;
  for (const auto& [customer, row] : batch.writes) bytes += customer.size() + (row ? row->size() : 0);
  return bytes;
}

}  // namespace

absl::Status RocksDbRowStore::Write(const RowBatch& batch) {
  const std::string meta = batch.meta.SerializeAsString();
  const std::vector<Change> changes = ChangesOf(batch, meta);
  if (BytesOf(batch) >= kBulkBytes) {
    // What lies in memory is flushed first, since the meta record is in every batch: so the order of batches is kept.
    const std::string file = impl_->folder + kBulkFile;
    rocksdb::SstFileWriter writer(rocksdb::EnvOptions(), impl_->options);
    rocksdb::Status status = writer.Open(file);
    for (auto change = changes.begin(); status.ok() && change != changes.end(); ++change) {
      status = change->value != nullptr ? writer.Put(change->key, *change->value) : writer.Delete(change->key);
    }
    if (status.ok()) status = writer.Finish();
    rocksdb::IngestExternalFileOptions ingest;
    ingest.move_files = true;
    ingest.write_global_seqno = false;
    if (status.ok()) status = impl_->db->IngestExternalFile({file}, ingest);
    return FromRocksDb(status, impl_->folder);
  }
  rocksdb::WriteBatch writes;
  for (const Change& change : changes) {
    if (change.value != nullptr) {
      writes.Put(change.key, *change.value);
    } else {
      writes.Delete(change.key);
    }
  }
  return FromRocksDb(impl_->db->Write(impl_->write, &writes), impl_->folder);
}

absl::StatusOr<std::optional<v1::StoreMeta>> RocksDbRowStore::Meta() {
  std::string bytes;
  const rocksdb::Status status =
      impl_->db->Get(rocksdb::ReadOptions(), rocksdb::Slice(kMetaKey.data(), kMetaKey.size()), &bytes);
  if (status.IsNotFound()) return std::nullopt;
  if (!status.ok()) return FromRocksDb(status, impl_->folder);
  v1::StoreMeta meta;
  if (!meta.ParseFromString(bytes)) {
    return absl::DataLossError(absl::StrCat("local state in ", impl_->folder, ": its meta record cannot be parsed"));
  }
  return meta;
}

absl::Status RocksDbRowStore::Scan(const std::function<absl::Status(std::string_view, std::string_view)>& visit) {
  rocksdb::ReadOptions read;
  read.fill_cache = false;
  read.readahead_size = 2 << 20;
  const std::unique_ptr<rocksdb::Iterator> it(impl_->db->NewIterator(read));
  for (it->Seek(rocksdb::Slice(&kRowPrefix, 1)); it->Valid() && it->key()[0] == kRowPrefix; it->Next()) {
    const rocksdb::Slice key = it->key(), value = it->value();
    if (absl::Status s = visit({key.data() + 1, key.size() - 1}, {value.data(), value.size()}); !s.ok()) return s;
  }
  return FromRocksDb(it->status(), impl_->folder);
}

absl::StatusOr<std::vector<TimerHint>> RocksDbRowStore::ReadTimers(const TimerHint& from, int64_t until_us,
                                                                   size_t at_most) {
  std::vector<TimerHint> out;
  const std::unique_ptr<rocksdb::Iterator> it(impl_->db->NewIterator(rocksdb::ReadOptions()));
  for (it->Seek(TimerKeyOf(from)); it->Valid() && out.size() < at_most; it->Next()) {
    const rocksdb::Slice key = it->key();
    if (key[0] != kTimerPrefix || key.size() < 9) break;
    TimerHint hint = TimerOfKey({key.data(), key.size()});
    if (hint.time_us > until_us) break;
    out.push_back(std::move(hint));
  }
  if (absl::Status s = FromRocksDb(it->status(), impl_->folder); !s.ok()) return s;
  return out;
}

absl::StatusOr<std::vector<GoneRow>> RocksDbRowStore::ReadGone() {
  std::vector<GoneRow> out;
  const std::unique_ptr<rocksdb::Iterator> it(impl_->db->NewIterator(rocksdb::ReadOptions()));
  for (it->Seek(rocksdb::Slice(&kGonePrefix, 1)); it->Valid() && it->key()[0] == kGonePrefix; it->Next()) {
    const std::string_view key(it->key().data(), it->key().size());
    out.push_back({NumberOfKey(key), std::string(key.substr(9))});
  }
  if (absl::Status s = FromRocksDb(it->status(), impl_->folder); !s.ok()) return s;
  return out;
}

absl::Status RocksDbRowStore::Clear() {
  impl_->db.reset();
  if (absl::Status s = Destroy(impl_->folder); !s.ok()) return s;
  return FromRocksDb(impl_->Open(), impl_->folder);
}

absl::Status RocksDbRowStore::Flush() { return FromRocksDb(impl_->db->Flush(rocksdb::FlushOptions()), impl_->folder); }

}  // namespace portrait
