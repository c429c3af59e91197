// The port to a task's local storage of rows.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "portrait/v1/row.pb.h"
#include "state/timer_hint.h"

namespace portrait {

// What a scan needs of a stored row, read from its first bytes.
struct RowHeader {
  uint64_t number = 0;
  std::optional<int64_t> next_timer_us;
  bool gone = false;
};

// DataLoss when the bytes are no row.
absl::StatusOr<RowHeader> ReadRowHeader(std::string_view row);

// How rows and their index lie in a store. A store of another format is restored from the changelog.
inline constexpr uint32_t kStoreFormat = 1;

// A deleted row that waits for its removal, in the order in which they may be removed.
struct GoneRow {
  uint64_t number = 0;
  std::string customer_id;

  friend auto operator<=>(const GoneRow&, const GoneRow&) = default;
};

struct RowBatch {
  // Customer id and stored row, or nothing to remove it; the later of two for one customer wins.
  std::vector<std::pair<std::string, std::optional<std::string>>> writes;
  std::vector<TimerHint> timers_removed;  // from the index by time; before those added
  std::vector<TimerHint> timers_added;
  std::vector<GoneRow> gone_removed;  // from the list of rows that are gone; before those added
  std::vector<GoneRow> gone_added;
  v1::StoreMeta meta;
};

// The rows of one task, with an index of their timers. One thread; but while it is in Write, another may Get and
// ReadRows. Guarantees: Write is atomic, rows, index and meta together, and what was written before is never lost
// without what was written after it. It need not be durable until Flush returns: after a crash the store holds a prefix
// of what was written.
class RowStore {
 public:
  virtual ~RowStore() = default;

  virtual absl::StatusOr<std::optional<std::string>> Get(std::string_view customer_id) = 0;
  // The rows of several customers, each named once, for less than as many calls of Get. `visit` is called for each of
  // them, in any order, with its place and its row, or nothing; the bytes are gone when it returns. After an error some
  // were not visited.
  using VisitRow = std::function<void(size_t place, std::optional<std::string_view> row)>;
  virtual absl::Status GetMany(const std::vector<std::string_view>& customer_ids, const VisitRow& visit);
  virtual absl::Status Write(const RowBatch& batch) = 0;
  // Nothing when the store is new.
  virtual absl::StatusOr<std::optional<v1::StoreMeta>> Meta() = 0;
  // Every row in the order of its key. The callback's error ends the scan and is returned.
  virtual absl::Status Scan(
      const std::function<absl::Status(std::string_view customer_id, std::string_view row)>& visit) = 0;
  // Rows after a customer, in the order of their keys; no more than `at_most`. "" is before all.
  virtual absl::StatusOr<std::vector<std::pair<std::string, std::string>>> ReadRows(std::string_view after,
                                                                                    size_t at_most) = 0;
  // Entries of the index from `from` on whose time is at or before `until_us`, in order, no more than `at_most`.
  virtual absl::StatusOr<std::vector<TimerHint>> ReadTimers(const TimerHint& from, int64_t until_us,
                                                            size_t at_most) = 0;
  // The whole list of rows that are gone, in order. A restore may have left rows in it that came back.
  virtual absl::StatusOr<std::vector<GoneRow>> ReadGone() = 0;
  virtual absl::Status Flush() = 0;
  // Makes it a new store: of what was there nothing is left.
  virtual absl::Status Clear() = 0;
};

}  // namespace portrait
