// Regular expressions that cannot explode: RE2's, which takes time in proportion to the text, with little memory.
#pragma once

#include <memory>
#include <string_view>

#include "absl/status/statusor.h"

namespace re2 {
class RE2;
}

namespace portrait::rules {

inline constexpr size_t kPatternBytes = 1024;

// InvalidArgument: what is wrong with the pattern. Kept for this thread, so that the same one is made once; the last
// few of them.
absl::StatusOr<std::shared_ptr<const re2::RE2>> MakeRegularExpression(std::string_view pattern);

}  // namespace portrait::rules
