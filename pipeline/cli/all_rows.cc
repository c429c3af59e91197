#include "pipeline/cli/all_rows.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "pipeline/cli/partition_logs.h"
#include "pipeline/ports/clock.h"
#include "pipeline/tools/journal_end.h"
#include "pipeline/tools/latest_rows.h"
#include "pipeline/tools/progress_bar.h"

namespace portrait {
namespace {

constexpr uint64_t kParts = 1000;  // of a partition, on the progress bar

// The time up to which a task's sweep judges silent customers: its watermark.
Timestamp TimeOf(const v1::TaskState& task, const Config& config, Timestamp now) {
  Timestamp time = FromMicros(task.highest_time_us());
  // The tick that comes before the switch; the journal has the last one that was written.
  if (config.engine.clock == ClockMode::kWall) time = std::max(time, now);
  return time - config.engine.allowed_lateness;
}

}  // namespace

absl::StatusOr<RowsRead> VisitAllRows(const Config& config, const std::string& command, const std::string& doing,
                                      const std::function<std::string()>& told, const VisitRow& visit) {
  const std::string changelog = config.engine.ChangelogTopic();
  const auto logs = OpenPartitionLogs(config, command, changelog);
  if (!logs.ok()) return logs.status();
  RowsRead out{.read_at = SystemClock().Now()};
  ProgressBar bar(doing, {.total = static_cast<uint64_t>(logs->partitions) * kParts});
  for (int32_t partition = 0; partition < logs->partitions; ++partition) {
    const auto entry = LastJournalEntry(*logs->reader, config.engine.JournalTopic(), partition);
    if (!entry.ok()) return entry.status();
    if (!entry->has_value() || !(*entry)->after().any_time()) continue;  // no event yet, so there are no rows
    const v1::TaskState& task = (*entry)->after();
    const Timestamp now = TimeOf(task, config, out.read_at);
    LatestRows rows(*logs->reader, changelog, partition, [&](uint64_t done, uint64_t total) {
      bar.Update(static_cast<uint64_t>(partition) * kParts + done * kParts / std::max<uint64_t>(total, 1), told());
    });
    const absl::Status read = rows.ForEach([&](std::string_view customer, std::string_view row) {
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
