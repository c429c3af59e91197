// UTF-8: is a text valid, and where can it be cut.
//
//   if (!IsUtf8(name)) ...
//   name = CutUtf8(name, 4096);  // at most 4096 bytes, no character cut in two
#pragma once

#include <string_view>

namespace portrait {

// Whether every byte is below 0x80. Quick: most texts are, and then nothing else needs a look.
bool IsAscii(std::string_view text);

// Well-formed as in table 3-7 of the Unicode standard: no overlong forms, no surrogates, nothing above U+10FFFF.
bool IsUtf8(std::string_view text);

// The longest start of at most `max_bytes` that ends between two characters. Of a text that is not UTF-8, at most
// 3 bytes less than max_bytes.
std::string_view CutUtf8(std::string_view text, size_t max_bytes);

}  // namespace portrait
