// A record on its way into a task: decoded, checked, with its place in the order.
#pragma once

#include <memory>
#include <optional>
#include <utility>

#include "google/protobuf/arena.h"
#include "operators/chain.h"
#include "pipeline/event_decoder.h"

namespace portrait {

struct Input {
  Record record;
  const Event* event = nullptr;  // in an EventArena; of a rejected record, as far as it could be read
  std::optional<Rejection> rejection;
  Timestamp time{};  // the event's, after correction; of a rejected record, the record's own
};

// Memory of events that come and go together. An event takes half a dozen pieces; together they cost one.
class EventArena {
 public:
  Event& New() { return *google::protobuf::Arena::CreateMessage<Event>(&arena_); }
  // No event that it has made is used any more.
  void Reset() { arena_.Reset(); }

 private:
  static constexpr size_t kBlock = 32 << 10;  // of about fifty events

  google::protobuf::ArenaOptions Options() const {
    google::protobuf::ArenaOptions options;
    options.initial_block = block_.get();
    options.initial_block_size = kBlock;
    options.max_block_size = kBlock;
    return options;
  }

  std::unique_ptr<char[]> block_ = std::make_unique<char[]>(kBlock);
  google::protobuf::Arena arena_{Options()};
};

// Makes inputs of records: decodes, finds records in a partition where their key does not belong, validates and
// corrects. A pure function of the record, so that a replay makes the same input. One thread.
class Intake {
 public:
  Intake(const Chain& chain, const EngineOptions& options, EventDecoder& decoder, int32_t partitions)
      : chain_(chain), options_(options), decoder_(decoder), partitions_(partitions) {}

  // The input is good until `arena` is reset.
  Input Take(Record&& record, EventArena& arena) const;

 private:
  std::optional<Rejection> Read(const Record& record, Event& event) const;

  const Chain& chain_;
  const EngineOptions& options_;
  EventDecoder& decoder_;
  int32_t partitions_;
};

}  // namespace portrait
