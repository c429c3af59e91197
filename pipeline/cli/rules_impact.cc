#include "pipeline/cli/rules_impact.h"

#include <algorithm>
#include <iostream>
#include <memory>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "nlohmann/json.hpp"
#include "pipeline/cli/partition_logs.h"
#include "pipeline/ports/clock.h"
#include "pipeline/tools/journal_end.h"
#include "pipeline/tools/latest_rows.h"
#include "pipeline/tools/progress_bar.h"
#include "pipeline/tools/rule_impact.h"
#include "pipeline/tools/times.h"

namespace portrait {
namespace {

constexpr uint64_t kParts = 1000;  // of a partition, on the progress bar

struct Count {
  RuleImpact impact;
  uint64_t overtaken = 0;
  Timestamp read_at;
};

// The time up to which a task's sweep judges silent customers: its watermark.
absl::StatusOr<std::optional<Timestamp>> TimeOfTask(LogReader& reader, const Config& config, int32_t partition,
                                                    Timestamp now) {
  const auto entry = LastJournalEntry(reader, config.engine.JournalTopic(), partition);
  if (!entry.ok()) return entry.status();
  if (!entry->has_value() || !(*entry)->after().any_time()) return std::nullopt;
  Timestamp time = FromMicros((*entry)->after().highest_time_us());
  // The tick that comes before the switch; the journal has the last one that was written.
  if (config.engine.clock == ClockMode::kWall) time = std::max(time, now);
  return time - config.engine.allowed_lateness;
}

absl::Status CountRows(const Config& config, Count& count) {
  const std::string changelog = config.engine.ChangelogTopic();
  const auto logs = OpenPartitionLogs(config, "rules", changelog);
  if (!logs.ok()) return logs.status();
  count.read_at = SystemClock().Now();
  ProgressBar bar("counting", {.total = static_cast<uint64_t>(logs->partitions) * kParts});
  for (int32_t partition = 0; partition < logs->partitions; ++partition) {
    const auto now = TimeOfTask(*logs->reader, config, partition, count.read_at);
    if (!now.ok()) return now.status();
    if (!now->has_value()) continue;  // nothing has been applied, so there are no rows
    LatestRows rows(*logs->reader, changelog, partition, [&](uint64_t done, uint64_t total) {
      bar.Update(static_cast<uint64_t>(partition) * kParts + done * kParts / std::max<uint64_t>(total, 1),
                 absl::StrCat(ShortCount(count.impact.customers()), " customers"));
    });
    const absl::Status read = rows.ForEach([&](std::string_view customer, std::string_view row) {
      const absl::Status added = count.impact.Add(customer, row, **now);
      return added.ok() ? added
                        : absl::Status(added.code(), absl::StrCat("the row of customer ", std::string(customer), ": ",
                                                                  added.message()));
    });
    if (!read.ok()) return read;
    count.overtaken += rows.overtaken();
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status TellImpact(const v1::ControlRecord& in_force, const Chain& to_come, bool json, const Config& config,
                        const Program& program) {
  const auto chain = program.BuildChainWithRules(config, in_force.name(), in_force.text());
  if (!chain.ok()) {
    return absl::FailedPreconditionError(
        absl::StrCat("this build cannot use the rules in force, so it cannot tell what changes (--no-count leaves that "
                     "out): ",
                     chain.status().message()));
  }
  Count count{.impact = RuleImpact(**chain, to_come, config.engine.zone)};
  if (absl::Status s = CountRows(config, count); !s.ok()) {
    return absl::Status(s.code(),
                        absl::StrCat("what changes cannot be counted (--no-count leaves that out): ", s.message()));
  }
  if (json) {
    nlohmann::json out = count.impact.Json();
    out["read_at"] = ToText(count.read_at);
    out["overtaken"] = count.overtaken;
    std::cout << out.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) << std::endl;
    return absl::OkStatus();
  }
  std::cout << count.impact.Text() << "\nCounted on the rows that the changelog held at " << ToText(count.read_at)
            << ". A row is written at most "
            << absl::FormatDuration(absl::Microseconds(config.engine.checkpoint_interval.count()))
            << " after it changes: later events are not in it.\n";
  if (count.overtaken > 0) {
    std::cout << LongCount(count.overtaken) << " customers changed while it was read, and are left out.\n";
  }
  std::cout << std::flush;
  return absl::OkStatus();
}

}  // namespace portrait
