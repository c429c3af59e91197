#include "pipeline/input.h"

#include "absl/strings/str_cat.h"
#include "operators/rejection_codes.h"
#include "pipeline/partitioner.h"

namespace portrait {

std::optional<Rejection> Intake::Read(const Record& record, Event& event) const {
  const SourceOptions& source = options_.sources[static_cast<size_t>(record.source)];
  if (auto rejection = decoder_.Decode(record, source, event)) return rejection;
  if (auto rejection = chain_.Check(event, {FromMicros(record.timestamp_us)})) return rejection;
  // After cleaning, for only the cleaned id names the row.
  const int32_t home = PartitionOf(RowKey(event), partitions_);
  if (home == record.partition) return std::nullopt;
  return Reject(RejectionCode::kWrongPartition,
                absl::StrCat("the customer id belongs to partition ", home, " but the record lies in partition ",
                             record.partition, " of ", source.topic,
                             ": its producer does not partition by murmur2 over the customer id"));
}

Input Intake::Take(Record&& record, EventArena& arena) const {
  Input input;
  Event& event = arena.New();
  input.event = &event;
  input.rejection = Read(record, event);
  input.time = input.rejection ? FromMicros(record.timestamp_us) : EventTime(event);
  input.record = std::move(record);
  return input;
}

}  // namespace portrait
