// `portrait rules pin`, `unpin` and `pins`: tags that somebody pins on a customer. A pin is an event of the customer's
// in a source topic, so it is applied once, in its place among the others, and replayed with them.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "pipeline/cli/program.h"
#include "pipeline/config/config.h"

namespace portrait {

struct PinRequest {
  std::string customer;
  std::string tag;
  std::string author;
  std::string reason;
  std::string until;  // a time, or how long from now: 30d; empty: until it is unpinned
  std::string topic;  // a source; empty: profile-events
  bool absent = false;
};

// Both return when the brokers have the event. InvalidArgument: what is missing, or no rule in force gives the tag.
absl::Status PinTag(const PinRequest& request, const Config& config, const Program& program);
absl::Status UnpinTag(const PinRequest& request, const Config& config, const Program& program);

// The pins of one customer, or of all when it is empty, as the rows in the changelog have them.
absl::Status ListPins(const std::string& customer, bool json, const Config& config, const Program& program);

}  // namespace portrait
