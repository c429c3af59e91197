#include "state/rocksdb_row_store.h"

#include <rocksdb/cache.h>
#include <rocksdb/db.h>
#include <rocksdb/env.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/options.h>
#include <rocksdb/sst_file_writer.h>
#include <rocksdb/table.h>
#include <rocksdb/utilities/checkpoint.h>
#include <rocksdb/write_batch.h>
#include <rocksdb/write_buffer_manager.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <system_error>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "state/row_keys.h"

namespace portrait {
namespace {

// From this size on a batch goes into a table file of its own.
constexpr size_t kBulkBytes = 4 << 20;
constexpr size_t kWriteBufferBytes = 32 << 20;
constexpr size_t kLeastRoom = 2 * kWriteBufferBytes;
// Files of our own within the folder; RocksDB leaves such names alone.
constexpr const char* kBulkFile = "/bulk.tmp";
constexpr const char* kCorruptMark = "/CORRUPT";  // holds what was found

absl::Status FromRocksDb(const rocksdb::Status& status, const std::string& folder) {
  if (status.ok()) return absl::OkStatus();
  const std::string text = absl::StrCat("local state in ", folder, ": ", status.ToString());
  if (status.IsCorruption()) return absl::DataLossError(text);
  if (status.IsNoSpace()) return absl::ResourceExhaustedError(absl::StrCat(text, "; make room and start again"));
  if (status.IsIOError() && absl::StrContains(status.ToString(), "lock")) {
    return absl::FailedPreconditionError(absl::StrCat(text, " (does another process use it?)"));
  }
  return absl::InternalError(text);
}

// ResourceExhausted when so little of the disk is left that a flush, or a merge of tables, might not fit.
absl::Status RoomIn(const std::string& folder) {
  std::error_code error;
  const auto space = std::filesystem::space(folder, error);
  if (error || space.available >= kLeastRoom) return absl::OkStatus();
  return absl::ResourceExhaustedError(absl::StrCat(
      "local state in ", folder, ": the disk is nearly full; make room and start again: ", space.available >> 20,
      " MiB left, at least ", kLeastRoom >> 20, " MiB needed"));
}

// What a restore left behind that did not end. Under the lock: where another store is open, the file is in use.
rocksdb::Status RemoveBulkFile(const std::string& folder, rocksdb::Env& env) {
  const std::string file = folder + kBulkFile;
  if (env.FileExists(file).IsNotFound()) return rocksdb::Status::OK();
  rocksdb::FileLock* lock = nullptr;
  if (rocksdb::Status locked = env.LockFile(folder + "/LOCK", &lock); !locked.ok()) return locked;
  const rocksdb::Status removed = env.DeleteFile(file);
  static_cast<void>(env.UnlockFile(lock));
  return removed;
}

absl::Status CannotCreate(const std::string& folder, const std::error_code& error) {
  const std::string text = absl::StrCat("cannot create ", folder, ": ", error.message());
  if (error == std::errc::no_space_on_device) return absl::ResourceExhaustedError(text);
  return absl::PermissionDeniedError(text);
}

}  // namespace

struct RocksDbMemory::Shared {
  std::shared_ptr<rocksdb::Cache> cache;
  std::shared_ptr<rocksdb::WriteBufferManager> write_buffers;
  size_t write_buffer_bytes;  // of each; a store has one that grows, and one that is being flushed
};

RocksDbMemory::RocksDbMemory(size_t bytes, int stores) : shared_(std::make_unique<Shared>()) {
  // A quarter is left to what the cache does not count: tables being written and read, write buffers beyond their
  // bound.
  const size_t counted = bytes / 4 * 3;
  shared_->cache = rocksdb::NewLRUCache(counted);
  shared_->write_buffers = std::make_shared<rocksdb::WriteBufferManager>(counted / 2, shared_->cache);
  shared_->write_buffer_bytes =
      std::clamp<size_t>(counted / 2 / (2 * static_cast<size_t>(stores)), 1 << 20, kWriteBufferBytes);
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

RocksDbRowStore::RocksDbRowStore(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {
  const std::lock_guard lock(copier_->mutex_);
  copier_->store_ = impl_.get();
}

RocksDbRowStore::~RocksDbRowStore() {
  const std::lock_guard lock(copier_->mutex_);
  copier_->store_ = nullptr;
}

absl::StatusOr<v1::StoreMeta> RocksDbRowStore::Copier::CopyTo(const std::filesystem::path& to) {
  const std::lock_guard lock(mutex_);
  if (store_ == nullptr) return absl::NotFoundError("the store is closed");
  rocksdb::Checkpoint* made = nullptr;
  rocksdb::Status status = rocksdb::Checkpoint::Create(store_->db.get(), &made);
  const std::unique_ptr<rocksdb::Checkpoint> checkpoint(made);
  if (status.ok()) status = checkpoint->CreateCheckpoint(to.string());
  if (!status.ok()) return FromRocksDb(status, to.string());
  // What the copy holds is asked of the copy: the store has gone on.
  rocksdb::DB* opened = nullptr;
  status = rocksdb::DB::OpenForReadOnly(rocksdb::Options(), to.string(), &opened);
  if (!status.ok()) return FromRocksDb(status, to.string());
  const std::unique_ptr<rocksdb::DB> copy(opened);
  std::string bytes;
  status = copy->Get(rocksdb::ReadOptions(), rocksdb::Slice(kMetaKey.data(), kMetaKey.size()), &bytes);
  v1::StoreMeta meta;
  if (status.IsNotFound()) return meta;
  if (!status.ok()) return FromRocksDb(status, to.string());
  if (!meta.ParseFromString(bytes)) return absl::DataLossError(absl::StrCat("no meta record in ", to.string()));
  return meta;
}

absl::StatusOr<std::unique_ptr<RocksDbRowStore>> RocksDbRowStore::Open(const std::filesystem::path& folder,
                                                                       RocksDbMemory& memory, rocksdb::Env* env) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) return CannotCreate(folder.string(), error);
  if (std::ifstream mark(folder.string() + kCorruptMark); mark) {
    const std::string found((std::istreambuf_iterator<char>(mark)), std::istreambuf_iterator<char>());
    return absl::DataLossError(found);
  }
  rocksdb::Env& files = env != nullptr ? *env : *rocksdb::Env::Default();
  if (rocksdb::Status removed = RemoveBulkFile(folder.string(), files); !removed.ok()) {
    return FromRocksDb(removed, folder.string());
  }
  if (absl::Status s = RoomIn(folder.string()); !s.ok()) return s;

  rocksdb::BlockBasedTableOptions table;
  table.block_cache = memory.shared_->cache;
  table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10));
  table.cache_index_and_filter_blocks = true;
  auto impl = std::make_unique<Impl>();
  rocksdb::Options& options = impl->options;
  options.create_if_missing = true;
  options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  options.write_buffer_manager = memory.shared_->write_buffers;
  options.write_buffer_size = memory.shared_->write_buffer_bytes;
  // Every new customer is looked for in vain: a filter over the memtable spares the search through its list.
  options.memtable_prefix_bloom_size_ratio = 0.02;
  options.memtable_whole_key_filtering = true;
  options.compression = rocksdb::kLZ4Compression;
  options.max_background_jobs = 2;
  options.keep_log_file_num = 3;
  options.max_open_files = 256;
  options.avoid_unnecessary_blocking_io = true;

  if (env != nullptr) options.env = env;
  impl->folder = folder.string();
  impl->write.disableWAL = true;
  impl->write.memtable_insert_hint_per_batch = true;
  const rocksdb::Status opened = impl->Open();
  // A file that should be there and is not is damage, too.
  if (opened.IsPathNotFound() || opened.IsNotFound()) {
    return FromRocksDb(rocksdb::Status::Corruption(opened.ToString()), impl->folder);
  }
  if (!opened.ok()) return FromRocksDb(opened, impl->folder);
  return std::unique_ptr<RocksDbRowStore>(new RocksDbRowStore(std::move(impl)));
}

absl::StatusOr<std::unique_ptr<RocksDbRowStore>> RocksDbRowStore::OpenOrSetAside(
    const std::filesystem::path& folder, RocksDbMemory& memory, std::string_view suffix,
    std::optional<std::filesystem::path>& moved_to) {
  moved_to.reset();
  auto opened = Open(folder, memory);
  if (!absl::IsDataLoss(opened.status())) return opened;
  std::filesystem::path aside = folder;
  aside += ".corrupt-";
  aside += suffix;
  std::error_code error;
  std::filesystem::rename(folder, aside, error);
  if (error) {
    return absl::DataLossError(
        absl::StrCat(opened.status().message(), "; it could not be moved to ", aside.string(), ": ", error.message()));
  }
  moved_to = std::move(aside);
  return Open(folder, memory);
}

// What RocksDB answers, as everybody else reads it. Damage is marked on the disk.
absl::Status RocksDbRowStore::Report(const rocksdb::Status& status) const {
  absl::Status out = FromRocksDb(status, impl_->folder);
  if (absl::IsDataLoss(out)) std::ofstream(impl_->folder + kCorruptMark) << out.message();
  return out;
}

absl::Status RocksDbRowStore::Destroy(const std::filesystem::path& folder) {
  return FromRocksDb(rocksdb::DestroyDB(folder.string(), rocksdb::Options()), folder.string());
}

absl::StatusOr<std::optional<std::string>> RocksDbRowStore::Get(std::string_view customer_id) {
  std::string row;
  const rocksdb::Status status = impl_->db->Get(rocksdb::ReadOptions(), RowKeyOf(customer_id), &row);
  if (status.IsNotFound()) return std::nullopt;
  if (!status.ok()) return Report(status);
  return row;
}

absl::Status RocksDbRowStore::GetMany(const std::vector<std::string_view>& customer_ids, const VisitRow& visit) {
  std::vector<std::string> names;
  std::vector<rocksdb::Slice> keys;
  names.reserve(customer_ids.size());
  keys.reserve(customer_ids.size());
  for (const std::string_view id : customer_ids) keys.emplace_back(names.emplace_back(RowKeyOf(id)));
  std::vector<rocksdb::PinnableSlice> rows(keys.size());
  std::vector<rocksdb::Status> found(keys.size());
  impl_->db->MultiGet(rocksdb::ReadOptions(), impl_->db->DefaultColumnFamily(), keys.size(), keys.data(), rows.data(),
                      found.data());
  for (size_t place = 0; place < keys.size(); ++place) {
    if (found[place].IsNotFound()) {
      visit(place, std::nullopt);
      continue;
    }
    if (!found[place].ok()) return Report(found[place]);
    visit(place, std::string_view(rows[place].data(), rows[place].size()));
  }
  return absl::OkStatus();
}

namespace {

// Places of a batch's writes in the order of their customers, those of one customer in theirs. Sorting by the next
// eight bytes behind what all ids begin with mostly spares looking at the strings.
std::vector<uint32_t> OrderOf(const RowBatch& batch) {
  const auto& writes = batch.writes;
  size_t common = writes.empty() ? 0 : writes.front().first.size();
  for (const auto& [customer, row] : writes) {
    const std::string& first = writes.front().first;
    common = std::min(common, customer.size());
    common = static_cast<size_t>(
        std::mismatch(first.begin(), first.begin() + static_cast<ptrdiff_t>(common), customer.begin()).first -
        first.begin());
  }
  struct Place {
    uint64_t begin;
    uint32_t place;
  };
  std::vector<Place> places;
  places.reserve(writes.size());
  for (uint32_t i = 0; i < writes.size(); ++i) {
    uint64_t begin = 0;
    const std::string& customer = writes[i].first;
    for (size_t at = common; at < common + 8; ++at) {
      begin = begin << 8 | (at < customer.size() ? static_cast<unsigned char>(customer[at]) : 0);
    }
    places.push_back({begin, i});
  }
  std::sort(places.begin(), places.end(), [&](const Place& a, const Place& b) {
    if (a.begin != b.begin) return a.begin < b.begin;
    const int order = writes[a.place].first.compare(writes[b.place].first);
    return order != 0 ? order < 0 : a.place < b.place;
  });
  std::vector<uint32_t> order;
  order.reserve(places.size());
  for (const Place& place : places) order.push_back(place.place);
  return order;
}

// The part of VisitChanges that is an index: entries without a value, those removed before those added.
template <class Entry, class Put, class Remove>
rocksdb::Status VisitIndex(const std::vector<Entry>& removed, const std::vector<Entry>& added, Put put, Remove remove) {
  struct Change {
    const Entry* entry;
    bool added;
  };
  std::vector<Change> changes;
  changes.reserve(removed.size() + added.size());
  for (const Entry& entry : removed) changes.push_back({&entry, false});
  for (const Entry& entry : added) changes.push_back({&entry, true});
  std::sort(changes.begin(), changes.end(), [](const Change& a, const Change& b) {
    return *a.entry != *b.entry ? *a.entry < *b.entry : a.added < b.added;
  });
  rocksdb::Status status;
  for (size_t i = 0; i < changes.size() && status.ok(); ++i) {
    if (i + 1 < changes.size() && *changes[i + 1].entry == *changes[i].entry) continue;
    const std::string key = IndexKeyOf(*changes[i].entry);
    status = changes[i].added ? put(key, std::string()) : remove(key);
  }
  return status;
}

// Calls `put(key, value)` and `remove(key)` for what a batch changes: in the order of the keys, each key once. Ordered,
// the memtable's insert hint makes writing nearly twice as cheap as in arrival order, and a table file takes no other
// order. Both return a rocksdb::Status.
template <class Put, class Remove>
rocksdb::Status VisitChanges(const RowBatch& batch, Put put, Remove remove) {
  rocksdb::Status status = put(std::string(kMetaKey), batch.meta.SerializeAsString());
  const std::vector<uint32_t> order = OrderOf(batch);
  std::string key;
  for (size_t i = 0; i < order.size() && status.ok(); ++i) {
    const auto& [customer, row] = batch.writes[order[i]];
    if (i + 1 < order.size() && batch.writes[order[i + 1]].first == customer) continue;  // a later one wins
    key.assign(1, kRowPrefix);
    key.append(customer);
    status = row ? put(key, *row) : remove(key);
  }
  if (status.ok()) status = VisitIndex(batch.timers_removed, batch.timers_added, put, remove);
  if (status.ok()) status = VisitIndex(batch.gone_removed, batch.gone_added, put, remove);
  return status;
}

size_t BytesOf(const RowBatch& batch) {
  size_t bytes = 0;
  for (const auto& [customer, row] : batch.writes) bytes += customer.size() + (row ? row->size() : 0);
  return bytes;
}

}  // namespace

absl::Status RocksDbRowStore::CheckRoom() {
  absl::Status room = RoomIn(impl_->folder);
  // Closing would flush, too: what is not on the disk is in the changelog.
  if (!room.ok()) static_cast<void>(impl_->db->SetDBOptions({{"avoid_flush_during_shutdown", "true"}}));
  return room;
}

absl::Status RocksDbRowStore::Write(const RowBatch& batch) {
  if (absl::Status s = CheckRoom(); !s.ok()) return s;
  if (BytesOf(batch) >= kBulkBytes) return WriteInBulk(batch);
  rocksdb::WriteBatch writes;
  rocksdb::Status status = VisitChanges(
      batch, [&](const std::string& key, const std::string& value) { return writes.Put(key, value); },
      [&](const std::string& key) { return writes.Delete(key); });
  if (status.ok()) status = impl_->db->Write(impl_->write, &writes);
  return Report(status);
}

absl::Status RocksDbRowStore::WriteInBulk(const RowBatch& batch) {
  const std::string file = impl_->folder + kBulkFile;
  rocksdb::SstFileWriter writer(rocksdb::EnvOptions(), impl_->options);
  rocksdb::Status status = writer.Open(file);
  if (status.ok()) {
    status = VisitChanges(
        batch, [&](const std::string& key, const std::string& value) { return writer.Put(key, value); },
        [&](const std::string& key) { return writer.Delete(key); });
  }
  if (status.ok()) status = writer.Finish();
  // What lies in memory is flushed first, since the meta record is in every batch: so the order of batches is kept.
  rocksdb::IngestExternalFileOptions ingest;
  ingest.move_files = true;
  ingest.write_global_seqno = false;
  if (status.ok()) status = impl_->db->IngestExternalFile({file}, ingest);
  if (!status.ok()) static_cast<void>(impl_->options.env->DeleteFile(file));
  return Report(status);
}

absl::StatusOr<std::optional<v1::StoreMeta>> RocksDbRowStore::Meta() {
  std::string bytes;
  const rocksdb::Status status =
      impl_->db->Get(rocksdb::ReadOptions(), rocksdb::Slice(kMetaKey.data(), kMetaKey.size()), &bytes);
  if (status.IsNotFound()) return std::nullopt;
  if (!status.ok()) return Report(status);
  v1::StoreMeta meta;
  if (!meta.ParseFromString(bytes)) {
    return Report(rocksdb::Status::Corruption("the meta record cannot be parsed"));
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
  return Report(it->status());
}

absl::StatusOr<std::vector<std::pair<std::string, std::string>>> RocksDbRowStore::ReadRows(std::string_view after,
                                                                                           size_t at_most) {
  std::vector<std::pair<std::string, std::string>> out;
  rocksdb::ReadOptions read;
  read.fill_cache = false;
  const std::unique_ptr<rocksdb::Iterator> it(impl_->db->NewIterator(read));
  const std::string from = RowKeyOf(after);
  for (it->Seek(from); it->Valid() && out.size() < at_most && it->key()[0] == kRowPrefix; it->Next()) {
    const rocksdb::Slice key = it->key(), value = it->value();
    if (key == rocksdb::Slice(from)) continue;
    out.emplace_back(std::string(key.data() + 1, key.size() - 1), value.ToString());
  }
  if (absl::Status s = Report(it->status()); !s.ok()) return s;
  return out;
}

absl::StatusOr<std::vector<TimerHint>> RocksDbRowStore::ReadTimers(const TimerHint& from, int64_t until_us,
                                                                   size_t at_most) {
  std::vector<TimerHint> out;
  const std::unique_ptr<rocksdb::Iterator> it(impl_->db->NewIterator(rocksdb::ReadOptions()));
  for (it->Seek(IndexKeyOf(from)); it->Valid() && out.size() < at_most; it->Next()) {
    const rocksdb::Slice key = it->key();
    if (key[0] != kTimerPrefix || key.size() < 9) break;
    TimerHint hint = TimerOfKey({key.data(), key.size()});
    if (hint.time_us > until_us) break;
    out.push_back(std::move(hint));
  }
  if (absl::Status s = Report(it->status()); !s.ok()) return s;
  return out;
}

absl::StatusOr<std::vector<GoneRow>> RocksDbRowStore::ReadGone() {
  std::vector<GoneRow> out;
  const std::unique_ptr<rocksdb::Iterator> it(impl_->db->NewIterator(rocksdb::ReadOptions()));
  for (it->Seek(rocksdb::Slice(&kGonePrefix, 1)); it->Valid() && it->key()[0] == kGonePrefix; it->Next()) {
    const std::string_view key(it->key().data(), it->key().size());
    out.push_back({NumberOfKey(key), std::string(key.substr(9))});
  }
  if (absl::Status s = Report(it->status()); !s.ok()) return s;
  return out;
}

absl::Status RocksDbRowStore::Clear() {
  const std::lock_guard lock(copier_->mutex_);
  impl_->db.reset();
  if (absl::Status s = Destroy(impl_->folder); !s.ok()) return s;
  return Report(impl_->Open());
}

absl::Status RocksDbRowStore::Flush() {
  if (absl::Status s = CheckRoom(); !s.ok()) return s;
  return Report(impl_->db->Flush(rocksdb::FlushOptions()));
}

}  // namespace portrait
