#include "pipeline/cli/all_rows.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "pipeline/cli/partition_logs.h"
#include "pipeline/partitioner.h"
#include "pipeline/ports/clock.h"
#include "pipeline/tools/journal_end.h"
#include "pipeline/tools/latest_rows.h"
#include "pipeline/tools/progress_bar.h"

namespace portrait {
namespace {

constexpr uint64_t kParts = 1000;  // of a partition, on the progress bar

}  // namespace

Timestamp TimeReached(const v1::TaskState& task, const Config& config, Timestamp now) {
  const Timestamp time = FromMicros(task.highest_time_us());
  // By the tick that comes next; the journal has the last one that was written.
  return config.engine.clock == ClockMode::kWall ? std::max(time, now) : time;
}

std::string LeftOut(const RowsRead& read) {
  if (read.overtaken == 0) return "";
  return absl::StrCat(LongCount(read.overtaken), " customers changed while it was read, and are left out.\n");
}

absl::StatusOr<RowsRead> VisitRows(const Config& config, const RowsAsked& asked, const VisitRow& visit) {
  const std::string changelog = config.engine.ChangelogTopic();
  const auto logs = OpenPartitionLogs(config, asked.command, changelog);
  if (!logs.ok()) return logs.status();
  RowsRead out{.read_at = SystemClock().Now()};
  ProgressBar bar(asked.doing, {.total = static_cast<uint64_t>(logs->partitions) * kParts});
  for (int32_t partition = 0; partition < logs->partitions; ++partition) {
    if (!asked.customer.empty() && PartitionOf(asked.customer, logs->partitions) != partition) continue;
    const auto entry = LastJournalEntry(*logs->reader, config.engine.JournalTopic(), partition);
    if (!entry.ok()) return entry.status();
    if (!entry->has_value() || !(*entry)->after().any_time()) continue;  // no event yet, so there are no rows
    const v1::TaskState& task = (*entry)->after();
    // The time up to which the task's sweep judges silent customers: its watermark.
    const Timestamp now = TimeReached(task, config, out.read_at) - config.engine.allowed_lateness;
    LatestRows rows(*logs->reader, changelog, partition, [&](uint64_t done, uint64_t total) {
      bar.Update(static_cast<uint64_t>(partition) * kParts + done * kParts / std::max<uint64_t>(total, 1),
                 asked.told ? asked.told() : "");
    });
    const absl::Status read = rows.ForEach([&](std::string_view customer, std::string_view row) {
      if (!asked.customer.empty() && customer != asked.customer) return absl::OkStatus();
      const absl::Status visited = visit(customer, row, task, now);
      return visited.ok() ? visited
                          : absl::Status(visited.code(), absl::StrCat("the row of customer ", std::string(customer),
                                                                      ": ", visited.message()));
    });
    if (!read.ok()) return read;
    out.overtaken += rows.overtaken();
  }
  return out;
}

}  // namespace portrait
