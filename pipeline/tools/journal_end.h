// How far a task has come, as its journal says.
//
//   auto entry = LastJournalEntry(reader, config.engine.JournalTopic(), 3);
//   if (entry.ok() && entry->has_value()) … (*entry)->after().highest_time_us()
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "pipeline/ports/log_reader.h"
#include "portrait/v1/journal.pb.h"

namespace portrait {

// The last committed entry of a partition; nothing where no step has been applied yet. Reads a few records from the
// end. Unavailable: the brokers are away. DataLoss: a record is no entry.
absl::StatusOr<std::optional<v1::JournalEntry>> LastJournalEntry(LogReader& reader, const std::string& topic,
                                                                 int32_t partition);

}  // namespace portrait
