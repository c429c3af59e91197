// The headers of records in the changelog. Their values are whole numbers, in decimal.
#pragma once

#include <optional>
#include <string_view>

#include "absl/strings/numbers.h"
#include "pipeline/ports/record.h"

namespace portrait {

// Of a tombstone: the number of the row that it removes.
inline constexpr std::string_view kNumberHeader = "number";
// Of a row: the first timer, in µs, of the image before, where this one has another or none. So who follows the
// changelog leaves no entries of older images in its index of timers.
inline constexpr std::string_view kTimerBeforeHeader = "timer-before";

// Nothing: there is no such header, or it holds no number.
template <class Number>
std::optional<Number> DecimalHeader(const Record& record, std::string_view name) {
  for (const HeaderView& header : record.headers) {
    Number number = 0;
    if (header.name != name || !header.value) continue;
    if (absl::SimpleAtoi(absl::string_view(header.value->data(), header.value->size()), &number)) return number;
  }
  return std::nullopt;
}

}  // namespace portrait
