// Events as Protobuf bytes.
#pragma once

#include <optional>
#include <string_view>

#include "operators/cleaning.h"
#include "operators/event.h"

namespace portrait {

// Replaces what is in `event`. Rejections: malformed_protobuf, invalid_utf8, unknown_event, no_body. Of several bodies
// the last counts, as Protobuf has it; fields that are not known are left alone. After one
// of the first two `event` is empty.
std::optional<Rejection> DecodeProtobuf(std::string_view bytes, Event& event);

}  // namespace portrait
