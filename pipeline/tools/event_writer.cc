#include "pipeline/tools/event_writer.h"

#include "pipeline/emitter.h"
#include "pipeline/tools/segment_json.h"

namespace portrait {

const std::string& EventTopics::Of(EventKind kind) const {
  if (kind >= Event::kPageViewed && kind <= Event::kCheckoutStarted) return browsing;
  if (kind >= Event::kEmailDelivered && kind <= Event::kUnsubscribed) return email;
  if (kind >= Event::kOrderCompleted && kind <= Event::kOrderCancelled) return purchases;
  if (kind >= Event::kQuestionAsked && kind <= Event::kSatisfactionRated) return service;
  return profile;
}

absl::Status EventWriter::Write(const Event& event) {
  const bool json = options_.format == WireFormat::kJson;
  if (json) {
    buffer_ = ToSegmentJson(event);
  } else {
    event.SerializeToString(&buffer_);
  }
  const std::string& topic = options_.only_topic.empty() ? options_.topics.Of(event.body_case()) : options_.only_topic;
  NewRecord record{.topic = topic, .key = RowKey(event), .value = buffer_, .timestamp_us = event.event_time_us()};
  record.headers.push_back({"content-type", ContentType(options_.format)});
  if (absl::Status status = sink_.Write(record); !status.ok()) return status;
  ++events_;
  bytes_ += buffer_.size();
  ++by_topic_[topic];
  return absl::OkStatus();
}

}  // namespace portrait
