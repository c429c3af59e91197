// What the API's answers have in common: parameters are read, and refused, in one way.
#pragma once

#include <cstddef>
#include <initializer_list>
#include <string_view>

#include "absl/status/status.h"
#include "view/http_message.h"
#include "view/json.h"

namespace portrait::view {

inline HttpResponse Ok(const Json& json) { return {.body = Dump(json)}; }

inline HttpResponse BadParameter(std::string_view message) { return ErrorResponse(400, "bad_parameter", message); }

// The parameters that a request may have; an error names another, or one given twice that may not be.
absl::Status CheckParameters(const HttpTarget& target, std::initializer_list<std::string_view> once,
                             std::initializer_list<std::string_view> often = {});

// Empty where it is not given.
std::string_view Parameter(const HttpTarget& target, std::string_view name);

inline constexpr std::string_view kLimitText = "limit: must be 1 to 200";

// As it was where it is not given.
bool ReadLimit(const HttpTarget& target, size_t& limit);

}  // namespace portrait::view
