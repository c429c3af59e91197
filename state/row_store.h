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

namespace portrait {

// What a scan needs of a stored row, read from its first bytes.
struct RowHeader {
  uint64_t number = 0;
  std::optional<int64_t> next_timer_us;
  bool gone = false;
};

// DataLoss when the bytes are no row.
absl::StatusOr<RowHeader> ReadRowHeader(std::string_view row);

struct RowBatch {
  // Customer id and stored row, or nothing to remove it; the later of two for one customer wins.
  std::vector<std::pair<std::string, std::optional<std::string>>> writes;
  v1::StoreMeta meta;
};

// The rows of one task. One thread. Guarantees: Write is atomic, rows and meta together, and what was written before is
// never lost without what was written after it. It need not be durable until Flush returns: after a crash the store
// holds a prefix of what was written.
class RowStore {
 public:
  virtual ~RowStore() = default;

  virtual absl::StatusOr<std::optional<std::string>> Get(std::string_view customer_id) = 0;
  virtual absl::Status Write(const RowBatch& batch) = 0;
  // Nothing when the store is new.
  virtual absl::StatusOr<std::optional<v1::StoreMeta>> Meta() = 0;
  // Every row in the order of its key. The callback's error ends the scan and is returned.
  virtual absl::Status Scan(
      const std::function<absl::Status(std::string_view customer_id, std::string_view row)>& visit) = 0;
  virtual absl::Status Flush() = 0;
  // Forgets all rows and the meta; like a write, durable only after Flush.
  virtual absl::Status Clear() = 0;
};

}  // namespace portrait
