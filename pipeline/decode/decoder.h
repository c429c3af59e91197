// From the bytes of a record to an event.
//
//   Decoder decoder({.max_record_bytes = 1'000'000});
//   Event event;
//   if (auto rejection = decoder.Decode(record, source, event)) { /* to the dead letters */ }
//
// Reads portrait.v1.Event as Protobuf, and Segment-shaped JSON (docs/events.md), by the record's content-type header or
// else by the source's format. The result depends on the record and the source alone, so a replay decodes the same.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>

#include "pipeline/event_decoder.h"

namespace portrait {

struct DecoderOptions {
  size_t max_record_bytes = 1'000'000;  // of the value; a larger one is rejected unread
};

// Keeps buffers from record to record: one for each thread. Protobuf itself writes a line to stderr for every text that
// is not UTF-8; a program that logs in its own way turns that off by google::protobuf::SetLogHandler.
class Decoder final : public EventDecoder {
 public:
  explicit Decoder(DecoderOptions options = {});
  ~Decoder() override;

  // Replaces what is in `event`, which may live in an arena and may be used again. Nothing returned: the event has a
  // body, an id, a time and a row key, and its strings are UTF-8. What the sender left out and the record knows is
  // filled in and named in Event.imputed: "event_id" (topic-partition-offset), "event_time" (the record's timestamp).
  // A rejection returned: `event` holds as much as could be read, which may be nothing; what it holds is UTF-8.
  std::optional<Rejection> Decode(const Record& record, const SourceOptions& source, Event& event) override;

 private:
  DecoderOptions options_;
  std::unique_ptr<class JsonDecoder> json_;
};

}  // namespace portrait
