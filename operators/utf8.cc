#include "operators/utf8.h"

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace portrait {
namespace {

using Byte = unsigned char;

bool IsContinuation(Byte byte) { return (byte & 0xC0) == 0x80; }

// The length of the character that starts here, or 0 if there is none. `left` bytes are there, at least one.
size_t CharacterBytes(const Byte* at, size_t left) {
  const Byte first = at[0];
  if (first < 0x80) return 1;
  if (first < 0xC2 || first > 0xF4) return 0;
  const size_t length = first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
  if (left < length) return 0;
  Byte low = 0x80, high = 0xBF;  // of the second byte
  if (first == 0xE0) low = 0xA0;
  if (first == 0xED) high = 0x9F;
  if (first == 0xF0) low = 0x90;
  if (first == 0xF4) high = 0x8F;
  if (at[1] < low || at[1] > high) return 0;
  for (size_t i = 2; i < length; ++i) {
    if (!IsContinuation(at[i])) return 0;
  }
  return length;
}

}  // namespace

bool IsAscii(std::string_view text) {
  const char* at = text.data();
  size_t left = text.size();
  uint64_t seen = 0;
  for (; left >= 8; at += 8, left -= 8) {
    uint64_t word;
    std::memcpy(&word, at, 8);
    seen |= word;
  }
  for (; left > 0; ++at, --left) seen |= static_cast<Byte>(*at);
  return (seen & 0x8080808080808080u) == 0;
}

bool IsUtf8(std::string_view text) {
  if (IsAscii(text)) return true;
  const Byte* bytes = reinterpret_cast<const Byte*>(text.data());
  for (size_t i = 0; i < text.size();) {
    const size_t length = CharacterBytes(bytes + i, text.size() - i);
    if (length == 0) return false;
    i += length;
  }
  return true;
}

std::string_view CutUtf8(std::string_view text, size_t max_bytes) {
  if (text.size() <= max_bytes) return text;
  size_t end = max_bytes;
  for (int back = 0; back < 3 && end > 0 && IsContinuation(static_cast<Byte>(text[end])); ++back) --end;
  return text.substr(0, end);
}

}  // namespace portrait
