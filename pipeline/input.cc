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

Input Intake::Take(Record record) {
  Input input;
  if (spare_.empty()) {
    input.event = std::make_unique<Event>();
  } else {
    input.event = std::move(spare_.back());
    spare_.pop_back();
  }
  input.rejection = Read(record, *input.event);
  input.time = input.rejection ? FromMicros(record.timestamp_us) : EventTime(*input.event);
  input.record = std::move(record);
  return input;
}

void Intake::GiveBack(Input input) {
  constexpr size_t kSpare = 4096;
  if (!input.event || spare_.size() >= kSpare) return;
  input.event->Clear();
  spare_.push_back(std::move(input.event));
}

}  // namespace portrait
