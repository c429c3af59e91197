#include "operators/packed.h"

#include <array>
#include <catch2/catch_test_macros.hpp>
#include <cstdint>
#include <limits>
#include <random>
#include <string>
#include <vector>

namespace portrait {
namespace {

TEST_CASE("what is packed is read as it was written") {
  std::array<uint8_t, 200> buffer;
  PackedWriter out(buffer.data());
  out.Unsigned(0), out.Unsigned(127), out.Unsigned(128), out.Unsigned(UINT64_MAX);
  out.Signed(0), out.Signed(-1), out.Signed(INT64_MIN), out.Signed(INT64_MAX);
  out.Byte(255), out.Float(-0.25f), out.Text("shoes"), out.Text(""), out.Float(std::numeric_limits<float>::max());
  PackedReader in({out.data(), out.size()});
  CHECK((in.Unsigned() == 0 && in.Unsigned() == 127 && in.Unsigned() == 128 && in.Unsigned() == UINT64_MAX));
  CHECK((in.Signed() == 0 && in.Signed() == -1 && in.Signed() == INT64_MIN && in.Signed() == INT64_MAX));
  CHECK((in.Byte() == 255 && in.Float() == -0.25f && in.Text(5) == "shoes" && in.Text(0).empty()));
  CHECK(!in.done());
  CHECK(in.Float() == std::numeric_limits<float>::max());
  CHECK((in.done() && in.position() == out.size()));
}

// Near the end numbers are read byte by byte, before it eight bytes at once.
TEST_CASE("numbers of every length are read at every distance from the end") {
  std::mt19937_64 random(3);
  for (int round = 0; round < 2000; ++round) {
    std::vector<uint64_t> numbers;
    std::array<uint8_t, 12 * PackedWriter::kVarint> buffer;
    PackedWriter out(buffer.data());
    for (int i = 0; i < 12; ++i) {
      numbers.push_back(random() >> random() % 64);
      out.Unsigned(numbers.back());
    }
    const std::string bytes(out.data(), out.size());
    PackedReader in(bytes);
    for (const uint64_t number : numbers) REQUIRE(in.Unsigned() == number);
    CHECK(in.done());
  }
}

TEST_CASE("of bytes that are cut, zeros and empty texts are read, and the end comes") {
  std::array<uint8_t, 100> buffer;
  PackedWriter out(buffer.data());
  out.Unsigned(300), out.Text("shoes"), out.Float(1.5f), out.Signed(-70'000);
  for (size_t size = 0; size < out.size(); ++size) {
    const std::string bytes(out.data(), size);  // of its own, so that a sanitizer sees what is read beyond
    PackedReader in(bytes);
    in.Unsigned();
    CHECK((in.Text(5).empty() || size >= 7));
    const float number = in.Float();
    CHECK((number == 0 || size >= 11));
    in.Signed();
    CHECK(in.done());
    CHECK((in.Byte() == 0 && in.Float() == 0 && in.Unsigned() == 0 && in.Text(1).empty() && in.done()));
  }
}

}  // namespace
}  // namespace portrait
