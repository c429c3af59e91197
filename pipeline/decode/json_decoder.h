// Events as Segment-shaped JSON (docs/events.md).
#pragma once

#include <memory>
#include <optional>
#include <string_view>

#include "operators/cleaning.h"
#include "operators/event.h"

namespace portrait {

// One for each thread: keeps the parser and its buffers. The parser is hidden, because its layout depends on flags of
// its library.
class JsonDecoder {
 public:
  JsonDecoder();
  ~JsonDecoder();

  // Replaces what is in `event`. `has_time` tells whether a time was there, which may be that of 1970-01-01, written 0.
  // The whole text is checked, also the parts that are not read. Rejections: malformed_json, invalid_utf8,
  // not_an_object, unknown_event, unsupported_event, bad_field, missing_field, bad_amount, absurd_amount, bad_score,
  // bad_time.
  std::optional<Rejection> Decode(std::string_view text, Event& event, bool& has_time);

 private:
  struct Parser;
  std::unique_ptr<Parser> parser_;
};

}  // namespace portrait
