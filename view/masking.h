// Personal data as a reader sees it: enough to tell that it is there, not what it is.
//
//   "anna@example.com" → "a•••@example.com"; "+33612345678" → "•••78"; "Anna" → "A•••"
//
// Facts of the operator `person` that point to a person are masked: name, email, phone. So is every value of such a
// feature in a reason, and a reason's words, which may repeat it.
#pragma once

#include <string>
#include <string_view>

#include "portrait/v1/result.pb.h"
#include "view/json.h"

namespace portrait::view {

// Whether a feature, by its full name, is masked.
bool IsPersonal(std::string_view feature);

// A value of such a feature; null stays null.
Json Masked(std::string_view feature, const Json& value);

// A reason; as it is when its feature is not personal.
v1::Reason Masked(const v1::Reason& reason);

}  // namespace portrait::view
