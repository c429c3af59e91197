// What `portrait rules apply` tells before it applies: how many customers the rules change, tag by tag, counted on the
// rows that the changelog holds.
#pragma once

#include "absl/status/status.h"
#include "pipeline/cli/program.h"
#include "pipeline/config/config.h"
#include "portrait/v1/control.pb.h"

namespace portrait {

// Counts, and prints the count to standard output, as text or as one line of JSON; progress goes to standard error.
// Reads the changelog twice. `in_force` is the record that the control topic has last, `to_come` the chain with
// other rules. FailedPrecondition: this build cannot use the rules in force. Unavailable: the brokers are away.
absl::Status TellImpact(const v1::ControlRecord& in_force, const Chain& to_come, bool json, const Config& config,
                        const Program& program);

}  // namespace portrait
