#include "operators/utf8.h"

#include <catch2/catch_get_random_seed.hpp>
#include <catch2/catch_test_macros.hpp>
#include <random>
#include <string>

#include "google/protobuf/stubs/common.h"

namespace portrait {
namespace {

TEST_CASE("overlong forms, surrogates and what lies above U+10FFFF are not UTF-8") {
  CHECK(IsUtf8(""));
  CHECK(IsUtf8("Zürich, 東京, 🙂"));
  CHECK_FALSE(IsUtf8("\xC0\xAF"));
  CHECK_FALSE(IsUtf8("\xE0\x80\xAF"));
  CHECK_FALSE(IsUtf8("\xED\xA0\x80"));
  CHECK_FALSE(IsUtf8("\xF4\x90\x80\x80"));
  CHECK_FALSE(IsUtf8("\xE2\x82"));
}

TEST_CASE("UTF-8 is what Protobuf takes for UTF-8") {
  const unsigned seed = Catch::getSeed();  // again by --rng-seed
  INFO("seed " << seed);
  std::mt19937 random(seed);
  const std::string_view pieces[] = {"a",    "\x7F", "ü",    "€",    "🙂",   "\x80", "\xC2", "\xE0",
                                     "\xED", "\xF0", "\xF4", "\xBF", "\xA0", "\x90", "\xFF"};
  int valid = 0;
  for (int i = 0; i < 200'000; ++i) {
    std::string text;
    for (unsigned left = random() % 12; left > 0; --left) text += pieces[random() % std::size(pieces)];
    valid += IsUtf8(text);
    if (IsUtf8(text) !=
        google::protobuf::internal::IsStructurallyValidUTF8(text.data(), static_cast<int>(text.size()))) {
      FAIL("differs for " << Catch::StringMaker<std::string>::convert(text));
    }
  }
  CHECK(valid > 10'000);  // both sides were seen
  CHECK(valid < 190'000);
}

TEST_CASE("a text is cut between two characters") {
  const std::string text = "aü€🙂";  // 1, 2, 3 and 4 bytes
  std::string lengths;
  for (size_t max = 0; max <= text.size(); ++max) lengths += std::to_string(CutUtf8(text, max).size()) + " ";
  CHECK(lengths == "0 1 1 3 3 3 6 6 6 6 10 ");
}

}  // namespace
}  // namespace portrait
