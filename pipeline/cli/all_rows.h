// The rows of all customers as the changelog holds them, for commands that count them or learn from them. A row is
// written at most `checkpoint.interval` after it changes: later events are not in it.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "operators/time.h"
#include "pipeline/config/config.h"
#include "portrait/v1/journal.pb.h"

namespace portrait {

struct RowsRead {
  Timestamp read_at;
  uint64_t overtaken = 0;  // customers who changed while it was read, and were not visited
};

// The customer, the stored row (v1.Row), and the task that it belongs to: its state as of the last entry of its
// journal, and the time up to which it judges silent customers.
using VisitRow = std::function<absl::Status(std::string_view customer, std::string_view row, const v1::TaskState& task,
                                            Timestamp now)>;

// Partition by partition. `command` names the clients, `doing` and `told` what the progress bar says. An error of the
// visit ends the reading, and names the customer. Unavailable: the brokers do not answer within 10 s.
absl::StatusOr<RowsRead> VisitAllRows(const Config& config, const std::string& command, const std::string& doing,
                                      const std::function<std::string()>& told, const VisitRow& visit);

}  // namespace portrait
