// Decimal numbers as exact millionths: 29.33 is 29 330 000.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace portrait {

// "29.33", "-5", "+.5", "1,234.50" with groups; with `decimal_mark` ',' it is "1.234,50". Blanks around are allowed.
// More than six decimals are rounded, half away from zero. Nothing: no such number, or too large.
std::optional<int64_t> ParseMicros(std::string_view text, char decimal_mark = '.');

// The product of two numbers in millionths, rounded half away from zero. Nothing: too large.
std::optional<int64_t> MultiplyMicros(int64_t a, int64_t b);

}  // namespace portrait
