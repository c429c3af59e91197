#include "pipeline/decode/decoder.h"

#include <utility>
#include <variant>

#include "absl/strings/str_cat.h"
#include "operators/rejection_codes.h"
#include "pipeline/decode/content_type.h"
#include "pipeline/decode/json_decoder.h"
#include "pipeline/decode/protobuf_event.h"

namespace portrait {
namespace {

// Fills in what the sender left out and the record knows.
std::optional<Rejection> Impute(const Record& record, const SourceOptions& source, bool has_time, Event& event) {
  if (RowKey(event).empty()) {
    return Reject(RejectionCode::kMissingCustomerId, "neither a customer id nor an anonymous id");
  }
  if (event.event_id().empty()) {
    event.set_event_id(absl::StrCat(source.topic, "-", record.partition, "-", record.offset));
    event.add_imputed("event_id");
  }
  if (!has_time) {
    const int64_t time = record.timestamp_us > 0 ? record.timestamp_us : event.received_time_us();
    if (time <= 0) return Reject(RejectionCode::kMissingTime, "neither the event nor the record has a time");
    event.set_event_time_us(time);
    event.add_imputed("event_time");
  }
  return std::nullopt;
}

}  // namespace

Decoder::Decoder(DecoderOptions options) : options_(options), json_(std::make_unique<JsonDecoder>()) {}
Decoder::~Decoder() = default;

std::optional<Rejection> Decoder::Decode(const Record& record, const SourceOptions& source, Event& event) {
  event.Clear();
  if (!record.value) return Reject(RejectionCode::kTombstone, "the record has no value");
  const std::string_view value = *record.value;
  if (value.size() > options_.max_record_bytes) {
    return Reject(RejectionCode::kTooLarge, absl::StrCat("the value is larger than ", options_.max_record_bytes,
                                                         " bytes: ", value.size(), " bytes"));
  }
  auto format = FormatOf(record, source.format);
  if (auto* rejection = std::get_if<Rejection>(&format)) return std::move(*rejection);
  std::optional<Rejection> rejection;
  bool has_time = false;
  if (std::get<WireFormat>(format) == WireFormat::kProtobuf) {
    rejection = DecodeProtobuf(value, event);
    has_time = event.event_time_us() != 0;
  } else {
    rejection = json_->Decode(value, event, has_time);  // where 1970-01-01 is a time, not a missing one
  }
  if (rejection) return rejection;
  return Impute(record, source, has_time, event);
}

}  // namespace portrait
