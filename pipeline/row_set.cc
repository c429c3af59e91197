#include "pipeline/row_set.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "pipeline/invariant.h"
#include "pipeline/mutation.h"
#include "xxhash.h"

namespace portrait {
namespace {

constexpr size_t kWitnesses = 16;
constexpr size_t kLookAt = 16;  // a miss pays for a bounded search, even when few rows can leave

// What the allocator adds by rounding up and by pages that are not full, and the places of a row in cache, queue and
// index.
constexpr double kAllocator = 1.25;
constexpr size_t kPlaces = 64;

// What a row takes beside its operators' messages: all that it takes at rest.
size_t BytesBeside(const CachedRow& row) {
  return sizeof(CachedRow) + kPlaces + row.customer_id.capacity() + row.state.states.BytesInMemory();
}

constexpr int64_t kNever = INT64_MAX;
constexpr size_t kDisprovedAtOnce = 4096;

void Fetch(const void* from, size_t offset) { __builtin_prefetch(static_cast<const char*>(from) + offset); }

int64_t FirstTimer(const CachedRow& row) {
  const auto next = row.state.timers.next();
  return next ? ToMicros(*next) : kNever;
}

}  // namespace

absl::StatusOr<CachedRow*> RowSet::Get(std::string_view customer_id) {
  if (CachedRow* row = cache_.Find(customer_id)) {
    ++(std::exchange(row->read_ahead, false) ? misses_ : hits_);
    return row;
  }
  ++misses_;
  cache_.Evict(kLookAt);
  auto stored = store_->Get(customer_id);
  if (!stored.ok()) return stored.status();
  return Keep(customer_id, *stored);
}

absl::StatusOr<CachedRow*> RowSet::Keep(std::string_view customer_id, std::optional<std::string_view> stored) {
  auto row = std::make_unique<CachedRow>();
  row->customer_id = std::string(customer_id);
  if (stored) {
    auto number = chain_.Decode(*stored, row->state);
    if (!number.ok()) return number.status();
    row->number = *number;
    if (row->state.gone) row->gone_at = row->stored_gone = *number;
    // The index has an entry for every row with timers, at or before the first of them.
    row->hinted_us = row->stored_timer_us = FirstTimer(*row);
  } else {
    row->state = chain_.EmptyRow();
  }
  row->bytes = BytesAtRest(*row);
  return cache_.Insert(std::move(row));
}

std::vector<std::string> RowSet::Unwritten() const {
  std::vector<std::string> customers;
  for (const CachedRow* row : cache_) {
    if (!row->evictable()) customers.push_back(row->customer_id);
  }
  std::sort(customers.begin(), customers.end());
  return customers;
}

absl::StatusOr<std::optional<std::string>> RowSet::Copy(std::string_view customer_id, bool& cached) const {
  const CachedRow* row = cache_.Peek(customer_id);
  cached = row != nullptr;
  if (row == nullptr) return store_->Get(customer_id);
  if (row->number == 0) return std::nullopt;
  std::string bytes;
  chain_.Encode(row->number, row->state, bytes);
  return bytes;
}

absl::StatusOr<std::vector<std::pair<std::string, std::string>>> RowSet::CopyStored(std::string_view after,
                                                                                    size_t at_most) const {
  auto rows = store_->ReadRows(after, at_most);
  if (!rows.ok()) return rows.status();
  for (auto& [customer, bytes] : *rows) {
    const CachedRow* row = cache_.Peek(customer);
    if (row == nullptr || row->evictable()) continue;
    bytes.clear();
    chain_.Encode(row->number, row->state, bytes);
  }
  return rows;
}

// Each round asks for memory whose address the round before has brought, for all rows, so that their waits overlap.
void RowSet::Prefetch(const std::vector<std::string_view>& customer_ids) {
  constexpr size_t kLine = 64;
  constexpr size_t kLinesOfStored = 8;  // the processor fetches ahead what is read from one end to the other
  for (const std::string_view id : customer_ids) cache_.Prefetch(id);
  fetched_.clear();
  missing_.clear();
  for (const std::string_view id : customer_ids) {
    const CachedRow* row = cache_.Peek(id);
    if (row == nullptr) {
      missing_.push_back(id);
      continue;
    }
    fetched_.push_back(row);
    for (size_t at = 0; at < sizeof(CachedRow); at += kLine) Fetch(row, at);
  }
  for (const CachedRow* row : fetched_) {
    for (size_t line = 0; line < 3; ++line) Fetch(row->state.states.places(), line * kLine);
    const std::string_view stored = row->state.states.stored();
    for (size_t at = 0; at < std::min(stored.size(), kLinesOfStored * kLine); at += kLine) Fetch(stored.data(), at);
  }
  for (int round = 0; round < Fetcher::kRounds; ++round) {
    Fetcher fetcher(round);
    for (const CachedRow* row : fetched_) chain_.Fetch(row->state, fetcher);
  }
  // Last, for it may let go of rows.
  if (!missing_.empty()) ReadAhead();
}

void RowSet::ReadAhead() {
  std::sort(missing_.begin(), missing_.end());
  missing_.erase(std::unique(missing_.begin(), missing_.end()), missing_.end());
  cache_.Evict(kLookAt * missing_.size());
  const absl::Status read = store_->GetMany(missing_, [&](size_t place, std::optional<std::string_view> stored) {
    if (auto row = Keep(missing_[place], stored); row.ok()) (*row)->read_ahead = true;
  });
  read.IgnoreError();
}

size_t RowSet::BytesAtRest(const CachedRow& row) {
  return static_cast<size_t>(kAllocator * static_cast<double>(BytesBeside(row)));
}

// Protobuf can tell exactly, but slowly. So every 64th row is measured before it comes to rest, and the others are
// taken to be like those.
void RowSet::Measure(const CachedRow& row, size_t stored_bytes) {
  constexpr uint32_t kEvery = 64;
  constexpr double kWeight = 1.0 / 16;
  if (measured_++ % kEvery != 0 || stored_bytes == 0) return;
  size_t decoded = 0;
  row.state.states.ForDecoded([&](Slot, const google::protobuf::Message& state) { decoded += state.SpaceUsedLong(); });
  const double ratio = static_cast<double>(decoded) / static_cast<double>(stored_bytes);
  decoded_per_stored_byte_ += (ratio - decoded_per_stored_byte_) * kWeight;
  mean_stored_bytes_ += (static_cast<double>(stored_bytes) - mean_stored_bytes_) * kWeight;
}

size_t RowSet::BytesInUse(const CachedRow& row) const {
  const size_t known = row.state.states.stored_size();
  const double stored = known > 0 ? static_cast<double>(known) : mean_stored_bytes_;
  return BytesAtRest(row) + static_cast<size_t>(kAllocator * decoded_per_stored_byte_ * stored);
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
    row.state.states.DropOutdated();
    cache_.SetBytes(row, BytesInUse(row));
  }
  if (Mutated(Mutation::kFloorIsPageNumber)) row.dirty_from = step;
  if (witnesses_.size() < kWitnesses && row.witnessed_in == 0) {
    row.witnessed_in = step;
    witnesses_.push_back(&row);
  }
}

void RowSet::Index(CachedRow& row) {
  const int64_t next = FirstTimer(row);
  if (next >= row.hinted_us) return;
  // The entry so far may stay: most customers have a timer for the end of their visit before the one for the next
  // midnight, again and again. But no more than two in memory for each row.
  if (row.hint_added && row.later_hint_us == kNever) {
    row.later_hint_us = row.hinted_us;
  } else if (row.hinted_us != kNever) {
    timers_.Remove(row.hinted_us, row.customer_id);
  }
  row.hinted_us = next;
  row.hint_added = next != row.stored_timer_us || !StoreHasTimer(row);
  if (row.hint_added) timers_.Add(next, row.customer_id);
}

bool RowSet::TakeHint(CachedRow& row, int64_t time_us) {
  if (time_us == row.later_hint_us) row.later_hint_us = kNever;
  if (time_us > row.hinted_us) return false;
  row.hinted_us = time_us == row.hinted_us ? std::exchange(row.later_hint_us, kNever) : kNever;
  row.hint_added = row.hinted_us != kNever;
  return true;
}

bool RowSet::StoreHasTimer(const CachedRow& row) const {
  return timers_.StoreStandsFor(row.stored_timer_us, row.customer_id);
}

absl::Status RowSet::Disproved(const CachedRow& row, const TimerHint& hint) {
  // The image of a row that changed corrects the index by itself.
  if (!row.evictable() || row.stored_timer_us == hint.time_us) return absl::OkStatus();
  disproved_.push_back(hint);
  if (disproved_.size() < kDisprovedAtOnce || meta_.lineage().empty()) return absl::OkStatus();
  RowBatch batch;
  batch.meta = meta_;
  batch.timers_removed = std::exchange(disproved_, {});
  return store_->Write(batch);
}

std::vector<RowImage> RowSet::TakeImages(const Pace& pace, Duration now, const std::function<void()>& between) {
  constexpr size_t kAtOnce = 64;
  constexpr size_t kImagedForEachOver = 2;  // those that are used all the time do not leave
  Shrink();
  size_t count = dirty_.size();
  if ((!pace.all || Mutated(Mutation::kHandOverLeavesRows)) && pace.checkpoint_interval > pace.commit_interval) {
    const auto rounds = static_cast<size_t>(pace.checkpoint_interval / pace.commit_interval);
    count = (dirty_.size() + rounds - 1) / rounds;
  }
  const size_t bytes = kImagedForEachOver * cache_.over_limit_by();
  size_t imaged_bytes = 0;
  std::vector<RowImage> images;
  images.reserve(count);
  while (!dirty_.empty() && (images.size() < count || imaged_bytes < bytes ||
                             now - dirty_.front()->dirty_since >= pace.checkpoint_interval)) {
    if (between && images.size() % kAtOnce == kAtOnce - 1) between();
    CachedRow& row = *dirty_.front();
    dirty_.pop_front();
    imaged_bytes += row.bytes;
    RowImage image{row.customer_id, row.number, std::string(), row.state.gone};
    chain_.Encode(row.number, row.state, *image.row);
    if (const int64_t next = FirstTimer(row); next != row.stored_timer_us) {
      image.timer_removed_us = row.stored_timer_us;
      image.timer_added_us = row.stored_timer_us = next;
    }
    image.gone_removed = row.stored_gone;
    image.gone_added = row.stored_gone = row.state.gone ? row.number : 0;
    Measure(row, image.row->size());
    chain_.Rest(*image.row, row.state);
    cache_.SetBytes(row, BytesAtRest(row));
    row.dirty_from = 0;
    row.in_flight = row.number;
    if (!Mutated(Mutation::kImageLost) || row.number % 16 != 0) images.push_back(std::move(image));
  }
  return images;
}

void RowSet::TakeRemovals(uint64_t committed_floor, std::vector<RowImage>& images) {
  constexpr int kAtOnce = 1000;
  for (int n = 0; n < kAtOnce && HasRemovals(committed_floor); ++n) {
    auto gone = gone_.extract(gone_.begin());
    auto& [number, customer] = gone.value();
    if (CachedRow* row = cache_.Find(customer)) {
      row->gone_at = row->stored_gone = 0;
      row->in_flight = number;
    }
    RowImage removal{std::move(customer), number, std::nullopt, true};
    removal.gone_removed = number;
    images.push_back(std::move(removal));
  }
}

// A state that no step has changed is hashed as it was stored, by whatever build; one that a step has changed, as this
// build writes it. A replay changes the same ones, so it comes to the same bytes.
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

RowSet::Staged RowSet::Stage(std::vector<RowImage> images, const v1::StoreMeta& meta) {
  Staged staged;
  RowBatch& batch = staged.batch;
  batch.meta = meta;
  batch.meta.set_format(kStoreFormat);
  batch.meta.set_highest_number(meta_.highest_number());
  batch.writes.reserve(images.size());
  batch.timers_removed = std::exchange(disproved_, {});
  batch.gone_removed = std::exchange(came_back_, {});
  for (RowImage& image : images) {
    batch.meta.set_highest_number(std::max(batch.meta.highest_number(), image.number));
    if (image.timer_removed_us != kNever) batch.timers_removed.push_back({image.timer_removed_us, image.customer_id});
    if (image.timer_added_us != kNever) batch.timers_added.push_back({image.timer_added_us, image.customer_id});
    if (image.gone_removed != 0) batch.gone_removed.push_back({image.gone_removed, image.customer_id});
    if (image.gone_added != 0) batch.gone_added.push_back({image.gone_added, image.customer_id});
    if (CachedRow* row = cache_.Find(image.customer_id)) {
      staged.rows.push_back({row, image.number, image.gone && image.row.has_value()});
    }
    batch.writes.emplace_back(std::move(image.customer_id), std::move(image.row));
  }
  return staged;
}

void RowSet::Settle(const Staged& staged) {
  meta_ = staged.batch.meta;
  for (const TimerHint& hint : staged.batch.timers_added) {
    // Its part of the store was read before it was written.
    if (!timers_.StoreStandsFor(hint.time_us, hint.customer_id)) timers_.Add(hint.time_us, hint.customer_id);
  }
  for (const auto& [row, number, gone] : staged.rows) {
    // A row that was touched since is not gone any more, or gone at a later step.
    if (gone && row->number == number) {
      row->gone_at = number;
      gone_.insert({number, row->customer_id});
    }
    if (row->in_flight != number) continue;
    row->in_flight = 0;
    if (row->evictable()) LeaveToStore(*row);
  }
  Shrink();
}

// Looks at a few rows for each that should leave, not at all of them: where most wait for their images, each look would
// be in vain, and the next commit images more.
void RowSet::Shrink() {
  constexpr size_t kLooksForEach = 8;
  if (!cache_.over_limit()) return;
  cache_.Evict(kLooksForEach * (1 + cache_.over_limit_by() * cache_.rows() / cache_.bytes()));
}

// A row that may leave the cache keeps no entry in memory but one whose time is near.
void RowSet::LeaveToStore(CachedRow& row) {
  const bool is_near = row.stored_timer_us != kNever && !StoreHasTimer(row);
  const int64_t later = std::exchange(row.later_hint_us, kNever);
  if (later != kNever && !(is_near && later == row.stored_timer_us)) timers_.Remove(later, row.customer_id);
  if (is_near) return;
  timers_.Remove(row.hinted_us, row.customer_id);
  row.hinted_us = row.stored_timer_us;
  row.hint_added = false;
}

absl::StatusOr<uint64_t> RowSet::Load(uint64_t last) {
  cache_.Clear();
  timers_.Reset();
  dirty_.clear();
  witnesses_.clear();
  gone_.clear();
  disproved_.clear();
  came_back_.clear();
  auto meta = store_->Meta();
  if (!meta.ok()) return meta.status();
  meta_ = meta->value_or(v1::StoreMeta());
  if (meta_.highest_number() > last) {
    return absl::DataLossError(absl::StrCat("a local row is ahead of the journal: row at step ", meta_.highest_number(),
                                            ", journal at step ", last));
  }
  auto gone = store_->ReadGone();
  if (!gone.ok()) return gone.status();
  for (GoneRow& row : *gone) {
    auto stored = store_->Get(row.customer_id);
    if (!stored.ok()) return stored.status();
    const auto header = stored->has_value() ? ReadRowHeader(**stored) : RowHeader();
    if (!header.ok()) return header.status();
    if (header->gone && header->number == row.number) {
      gone_.insert(std::move(row));
    } else {
      came_back_.push_back(std::move(row));
    }
  }
  return meta_.highest_number();
}

}  // namespace portrait
