// Results as people read them.
//
//   2026-01-31 12:00  anna  + silent  because no activity for 60 days
//   2026-03-02 09:30  bert  ! churn opened, high: 74 % that no order comes within 90 days, 120.50 USD at risk, because
//   ... 2026-03-02 09:31  purchase-events/3@1234  ! malformed_json: the value is no JSON (812 bytes)
#pragma once

#include <memory>
#include <set>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "google/protobuf/message.h"
#include "pipeline/ports/record.h"
#include "portrait/v1/result.pb.h"

namespace portrait {

// A result as it lies in its topic: Protobuf or JSON, told apart by the content-type header or, without one, by the
// first byte. InvalidArgument: neither, or a tombstone.
absl::StatusOr<std::unique_ptr<google::protobuf::Message>> DecodeResult(const google::protobuf::Descriptor& type,
                                                                        const Record& record);

// One line, no line break. Results of other types are shown as JSON after time and customer.
std::string ResultLine(const google::protobuf::Message& result);

// One line of JSON, with the field names of result.proto.
std::string ResultJson(const google::protobuf::Message& result);

// The reason in words, or else feature, value, comparison and threshold; empty for a reason that says nothing.
std::string ReasonText(const v1::Reason& reason);

// All reasons, parted by "; ".
std::string ReasonsText(const v1::ResultInfo& info);

// "120.50 USD".
std::string MoneyText(int64_t micros, std::string_view currency);

// "2026-01-31 12:00", UTC.
std::string MinuteText(int64_t time_us);

// none, low, medium, high.
std::string_view BandName(v1::ChurnAlert::Band band);
std::string_view PhaseName(v1::ChurnAlert::Phase phase);

// What a reader wants to see; an empty set lets everything through. A condition that a result cannot meet, such as a
// tag of a churn alert, leaves it out.
struct ResultFilter {
  std::set<std::string, std::less<>> customers;
  std::set<std::string, std::less<>> tags;
  std::set<std::string, std::less<>> codes;          // of dead letters
  v1::ChurnAlert::Band band = v1::ChurnAlert::NONE;  // at least; of what it was, too, so that a closing is seen

  bool Passes(const google::protobuf::Message& result) const;
};

}  // namespace portrait
