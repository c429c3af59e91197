#include "pipeline/row_set.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "pipeline/invariant.h"
#include "xxhash.h"

namespace portrait {
namespace {

constexpr size_t kWitnesses = 16;

// What a decoded row takes in memory, estimated from its stored size: messages hold pointers, capacity and heap headers
// beside the bytes themselves.
size_t BytesInMemory(size_t stored_bytes) { return sizeof(CachedRow) + 256 + 3 * stored_bytes; }

}  // namespace

absl::StatusOr<CachedRow*> RowSet::Get(std::string_view customer_id) {
  if (CachedRow* row = cache_.Find(customer_id)) {
    ++hits_;
    return row;
  }
  ++misses_;
  constexpr size_t kLookAt = 64;  // a miss pays for a bounded search, even when few rows can leave
  cache_.Evict(kLookAt);
  auto stored = store_->Get(customer_id);
  if (!stored.ok()) return stored.status();
  auto row = std::make_unique<CachedRow>();
  row->customer_id = std::string(customer_id);
  if (stored->has_value()) {
    auto number = chain_.Decode(**stored, row->state);
    if (!number.ok()) return number.status();
    row->number = *number;
    if (row->state.gone) row->gone_at = *number;
    // The index has an entry for every row with timers, at or before the first of them.
    if (const auto next = row->state.timers.next()) row->hinted_us = ToMicros(*next);
    row->bytes = BytesInMemory((*stored)->size());
  } else {
    row->state = chain_.EmptyRow();
    row->bytes = BytesInMemory(256);
  }
  return cache_.Insert(std::move(row));
}

void RowSet::Touched(CachedRow& row, uint64_t step, Duration now) {
  Invariant(step >= row.number, "the number of a row falls");
  row.number = step;
  if (row.gone_at != 0) gone_.erase({std::exchange(row.gone_at, 0), row.customer_id});
  if (row.dirty_from == 0) {
    Invariant(dirty_.empty() || step >= dirty_.back()->dirty_from, "the floor would pass a step without an image");
    row.dirty_from = step;
    row.dirty_since = now;
    dirty_.push_back(&row);
  }
  if (witnesses_.size() < kWitnesses && row.witnessed_in == 0) {
    row.witnessed_in = step;
    witnesses_.push_back(&row);
  }
}

void RowSet::Index(CachedRow& row) {
  const auto next = row.state.timers.next();
  if (!next || ToMicros(*next) >= row.hinted_us) return;
  row.hinted_us = ToMicros(*next);
  timers_.Add(row.hinted_us, row.customer_id);
}

std::vector<RowImage> RowSet::TakeImages(const Pace& pace, Duration now) {
  cache_.Evict();
  size_t count = dirty_.size();
  if (!pace.all && !cache_.over_limit() && pace.checkpoint_interval > pace.commit_interval) {
    const auto rounds = static_cast<size_t>(pace.checkpoint_interval / pace.commit_interval);
    count = (dirty_.size() + rounds - 1) / rounds;
  }
  std::vector<RowImage> images;
  images.reserve(count);
  while (!dirty_.empty() && (images.size() < count || now - dirty_.front()->dirty_since >= pace.checkpoint_interval)) {
    CachedRow& row = *dirty_.front();
    dirty_.pop_front();
    RowImage image{row.customer_id, row.number, std::string(), row.state.gone};
    chain_.Encode(row.number, row.state, *image.row);
    cache_.SetBytes(row, BytesInMemory(image.row->size()));
    row.dirty_from = 0;
    row.in_flight = row.number;
    images.push_back(std::move(image));
  }
  return images;
}

void RowSet::TakeRemovals(uint64_t committed_floor, std::vector<RowImage>& images) {
  constexpr int kAtOnce = 1000;
  for (int n = 0; n < kAtOnce && HasRemovals(committed_floor); ++n) {
    auto gone = gone_.extract(gone_.begin());
    auto& [number, customer] = gone.value();
    if (CachedRow* row = cache_.Find(customer)) {
      row->gone_at = 0;
      row->in_flight = number;
    }
    images.push_back({std::move(customer), number, std::nullopt, true});
  }
}

uint64_t RowSet::Checksum(const CachedRow& row) const {
  chain_.Encode(row.number, row.state, scratch_);
  return XXH3_64bits(scratch_.data(), scratch_.size());
}

std::vector<v1::Witness> RowSet::TakeWitnesses(uint64_t first) {
  std::vector<v1::Witness> out;
  for (CachedRow* row : witnesses_) {
    row->witnessed_in = 0;
    if (row->number < first) continue;
    v1::Witness& witness = out.emplace_back();
    witness.set_customer_id(row->customer_id);
    witness.set_number(row->number);
    witness.set_checksum(Checksum(*row));
  }
  witnesses_.clear();
  return out;
}

absl::Status RowSet::Committed(std::vector<RowImage> images, const v1::StoreMeta& meta) {
  RowBatch batch;
  batch.meta = meta;
  batch.writes.reserve(images.size());
  for (RowImage& image : images) {
    CachedRow* row = cache_.Find(image.customer_id);
    if (row != nullptr && row->in_flight == image.number) row->in_flight = 0;
    // A row that was touched since is not gone any more, or gone at a later step.
    if (image.gone && image.row && row != nullptr && row->number == image.number) {
      row->gone_at = image.number;
      gone_.emplace(image.number, image.customer_id);
    }
    batch.writes.emplace_back(std::move(image.customer_id), std::move(image.row));
  }
  if (absl::Status s = store_->Write(batch); !s.ok()) return s;
  cache_.Evict();
  return absl::OkStatus();
}

absl::StatusOr<uint64_t> RowSet::Load(uint64_t last) {
  cache_.Clear();
  timers_.Clear();
  dirty_.clear();
  witnesses_.clear();
  gone_.clear();
  uint64_t highest = 0;
  const absl::Status scanned = store_->Scan([&](std::string_view customer_id, std::string_view bytes) -> absl::Status {
    auto header = ReadRowHeader(bytes);
    if (!header.ok()) return header.status();
    if (header->number > last) {
      return absl::DataLossError(absl::StrCat("a local row is ahead of the journal: row at step ", header->number,
                                              ", journal at step ", last));
    }
    highest = std::max(highest, header->number);
    if (header->gone) gone_.emplace(header->number, customer_id);
    if (header->next_timer_us) timers_.Add(*header->next_timer_us, customer_id);
    return absl::OkStatus();
  });
  if (!scanned.ok()) return scanned;
  return highest;
}

}  // namespace portrait
