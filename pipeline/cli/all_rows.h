// The rows of customers as the changelog holds them, for commands that show them, count them or learn from them. A row
// is written at most `checkpoint.interval` after it changes: later events are not in it.
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

struct RowsAsked {
  std::string command;                // names the clients
  std::string doing;                  // what the progress bar says
  std::function<std::string()> told;  // … and how far it is; may be empty
  std::string customer;               // this one only; empty: all
};

// The customer, the stored row (v1.Row), and the task that it belongs to: its state as of the last entry of its
// journal, and the time up to which it judges silent customers.
using VisitRow = std::function<absl::Status(std::string_view customer, std::string_view row, const v1::TaskState& task,
                                            Timestamp now)>;

// Partition by partition. An error of the visit ends the reading, and names the customer. Unavailable: the brokers do
// not answer within 10 s.
absl::StatusOr<RowsRead> VisitRows(const Config& config, const RowsAsked& asked, const VisitRow& visit);

// "12 customers changed while it was read, and are left out.\n"; empty: nobody did.
std::string LeftOut(const RowsRead& read);

// The time that a task has reached; `now` counts where time goes by the clock.
Timestamp TimeReached(const v1::TaskState& task, const Config& config, Timestamp now);

}  // namespace portrait
