#include "pipeline/tools/decimal.h"

namespace portrait {

namespace {

constexpr int kDecimals = 6;
constexpr int64_t kLargest = INT64_MAX / 16;  // far from overflow in sums, and 576 thousand million units

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

std::string_view Trimmed(std::string_view text) {
  const size_t begin = text.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

// "1,234,567": after the first mark there are groups of three. Adds the digits to `value`.
bool ParseWhole(std::string_view text, char group_mark, int64_t& value) {
  int digits = 0;
  bool grouped = false;
  for (const char c : text) {
    if (c == group_mark) {
      if (digits == 0 || digits > 3 || (grouped && digits != 3)) return false;
      grouped = true;
      digits = 0;
      continue;
    }
    if (!IsDigit(c)) return false;
    ++digits;
    value = value * 10 + (c - '0');
    if (value > kLargest) return false;
  }
  return !grouped || digits == 3;
}

}  // namespace

std::optional<int64_t> ParseMicros(std::string_view text, char decimal_mark) {
  text = Trimmed(text);
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  const size_t mark = text.find(decimal_mark);
  const std::string_view whole = text.substr(0, mark);
  const std::string_view part = mark == std::string_view::npos ? std::string_view() : text.substr(mark + 1);
  if (whole.empty() && part.empty()) return std::nullopt;
  int64_t value = 0;
  if (!ParseWhole(whole, decimal_mark == '.' ? ',' : '.', value)) return std::nullopt;
  for (const char c : part) {
    if (!IsDigit(c)) return std::nullopt;
  }
  for (size_t i = 0; i < kDecimals; ++i) {
    value = value * 10 + (i < part.size() ? part[i] - '0' : 0);
    if (value > kLargest) return std::nullopt;
  }
  if (part.size() > kDecimals && part[kDecimals] >= '5') ++value;
  return negative ? -value : value;
}

std::optional<int64_t> MultiplyMicros(int64_t a, int64_t b) {
  __extension__ using Wide = __int128;
  const Wide product = static_cast<Wide>(a) * b;
  const Wide half = product < 0 ? -500'000 : 500'000;
  const Wide rounded = (product + half) / 1'000'000;
  if (rounded > kLargest || rounded < -kLargest) return std::nullopt;
  return static_cast<int64_t>(rounded);
}

}  // namespace portrait
