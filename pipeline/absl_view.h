// std::string_view for Abseil, whose own string_view is another type in Debian's build of it.
#pragma once

#include <string_view>

#include "absl/strings/string_view.h"

namespace portrait {

inline absl::string_view AbslView(std::string_view text) { return {text.data(), text.size()}; }

}  // namespace portrait
