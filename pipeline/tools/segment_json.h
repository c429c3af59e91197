// An event as Segment-shaped JSON: track, page and identify calls with the names of the Segment spec for ecommerce and
// email (https://segment.com/docs/connections/spec/). The inverse of what the decoder reads.
#pragma once

#include <string>

#include "operators/event.h"

namespace portrait {

// One line, no line break. Empty fields are left out; bytes that are no UTF-8 become U+FFFD.
std::string ToSegmentJson(const Event& event);

}  // namespace portrait
