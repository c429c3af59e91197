// The contract of the API, view/openapi.yaml, as text.
#pragma once

#include <string_view>

namespace portrait::view {

extern const std::string_view kOpenApi;

}  // namespace portrait::view
