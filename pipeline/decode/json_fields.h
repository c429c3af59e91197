// Reads values out of JSON objects: finds fields by key, checks types, converts.
//
//   Fields properties;
//   FieldReader read;
//   properties.Collect(object);
//   read.Text({properties[Key::kPath], page[Key::kPath]}, view, &v1::PageView::mutable_path);
//   if (auto rejection = std::move(read).rejection()) ...
//
// Each reading function takes candidates and uses the first that is there; null and, for texts, "" count as not there.
// A value of the wrong type is noted as a rejection, the first one is kept, and reading goes on as if it were not
// there.
#pragma once

#include <simdjson.h>

#include <array>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

#include "absl/container/inlined_vector.h"
#include "operators/rejection_codes.h"
#include "pipeline/decode/json_keys.h"

namespace portrait {

// A field that was asked for, and its value if it is there.
struct Field {
  Key key;
  std::optional<simdjson::dom::element> value;
};

// The fields of one object, by key. Valid as long as the parsed document.
class Fields {
 public:
  // Adds the known fields of an object. Of a name that comes twice, or in two spellings, the last value counts that is
  // not null.
  void Collect(simdjson::dom::object object);

  Field operator[](Key key) const {
    const uint16_t at = at_[static_cast<size_t>(key)];
    if (at == 0) return {key, std::nullopt};
    return {key, values_[at - 1]};
  }

 private:
  std::array<uint16_t, kKeys> at_{};  // 1 + index of the value; 0: not there
  absl::InlinedVector<simdjson::dom::element, 24> values_;
};

class FieldReader {
 public:
  using Candidates = std::initializer_list<Field>;

  void Fail(RejectionCode code, std::string text) {
    if (!rejection_) rejection_ = Reject(code, std::move(text));
  }
  bool failed() const { return rejection_.has_value(); }
  std::optional<Rejection> rejection() && { return std::move(rejection_); }

  // A text; a whole number is taken as its digits, since many ids are numbers. Valid until the next call.
  std::string_view Text(Candidates candidates);

  // Puts the text into a field of a message, if there is one.
  template <class Message>
  void Text(Candidates candidates, Message& message, std::string* (Message::*field)()) {
    if (const std::string_view text = Text(candidates); !text.empty()) (message.*field)()->assign(text);
  }

  // A whole number, also as 3.0 or "3".
  std::optional<int64_t> Whole(Candidates candidates);

  // A number, also as a text. Is finite.
  std::optional<double> Number(Candidates candidates);

  // An amount of money as a number or a text, in millionths, rounded to the nearest; exact up to 10^9 units. A text
  // that is no number is a bad_amount, one beyond 9 * 10^12 units an absurd_amount.
  std::optional<int64_t> Amount(Candidates candidates);

  // Microseconds since 1970. An ISO 8601 text, or a number since 1970 whose size tells the unit: below 10^11 seconds,
  // below 10^14 milliseconds, below 10^17 microseconds, else nanoseconds.
  std::optional<int64_t> Time(Candidates candidates);

  // A yes or no: true, false, or a text such as "granted" and "denied".
  std::optional<bool> Choice(Candidates candidates);

  // The fields of an object; none if it is not there.
  Fields Object(Candidates candidates);

  std::optional<simdjson::dom::array> Array(Candidates candidates);

 private:
  std::nullopt_t WrongType(const Field& field, std::string_view wanted);

  std::optional<Rejection> rejection_;
  std::array<char, 24> digits_;  // of the last number taken as a text
};

}  // namespace portrait
