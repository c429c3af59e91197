// A record on its way into a task: decoded, checked, with its place in the order.
#pragma once

#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "operators/chain.h"
#include "pipeline/event_decoder.h"

namespace portrait {

struct Input {
  Record record;
  std::unique_ptr<Event> event;  // of a rejected record, as far as it could be read
  std::optional<Rejection> rejection;
  Timestamp time{};  // the event's, after correction; of a rejected record, the record's own

  // What it takes in memory, about: the record as it was fetched, and the event made of it.
  size_t bytes() const { return sizeof(Event) + 256 + 3 * record.value.value_or(std::string_view()).size(); }
};

// Makes inputs of records: decodes, finds records in a partition where their key does not belong, validates and
// corrects. A pure function of the record, so that a replay makes the same input. One thread.
class Intake {
 public:
  Intake(const Chain& chain, const EngineOptions& options, EventDecoder& decoder, int32_t partitions)
      : chain_(chain), options_(options), decoder_(decoder), partitions_(partitions) {}

  Input Take(Record record);
  // Events are parsed into memory that is used again.
  void GiveBack(Input input);

 private:
  std::optional<Rejection> Read(const Record& record, Event& event) const;

  const Chain& chain_;
  const EngineOptions& options_;
  EventDecoder& decoder_;
  int32_t partitions_;
  std::vector<std::unique_ptr<Event>> spare_;
};

}  // namespace portrait
