#include "state/memory_row_store.h"

#include <ranges>

namespace portrait {
namespace {

void Apply(const RowBatch& batch, std::map<std::string, std::string, std::less<>>& rows) {
  for (const auto& [customer, row] : batch.writes) {
    if (row) {
      rows[customer] = *row;
    } else {
      rows.erase(customer);
    }
  }
}

}  // namespace

void MemoryDisk::Flush() {
  for (const RowBatch& batch : pending_) {
    Apply(batch, rows_);
    for (const TimerHint& hint : batch.timers_removed) timers_.erase(hint);
    timers_.insert(batch.timers_added.begin(), batch.timers_added.end());
    for (const GoneRow& row : batch.gone_removed) gone_.erase(row);
    gone_.insert(batch.gone_added.begin(), batch.gone_added.end());
    meta_ = batch.meta;
  }
  pending_.clear();
}

void MemoryDisk::Crash(size_t batches_kept) {
  while (pending_.size() > batches_kept) pending_.pop_back();
  Flush();
}

void MemoryDisk::Wipe() {
  rows_.clear();
  timers_.clear();
  gone_.clear();
  meta_.reset();
  pending_.clear();
}

absl::StatusOr<std::optional<std::string>> MemoryRowStore::Get(std::string_view customer_id) {
  for (const RowBatch& batch : std::ranges::reverse_view(disk_->pending_)) {
    for (const auto& [customer, row] : std::ranges::reverse_view(batch.writes)) {
      if (customer == customer_id) return row;
    }
  }
  const auto it = disk_->rows_.find(customer_id);
  if (it == disk_->rows_.end()) return std::nullopt;
  return it->second;
}

absl::Status MemoryRowStore::Write(const RowBatch& batch) {
  if (!disk_->write_error_.ok()) return disk_->write_error_;
  disk_->pending_.push_back(batch);
  return absl::OkStatus();
}

absl::StatusOr<std::optional<v1::StoreMeta>> MemoryRowStore::Meta() {
  return disk_->pending_.empty() ? disk_->meta_ : std::optional<v1::StoreMeta>(disk_->pending_.back().meta);
}

absl::Status MemoryRowStore::Scan(const std::function<absl::Status(std::string_view, std::string_view)>& visit) {
  auto rows = disk_->rows_;
  for (const RowBatch& batch : disk_->pending_) Apply(batch, rows);
  for (const auto& [customer, row] : rows) {
    if (absl::Status s = visit(customer, row); !s.ok()) return s;
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<std::pair<std::string, std::string>>> MemoryRowStore::ReadRows(std::string_view after,
                                                                                          size_t at_most) {
  auto rows = disk_->rows_;
  for (const RowBatch& batch : disk_->pending_) Apply(batch, rows);
  std::vector<std::pair<std::string, std::string>> out;
  for (auto it = rows.upper_bound(after); it != rows.end() && out.size() < at_most; ++it) out.push_back(*it);
  return out;
}

absl::StatusOr<std::vector<TimerHint>> MemoryRowStore::ReadTimers(const TimerHint& from, int64_t until_us,
                                                                  size_t at_most) {
  std::set<TimerHint> timers(disk_->timers_.lower_bound(from), disk_->timers_.end());
  for (const RowBatch& batch : disk_->pending_) {
    for (const TimerHint& hint : batch.timers_removed) timers.erase(hint);
    for (const TimerHint& hint : batch.timers_added) {
      if (hint >= from) timers.insert(hint);
    }
  }
  std::vector<TimerHint> out;
  for (const TimerHint& hint : timers) {
    if (hint.time_us > until_us || out.size() == at_most) break;
    out.push_back(hint);
  }
  return out;
}

absl::StatusOr<std::vector<GoneRow>> MemoryRowStore::ReadGone() {
  std::set<GoneRow> gone = disk_->gone_;
  for (const RowBatch& batch : disk_->pending_) {
    for (const GoneRow& row : batch.gone_removed) gone.erase(row);
    gone.insert(batch.gone_added.begin(), batch.gone_added.end());
  }
  return std::vector<GoneRow>(gone.begin(), gone.end());
}

absl::Status MemoryRowStore::Clear() {
  disk_->Wipe();
  return absl::OkStatus();
}

absl::Status MemoryRowStore::Flush() {
  if (!disk_->write_error_.ok()) return disk_->write_error_;
  disk_->Flush();
  return absl::OkStatus();
}

}  // namespace portrait
