// Every reason for which a record goes to the dead letters, in one list: the code in the program, its name in a dead
// letter, what it means and what to do about it. docs/dead-letters.md shows the same list, and a test compares the two.
//
//   return Reject(RejectionCode::kUnknownEvent, absl::StrCat("no such event: ", Quoted(name)));
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "operators/cleaning.h"

namespace portrait {

enum class RejectionCode {
  // The record
  kTombstone,
  kTooLarge,
  kUnknownContentType,
  kMalformedProtobuf,
  kMalformedJson,
  kNotAnObject,
  kInvalidUtf8,
  kWrongPartition,
  // The event
  kNoBody,
  kUnknownEvent,
  kUnsupportedEvent,
  kBadField,
  kMissingField,
  // Ids
  kMissingCustomerId,
  kIdTooLong,
  kBadId,
  // Times
  kMissingTime,
  kBadTime,
  kTimeTooEarly,
  kTimeInFuture,
  // Amounts
  kBadAmount,
  kNegativeAmount,
  kAbsurdAmount,
  kUnknownCurrency,
  kBadQuantity,
  kBadScore,
};

struct RejectionInfo {
  RejectionCode code;
  std::string_view name;     // as Rejection::code and DeadLetter.code have it
  std::string_view meaning;  // one sentence
  std::string_view remedy;   // what to do, one sentence
};

// All codes in the order of the enumeration.
std::span<const RejectionInfo> RejectionCodes();

std::string_view RejectionName(RejectionCode code);

// `text` is a sentence for people, without a full stop; values come last in it, through Quoted.
Rejection Reject(RejectionCode code, std::string text);

// A value of unknown origin, fit for a sentence: in quotes, escaped, valid UTF-8, cut after `max_bytes`.
std::string Quoted(std::string_view value, size_t max_bytes = 80);

}  // namespace portrait
