#include "pipeline/changelog_batch.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "pipeline/changelog_headers.h"
#include "pipeline/mutation.h"

namespace portrait {
namespace {

constexpr size_t kBytesBeside = 100;  // of a row in the batch: two strings, its place, its entry in the index

}  // namespace

void ChangelogBatch::Add(const Record& record, uint64_t number) {
  const std::string_view customer = record.key.value_or(std::string_view());
  highest_number_ = std::max(highest_number_, number);
  size_t place = batch_.writes.size();
  const size_t hash = absl::HashOf(customer);
  if (const auto found = places_.find(Wanted{customer, hash}); found != places_.end()) {
    place = found->place;
  } else {
    bytes_ += customer.size() + kBytesBeside;
    batch_.writes.emplace_back(customer, std::nullopt);
    places_.insert({static_cast<uint32_t>(place), hash});
    AddTimerBefore(record);
  }
  std::optional<std::string>& row = batch_.writes[place].second;
  if (row) bytes_ -= row->size();
  if (!record.value) {
    row.reset();
    return;
  }
  bytes_ += record.value->size();
  if (row) {
    row->assign(*record.value);  // keeps its memory
  } else {
    row.emplace(*record.value);
  }
}

// Only of a customer's first record: the image before any other is in this batch, too, and never in the store. A wrong
// one would do no harm: of a customer whose image is written, no entry but that image's stands for anything.
void ChangelogBatch::AddTimerBefore(const Record& record) {
  const std::optional<int64_t> time_us = DecimalHeader<int64_t>(record, kTimerBeforeHeader);
  if (!time_us) return;
  batch_.timers_removed.push_back({*time_us, std::string(*record.key)});
  bytes_ += record.key->size() + kBytesBeside;
}

absl::Status ChangelogBatch::WriteTo(RowStore& store, v1::StoreMeta meta) {
  const auto stored = store.Meta();
  if (!stored.ok()) return stored.status();
  for (const auto& [customer, row] : batch_.writes) {
    if (!row) continue;
    const auto header = ReadRowHeader(*row);
    if (!header.ok()) return header.status();
    if (header->next_timer_us && !Mutated(Mutation::kRestoreIndexesNothing))
      batch_.timers_added.push_back({*header->next_timer_us, customer});
    if (header->gone) batch_.gone_added.push_back({header->number, customer});
  }
  if (!stored->has_value()) batch_.timers_removed.clear();  // from an empty store
  meta.set_format(kStoreFormat);
  meta.set_highest_number(std::max(highest_number_, stored->has_value() ? (*stored)->highest_number() : 0));
  batch_.meta = std::move(meta);
  absl::Status written = store.Write(batch_);
  places_.clear();
  batch_.writes.clear();
  batch_.timers_removed.clear();
  batch_.timers_added.clear();
  batch_.gone_added.clear();
  bytes_ = 0;
  return written;
}

}  // namespace portrait
