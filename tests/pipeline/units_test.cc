#include "pipeline/config/units.h"

#include <catch2/catch_test_macros.hpp>

namespace portrait {
namespace {

std::string Time(std::string_view text) {
  const auto duration = ParseDuration(text);
  return duration.ok() ? std::to_string(duration->count()) + "us " + FormatDuration(*duration)
                       : std::string(duration.status().message());
}

std::string Size(std::string_view text) {
  const auto bytes = ParseBytes(text);
  return bytes.ok() ? std::to_string(*bytes) + " " + FormatBytes(*bytes) : std::string(bytes.status().message());
}

TEST_CASE("a duration is a number with a unit") {
  CHECK(Time("100ms") == "100000us 100ms");
  CHECK(Time("1.5s") == "1500000us 1500ms");
  CHECK(Time("120s") == "120000000us 2m");
  CHECK(Time("60d") == "5184000000000us 60d");
  CHECK(Time("0s") == "0us 0s");
}

TEST_CASE("a duration without a unit, or with one that is none, is refused") {
  CHECK(Time("100") == "needs a unit: us, ms, s, m, h or d, as in 100ms");
  CHECK(Time("5 min") == "has a unit that is not known; known are us, ms, s, m, h or d, as in 100ms");
  CHECK(Time("10S") == "has a unit that is not known; known are us, ms, s, m, h or d, as in 100ms");
  for (const auto* text : {"", "ms", "-5s", "1.2.3s", "."}) {
    CHECK(Time(text) == "must be a number with a unit: us, ms, s, m, h or d, as in 100ms");
  }
  CHECK(Time("0.5us") == "must be a whole number of us");
  CHECK(Time("999999999999999d") == "is too large");
}

TEST_CASE("a size is a number with a unit of powers of 1000 or 1024") {
  CHECK(Size("256MiB") == "268435456 256MiB");
  CHECK(Size("1MB") == "1000000 1MB");
  CHECK(Size("0.5GiB") == "536870912 512MiB");
  CHECK(Size("1001B") == "1001 1001B");
  CHECK(Size("1M") == "has a unit that is not known; known are B, kB, MB, GB, KiB, MiB or GiB, as in 256MiB");
}

TEST_CASE("what is shown reads back as the same value") {
  for (const int64_t micros : {1, 999, 1000, 60'000'000, 90'000'000}) {
    CHECK(ParseDuration(FormatDuration(Duration(micros))).value() == Duration(micros));
  }
  for (const uint64_t bytes : {1ul, 1000ul, 1024ul, 1'048'577ul, 3ul << 30})
    CHECK(ParseBytes(FormatBytes(bytes)).value() == bytes);
}

}  // namespace
}  // namespace portrait
