// Keeps texts in states short.
#pragma once

#include <cstddef>
#include <string_view>

namespace portrait {

// The start of `text`, at most `bytes` long, never cut within a UTF-8 character. Valid as long as `text` is.
constexpr std::string_view Clip(std::string_view text, size_t bytes) {
  if (text.size() <= bytes) return text;
  while (bytes > 0 && (static_cast<unsigned char>(text[bytes]) & 0xC0) == 0x80) --bytes;
  return text.substr(0, bytes);
}

}  // namespace portrait
