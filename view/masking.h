// Personal data as a reader sees it: enough to tell that it is there, not what it is.
//
//   "anna@example.com" → "a•••@example.com"; "+33612345678" → "•••78"; "Anna" → "A•••"
//
// Facts of the operator `person` that point to a person are masked: name, email, phone. So is every value of such a
// feature in a reason, and a reason's words, which may repeat it. In what people write when they pin a tag, mail
// addresses and phone numbers are masked where they are recognised; names are not.
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

// Free text: what looks like a mail address or a phone number in it is masked.
//   "asked by anna@example.com, +33 6 12 34 56 78" → "asked by a•••@example.com, •••78"
std::string MaskedText(std::string text);

// A reason; of a feature that is not personal as it is, but for the words of who pinned a tag.
v1::Reason Masked(const v1::Reason& reason);

}  // namespace portrait::view
