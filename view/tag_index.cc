#include "view/tag_index.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "pipeline/absl_view.h"
#include "rocksdb/cache.h"
#include "rocksdb/db.h"
#include "rocksdb/filter_policy.h"
#include "rocksdb/table.h"
#include "rocksdb/write_batch.h"

// Keys, whose order is that of the pages:
//   'c' partition customer                → v1.TagStanding
//   's' tag since↓ partition customer     → since, value at risk
//   'v' tag value↓ partition customer     → the same
// A partition has 4 bytes, a number 8, both with the highest byte first; a tag has its length before it. ↓: all bits of
// the number are turned round, so that high ones come first.
namespace portrait::view {
namespace {

constexpr char kCustomer = 'c', kSince = 's', kValue = 'v';
constexpr size_t kPartitionBytes = 4, kNumberBytes = 8;
constexpr int64_t kNoValue = std::numeric_limits<int64_t>::min();
constexpr size_t kWriteBufferBytes = 8u << 20, kCacheBytes = 16u << 20;

void AppendBytes(uint64_t number, size_t bytes, std::string& out) {
  for (size_t i = bytes; i-- > 0;) out.push_back(static_cast<char>(number >> (8 * i)));
}
uint64_t ReadBytes(std::string_view bytes) {
  uint64_t number = 0;
  for (const char c : bytes) number = number << 8 | static_cast<unsigned char>(c);
  return number;
}
// Signed numbers in their order, the highest first.
void AppendDescending(int64_t number, std::string& out) {
  AppendBytes(~(static_cast<uint64_t>(number) ^ (uint64_t{1} << 63)), kNumberBytes, out);
}

std::string PartitionKey(int32_t partition) {
  std::string key(1, kCustomer);
  AppendBytes(static_cast<uint32_t>(partition), kPartitionBytes, key);
  return key;
}
std::string CustomerKey(int32_t partition, std::string_view customer) {
  std::string key = PartitionKey(partition);
  key.append(customer);
  return key;
}
std::string TagPrefix(char kind, std::string_view tag) {
  std::string key(1, kind);
  AppendBytes(tag.size(), kPartitionBytes, key);
  key.append(tag);
  return key;
}
std::string EntryKey(char kind, std::string_view tag, int64_t number, int32_t partition, std::string_view customer) {
  std::string key = TagPrefix(kind, tag);
  AppendDescending(number, key);
  AppendBytes(static_cast<uint32_t>(partition), kPartitionBytes, key);
  key.append(customer);
  return key;
}

auto Find(google::protobuf::RepeatedPtrField<v1::TagStanding::Held>& held, std::string_view tag) {
  return std::find_if(held.begin(), held.end(), [&](const auto& one) { return one.tag() == tag; });
}

int64_t ValueOf(const v1::TagStanding& standing) {
  return standing.has_value_at_risk_micros() ? standing.value_at_risk_micros() : kNoValue;
}

}  // namespace

struct TagIndex::Store {
  std::filesystem::path folder;
  std::unique_ptr<rocksdb::DB> db;
  rocksdb::WriteOptions write;

  absl::Status Report(const rocksdb::Status& status) const {
    if (status.ok()) return absl::OkStatus();
    return absl::UnavailableError(absl::StrCat("the index of tags: ", status.ToString(), ": ", folder.string()));
  }
};

TagIndex::TagIndex(std::unique_ptr<Store> store) : store_(std::move(store)) {}
TagIndex::~TagIndex() = default;

absl::StatusOr<std::unique_ptr<TagIndex>> TagIndex::Open(const std::filesystem::path& folder) {
  auto store = std::make_unique<Store>();
  store->folder = folder;
  store->write.disableWAL = true;  // after a crash it is made anew
  std::error_code error;
  std::filesystem::remove_all(folder, error);
  if (!error) std::filesystem::create_directories(folder, error);
  if (error) {
    return absl::UnavailableError(absl::StrCat("the index of tags: ", error.message(), ": ", folder.string()));
  }
  rocksdb::Options options;
  options.create_if_missing = true;
  options.write_buffer_size = kWriteBufferBytes;
  options.compression = rocksdb::kLZ4Compression;
  options.max_open_files = 64;
  options.info_log_level = rocksdb::ERROR_LEVEL;
  rocksdb::BlockBasedTableOptions table;
  table.block_cache = rocksdb::NewLRUCache(kCacheBytes);
  table.cache_index_and_filter_blocks = true;
  table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10));
  options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  rocksdb::DB* db = nullptr;
  const rocksdb::Status opened = rocksdb::DB::Open(options, folder.string(), &db);
  store->db.reset(db);
  if (absl::Status s = store->Report(opened); !s.ok()) return s;
  return std::unique_ptr<TagIndex>(new TagIndex(std::move(store)));
}

absl::StatusOr<v1::TagStanding> TagIndex::Read(int32_t partition, std::string_view customer) const {
  v1::TagStanding standing;
  std::string bytes;
  const rocksdb::Status got = store_->db->Get(rocksdb::ReadOptions(), CustomerKey(partition, customer), &bytes);
  if (got.IsNotFound()) return standing;
  if (absl::Status s = store_->Report(got); !s.ok()) return s;
  if (!standing.ParseFromString(bytes)) return absl::DataLossError("the index of tags: an entry cannot be read");
  return standing;
}

void TagIndex::CountOne(std::string_view tag, int32_t partition, int64_t more) {
  auto& counts = counts_.try_emplace(std::string(tag)).first->second;
  if ((counts[partition] += more) == 0) counts.erase(partition);
}

absl::Status TagIndex::Replace(int32_t partition, std::string_view customer, const v1::TagStanding& before,
                               const v1::TagStanding& after) {
  rocksdb::WriteBatch batch;
  const auto remove = [&](const v1::TagStanding::Held& held) {
    batch.Delete(EntryKey(kSince, held.tag(), held.since_us(), partition, customer));
    batch.Delete(EntryKey(kValue, held.tag(), ValueOf(before), partition, customer));
  };
  const auto add = [&](const v1::TagStanding::Held& held) {
    std::string value;
    AppendBytes(static_cast<uint64_t>(held.since_us()), kNumberBytes, value);
    AppendBytes(static_cast<uint64_t>(ValueOf(after)), kNumberBytes, value);
    batch.Put(EntryKey(kSince, held.tag(), held.since_us(), partition, customer), value);
    batch.Put(EntryKey(kValue, held.tag(), ValueOf(after), partition, customer), value);
  };
  for (const auto& held : before.held()) remove(held);
  for (const auto& held : after.held()) add(held);
  const std::string key = CustomerKey(partition, customer);
  if (after.held().empty() && !after.has_value_at_risk_micros()) {
    batch.Delete(key);
  } else {
    batch.Put(key, after.SerializeAsString());
  }
  if (absl::Status s = store_->Report(store_->db->Write(store_->write, &batch)); !s.ok()) return s;
  for (const auto& held : before.held()) CountOne(held.tag(), partition, -1);
  for (const auto& held : after.held()) CountOne(held.tag(), partition, 1);
  return absl::OkStatus();
}

absl::Status TagIndex::Change(int32_t partition, std::string_view customer,
                              absl::FunctionRef<void(v1::TagStanding& standing)> change) {
  const auto before = Read(partition, customer);
  if (!before.ok()) return before.status();
  v1::TagStanding after = *before;
  change(after);
  return Replace(partition, customer, *before, after);
}

absl::Status TagIndex::Put(int32_t partition, std::string_view customer, const v1::TagStanding& standing) {
  return Change(partition, customer, [&](v1::TagStanding& now) { now = standing; });
}

absl::Status TagIndex::Gain(int32_t partition, std::string_view customer, std::string_view tag, int64_t since_us) {
  return Change(partition, customer, [&](v1::TagStanding& now) {
    auto* held = now.mutable_held();
    const auto found = Find(*held, tag);
    v1::TagStanding::Held& one = found != held->end() ? *found : *held->Add();
    one.set_tag(std::string(tag));
    one.set_since_us(since_us);
  });
}

absl::Status TagIndex::Lose(int32_t partition, std::string_view customer, std::string_view tag) {
  return Change(partition, customer, [&](v1::TagStanding& now) {
    auto* held = now.mutable_held();
    if (const auto found = Find(*held, tag); found != held->end()) held->erase(found);
  });
}

absl::Status TagIndex::SetValueAtRisk(int32_t partition, std::string_view customer, std::optional<int64_t> micros) {
  return Change(partition, customer, [&](v1::TagStanding& now) {
    now.clear_value_at_risk_micros();
    if (micros) now.set_value_at_risk_micros(*micros);
  });
}

absl::Status TagIndex::Drop(int32_t partition) {
  const std::string prefix = PartitionKey(partition);
  const std::unique_ptr<rocksdb::Iterator> it(store_->db->NewIterator(rocksdb::ReadOptions()));
  for (it->Seek(prefix); it->Valid() && it->key().starts_with(prefix); it->Next()) {
    v1::TagStanding standing;
    if (!standing.ParseFromArray(it->value().data(), static_cast<int>(it->value().size()))) continue;
    const rocksdb::Slice key = it->key();
    const std::string_view customer(key.data() + prefix.size(), key.size() - prefix.size());
    if (absl::Status s = Replace(partition, customer, standing, {}); !s.ok()) return s;
  }
  return store_->Report(it->status());
}

const std::map<int32_t, int64_t>& TagIndex::Count(std::string_view tag) const {
  static const auto* const none = new std::map<int32_t, int64_t>();
  const auto found = counts_.find(tag);
  return found == counts_.end() ? *none : found->second;
}

absl::StatusOr<TagPage> TagIndex::List(std::string_view tag, TagSort sort, const std::set<int32_t>& partitions,
                                       std::string_view after, size_t limit) const {
  const std::string prefix = TagPrefix(sort == TagSort::kSince ? kSince : kValue, tag);
  std::string from = prefix;
  if (!after.empty()) {
    const bool hex = std::all_of(after.begin(), after.end(), absl::ascii_isxdigit);
    if (!hex || after.size() % 2 != 0 || after.size() < 2 * (kNumberBytes + kPartitionBytes)) {
      return absl::InvalidArgumentError("no place in this list");
    }
    from.append(absl::HexStringToBytes(AbslView(after))).push_back('\0');
  }
  TagPage page;
  const std::unique_ptr<rocksdb::Iterator> it(store_->db->NewIterator(rocksdb::ReadOptions()));
  for (it->Seek(from); it->Valid() && it->key().starts_with(prefix); it->Next()) {
    const std::string_view place(it->key().data() + prefix.size(), it->key().size() - prefix.size());
    const std::string_view value(it->value().data(), it->value().size());
    if (place.size() < kNumberBytes + kPartitionBytes || value.size() != 2 * kNumberBytes) continue;
    if (!partitions.contains(static_cast<int32_t>(ReadBytes(place.substr(kNumberBytes, kPartitionBytes))))) continue;
    if (page.holders.size() == limit) {
      page.more = true;
      return page;
    }
    TagHolder& holder = page.holders.emplace_back();
    holder.customer = std::string(place.substr(kNumberBytes + kPartitionBytes));
    holder.since_us = static_cast<int64_t>(ReadBytes(value.substr(0, kNumberBytes)));
    const auto at_risk = static_cast<int64_t>(ReadBytes(value.substr(kNumberBytes)));
    if (at_risk != kNoValue) holder.value_at_risk_micros = at_risk;
    holder.place = absl::BytesToHexString(AbslView(place));  // keeps the order, as base64 does not
  }
  if (absl::Status s = store_->Report(it->status()); !s.ok()) return s;
  return page;
}

}  // namespace portrait::view
