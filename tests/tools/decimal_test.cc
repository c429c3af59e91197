#include "pipeline/tools/decimal.h"

#include <catch2/catch_test_macros.hpp>

namespace portrait {
namespace {

TEST_CASE("decimals are read exactly, to the millionth") {
  CHECK(ParseMicros("11.77") == 11'770'000);
  CHECK(ParseMicros(" -5 ") == -5'000'000);
  CHECK(ParseMicros("+.5") == 500'000);
  CHECK(ParseMicros("7.") == 7'000'000);
  CHECK(ParseMicros("0.0000005") == 1);
  CHECK(ParseMicros("-0.0000005") == -1);
  CHECK(ParseMicros("1,234,567.89") == 1'234'567'890'000);
  CHECK(ParseMicros("1.234,50", ',') == 1'234'500'000);
}

TEST_CASE("what is no decimal number is none") {
  for (const char* text : {"", " ", ".", "-", "1e3", "12a", "1.2.3", "1,2", "12,34", "1,,234", "nan", "inf", "0x10",
                           "--1", "99999999999999999999", "1 000"}) {
    CAPTURE(text);
    CHECK(ParseMicros(text) == std::nullopt);
  }
}

TEST_CASE("products are exact and never overflow") {
  CHECK(MultiplyMicros(3'000'000, 2'550'000) == 7'650'000);
  CHECK(MultiplyMicros(-3'000'000, 2'550'000) == -7'650'000);
  CHECK(MultiplyMicros(1, 500'000) == 1);
  CHECK(MultiplyMicros(-1, 500'000) == -1);
  CHECK(MultiplyMicros(INT64_MAX / 16, 32'000'000) == std::nullopt);
}

}  // namespace
}  // namespace portrait
