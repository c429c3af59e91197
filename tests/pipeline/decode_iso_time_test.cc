#include <catch2/catch_get_random_seed.hpp>
#include <catch2/catch_test_macros.hpp>
#include <random>
#include <string>
#include <string_view>

#include "absl/time/time.h"
#include "operators/value.h"
#include "pipeline/decode/iso_time.h"

namespace portrait {
namespace {

std::string Read(std::string_view text) {
  const auto us = ParseIsoTime(text);
  return us ? ToText(FromMicros(*us)) + "+" + std::to_string(((*us % 1'000'000) + 1'000'000) % 1'000'000) : "no time";
}

TEST_CASE("ISO 8601 times in the forms that senders use") {
  CHECK(Read("2026-01-31") == "2026-01-31 00:00:00+0");
  CHECK(Read("2026-01-31T12:00") == "2026-01-31 12:00:00+0");
  CHECK(Read("2026-01-31T12:00:07") == "2026-01-31 12:00:07+0");
  CHECK(Read("2026-01-31 12:00:07") == "2026-01-31 12:00:07+0");
  CHECK(Read("2026-01-31T12:00:07Z") == "2026-01-31 12:00:07+0");
  CHECK(Read("2026-01-31t12:00:07.5z") == "2026-01-31 12:00:07+500000");
  CHECK(Read("2026-01-31T12:00:07.123456789Z") == "2026-01-31 12:00:07+123456");
  CHECK(Read("2026-01-31T12:00:07,25Z") == "2026-01-31 12:00:07+250000");
  CHECK(Read("2026-01-31T00:30:00+01:00") == "2026-01-30 23:30:00+0");
  CHECK(Read("2026-01-31T12:00:00-0730") == "2026-01-31 19:30:00+0");
  CHECK(Read("2026-01-31T12:00:00+02") == "2026-01-31 10:00:00+0");
  CHECK(Read("2024-02-29T23:59:60Z") == "2024-03-01 00:00:00+0");
  CHECK(Read("1969-12-31T23:59:59.999Z") == "1969-12-31 23:59:59+999000");
}

TEST_CASE("what is no time is not read as one") {
  for (const char* text : {"",
                           "2026",
                           "2026-1-31",
                           "2026-13-01",
                           "2026-00-10",
                           "2025-02-29",
                           "2026-01-32",
                           "2026-01-31T",
                           "2026-01-31T24:00",
                           "2026-01-31T12",
                           "2026-01-31T12:60",
                           "2026-01-31T12:00:61",
                           "2026-01-31T12:00:00.",
                           "2026-01-31T12:00:00.Z",
                           "2026-01-31T12:00:00+",
                           "2026-01-31T12:00:00+1",
                           "2026-01-31T12:00:00+24:00",
                           "2026-01-31T12:00:00+01:",
                           "2026-01-31T12:00:00+01:00x",
                           "2026-01-31T12:00:00ZZ",
                           "0000-01-01",
                           "yesterday",
                           "31.01.2026",
                           " 2026-01-31",
                           "2026-01-31Z",
                           "-026-01-31",
                           "20260131",
                           "1769860800"}) {
    INFO(text);
    CHECK(Read(text) == "no time");
  }
}

// Abseil is more lenient about signs, blanks, missing digits and a year 0; compared is what has the shape of a time.
bool LooksLikeRfc3339(std::string_view text) {
  if (text.starts_with("0000")) return false;
  std::string shape;
  for (const char c : text) shape += c >= '0' && c <= '9' ? 'd' : c;
  if (!shape.starts_with("dddd-dd-ddTdd:dd:dd")) return false;
  shape.erase(0, 19);
  if (shape.starts_with(".d")) shape.erase(0, shape.find_first_not_of('d', 1));
  return shape == "Z" || shape == "+dd:dd" || shape == "-dd:dd";
}

TEST_CASE("times are read as Abseil reads RFC 3339") {
  const unsigned seed = Catch::getSeed();  // again by --rng-seed
  INFO("seed " << seed);
  std::mt19937_64 random(seed);
  std::uniform_int_distribution<int64_t> any(-30'610'224'000'000'000, 253'402'300'799'999'999);  // years 1000 to 9999
  int compared = 0;
  for (int i = 0; i < 100'000; ++i) {
    const absl::TimeZone zone = absl::FixedTimeZone(static_cast<int>(random() % 1440 - 720) * 60);
    std::string text = absl::FormatTime(absl::RFC3339_full, absl::FromUnixMicros(any(random)), zone);
    if (i % 2 == 0) text[random() % text.size()] = static_cast<char>('0' + random() % 10);
    if (!LooksLikeRfc3339(text) || text.find(":60") != std::string::npos) continue;  // leap seconds: see above
    absl::Time expected;
    const bool valid = absl::ParseTime(absl::RFC3339_full, text, &expected, nullptr);
    const auto read = ParseIsoTime(text);
    if (read.has_value() != valid || (valid && *read != absl::ToUnixMicros(expected))) FAIL("differs: " << text);
    ++compared;
  }
  CHECK(compared > 80'000);
}

}  // namespace
}  // namespace portrait
