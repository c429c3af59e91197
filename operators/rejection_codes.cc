#include "operators/rejection_codes.h"

#include <array>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "operators/utf8.h"

namespace portrait {
namespace {

using enum RejectionCode;

constexpr std::array kCodes = {
    RejectionInfo{kTombstone, "tombstone", "The record has a key but no value.",
                  "Sources are logs of events, not tables; find out who deletes by key."},
    RejectionInfo{kTooLarge, "too_large", "The value is larger than `max_record_bytes`.",
                  "Send less in one event, or raise the limit."},
    RejectionInfo{kUnknownContentType, "unknown_content_type",
                  "The content-type header names a format or a charset that is not read.",
                  "Use `application/json` (UTF-8) or `application/x-protobuf`, or leave the header out."},
    RejectionInfo{kMalformedProtobuf, "malformed_protobuf", "The value is no `portrait.v1.Event`.",
                  "Check the topic's `format` and the sender's schema; a schema registry's prefix must be left out."},
    RejectionInfo{kMalformedJson, "malformed_json", "The value is no JSON text (RFC 8259).",
                  "Check the topic's `format` and the sender; NaN and Infinity are no JSON."},
    RejectionInfo{kNotAnObject, "not_an_object", "The JSON text is an array or a single value.",
                  "Send one event a record, as a JSON object."},
    RejectionInfo{kInvalidUtf8, "invalid_utf8", "A text is not valid UTF-8.",
                  "Let the sender convert its texts to UTF-8."},
    RejectionInfo{kWrongPartition, "wrong_partition", "The record lies in a partition where its key does not belong.",
                  "Set the sender's partitioner to Java-compatible murmur2 (librdkafka: `murmur2_random`), then send "
                  "the dead letters again."},
    RejectionInfo{kNoBody, "no_body", "The Protobuf event has no body, so nothing is said to have happened.",
                  "Set one of the bodies of `portrait.v1.Event`."},
    RejectionInfo{kUnknownEvent, "unknown_event", "The event is of a kind that this version does not know.",
                  "Use a name of docs/events.md, or upgrade if the sender is newer than Portrait."},
    RejectionInfo{kUnsupportedEvent, "unsupported_event", "The event is known but cannot be processed.",
                  "See docs/events.md for what to send instead."},
    RejectionInfo{kBadField, "bad_field", "A field has a value of the wrong type.",
                  "The text names the field; docs/events.md says what it holds."},
    RejectionInfo{kMissingField, "missing_field", "A field without which the event means nothing is not there.",
                  "The text names the field; let the sender fill it in."},
    RejectionInfo{kMissingCustomerId, "missing_customer_id", "There is neither a customer id nor an anonymous id.",
                  "Let the sender set one of them; it is also the record's key."},
    RejectionInfo{kIdTooLong, "id_too_long", "An id is longer than 256 bytes.",
                  "Ids are never cut, since two could become one; send a shorter one or its hash."},
    RejectionInfo{kBadId, "bad_id", "An id is blank or has control characters in it.",
                  "Find out where the sender gets that id from."},
    RejectionInfo{kMissingTime, "missing_time", "Neither the event nor the record has a time.",
                  "Let the sender set the time, or the topic keep timestamps."},
    RejectionInfo{kBadTime, "bad_time", "A time cannot be read.",
                  "Use ISO 8601 such as `2026-01-31T12:00:00Z`, or seconds or milliseconds since 1970 as a number."},
    RejectionInfo{kTimeTooEarly, "time_too_early", "The event's time lies before the earliest that is believed.",
                  "Mostly a clock that was never set, or a wrong unit; lower `earliest` for old history."},
    RejectionInfo{kTimeInFuture, "time_in_future",
                  "The event's time lies more than 5 minutes beyond its record's timestamp.",
                  "Mostly a wrong clock, unit or zone; send the sent time too, then a wrong clock is corrected."},
    RejectionInfo{kBadAmount, "bad_amount", "An amount of money is no number.",
                  "Use a JSON number, or a text such as `29.33` with a point and no currency sign."},
    RejectionInfo{kNegativeAmount, "negative_amount", "An amount of money is negative.",
                  "A refund is an event of its own, with a positive amount."},
    RejectionInfo{kAbsurdAmount, "absurd_amount", "An amount of money is beyond what is believed.",
                  "Mostly a wrong unit; raise `max_amount` if it is right."},
    RejectionInfo{kUnknownCurrency, "unknown_currency",
                  "A currency is no ISO 4217 code, or there is no rate to convert it.",
                  "Correct the code, or add the rate to `rates`, then send the dead letters again."},
    RejectionInfo{kBadQuantity, "bad_quantity", "A quantity is negative or beyond what is believed.",
                  "Correct the sender."},
    RejectionInfo{kBadScore, "bad_score", "A score is no number from 0 to 1.",
                  "Send the score as a share of the best, or send the `scale` beside it (JSON)."},
};

constexpr bool InOrder() {
  for (size_t i = 0; i < kCodes.size(); ++i) {
    if (static_cast<size_t>(kCodes[i].code) != i) return false;
  }
  return kCodes.size() == static_cast<size_t>(kBadScore) + 1;  // the last one
}
static_assert(InOrder(), "kCodes must list every RejectionCode in order");

}  // namespace

std::span<const RejectionInfo> RejectionCodes() { return kCodes; }

std::string_view RejectionName(RejectionCode code) { return kCodes[static_cast<size_t>(code)].name; }

Rejection Reject(RejectionCode code, std::string text) { return {std::string(RejectionName(code)), std::move(text)}; }

std::string Quoted(std::string_view value, size_t max_bytes) {
  const std::string_view start = CutUtf8(value, max_bytes);
  const absl::string_view shown(start.data(), start.size());
  return absl::StrCat("\"", IsUtf8(start) ? absl::Utf8SafeCHexEscape(shown) : absl::CHexEscape(shown),
                      start.size() < value.size() ? "...\"" : "\"");
}

}  // namespace portrait
