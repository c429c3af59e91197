// Finds what somebody meant who mistyped a name.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace portrait {

// "; did you mean OTHER", with the name that takes the fewest changes of single letters to become `name` (Levenshtein),
// the first of equals; empty when more than half of the letters would change.
std::string DidYouMean(std::string_view name, const std::vector<std::string_view>& names);

}  // namespace portrait
