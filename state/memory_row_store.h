// A row store in memory, for tests and the simulator: it can forget what was not flushed, as a crash does.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>

#include "state/row_store.h"

namespace portrait {

// What survives the process: the durable rows, and batches written but not yet durable. Outlives the stores on it.
class MemoryDisk {
 public:
  // A crash: keeps the first `batches_kept` of the batches that were not durable yet, loses the rest.
  void Crash(size_t batches_kept = 0);
  void Wipe();
  size_t pending_batches() const { return pending_.size(); }

  // The next writes fail with this status; OK ends that.
  void FailWrites(absl::Status status) { write_error_ = std::move(status); }

 private:
  friend class MemoryRowStore;
  void Flush();

  std::map<std::string, std::string, std::less<>> rows_;
  std::set<TimerHint> timers_;
  std::set<GoneRow> gone_;
  std::optional<v1::StoreMeta> meta_;
  std::deque<RowBatch> pending_;
  absl::Status write_error_;
};

class MemoryRowStore : public RowStore {
 public:
  explicit MemoryRowStore(MemoryDisk* disk) : disk_(disk) {}

  absl::StatusOr<std::optional<std::string>> Get(std::string_view customer_id) override;
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
  MemoryDisk* disk_;
};

}  // namespace portrait
