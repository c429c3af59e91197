// Turns events into records: the topic by the kind of event, the key by the customer, the bytes as Protobuf or
// Segment-shaped JSON, and counts what goes out.
//
//   EventWriter writer({.format = WireFormat::kProtobuf}, &sink);
//   status = writer.Write(event);
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "absl/status/status.h"
#include "operators/event.h"
#include "pipeline/options.h"
#include "pipeline/tools/record_sink.h"

namespace portrait {

// The topics that events go to, by what they are about.
struct EventTopics {
  std::string browsing = "browsing-events";
  std::string email = "email-events";
  std::string purchases = "purchase-events";
  std::string service = "service-events";
  std::string profile = "profile-events";  // facts about the person, consent, the other contacts, and pins

  const std::string& Of(EventKind kind) const;
};

struct EventWriterOptions {
  WireFormat format = WireFormat::kProtobuf;
  EventTopics topics;
  std::string only_topic;  // everything goes here, when set
};

class EventWriter {
 public:
  // `sink` must outlive this.
  EventWriter(EventWriterOptions options, RecordSink* sink) : options_(std::move(options)), sink_(*sink) {}

  // The record's timestamp is the event's time.
  absl::Status Write(const Event& event);

  uint64_t events() const { return events_; }
  uint64_t bytes() const { return bytes_; }
  const std::map<std::string, uint64_t>& by_topic() const { return by_topic_; }
  const EventWriterOptions& options() const { return options_; }

 private:
  EventWriterOptions options_;
  RecordSink& sink_;
  std::string buffer_;
  uint64_t events_ = 0;
  uint64_t bytes_ = 0;
  std::map<std::string, uint64_t> by_topic_;
};

}  // namespace portrait
