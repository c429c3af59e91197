// What format a record is in, by its content-type header.
#pragma once

#include <variant>

#include "operators/cleaning.h"
#include "pipeline/options.h"
#include "pipeline/ports/record.h"

namespace portrait {

// The format that the record's content-type header names (case does not matter; of several, the last that has a value),
// or `otherwise` when there is none. A format or charset that is not read: the rejection unknown_content_type.
std::variant<WireFormat, Rejection> FormatOf(const Record& record, WireFormat otherwise);

}  // namespace portrait
