// The kinds of values of conditions, for their checks and messages.
#pragma once

#include <string_view>

#include "operators/rules/program.h"
#include "operators/value.h"

namespace portrait::rules {

// kError for a list, which is no single value.
Kind KindOf(FeatureType type);

// "a whole number", "a length of time" …
std::string_view WordFor(Kind kind);

inline bool IsNumber(Kind kind) { return kind == Kind::kWhole || kind == Kind::kFraction; }

}  // namespace portrait::rules
