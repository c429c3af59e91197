// What `portrait rules apply` and `promote` tell before they do it, and what `rules shadow --report` tells: how many
// customers the rules change, tag by tag, counted on the rows that the changelog holds.
#pragma once

#include "absl/status/status.h"
#include "pipeline/cli/program.h"
#include "pipeline/config/config.h"
#include "pipeline/tools/unfilled_windows.h"
#include "portrait/v1/control.pb.h"

namespace portrait {

// Counts, and prints the count to standard output, as text or as one line of JSON with the windows; progress goes to
// standard error. Reads the changelog twice. `now` are the rules as they stand, `to_come` the chain as it will be.
// FailedPrecondition: this build cannot use the rules as they stand. Unavailable: the brokers are away.
absl::Status TellImpact(const DecidedRules& now, const Chain& to_come, const UnfilledWindows& windows, bool json,
                        const Config& config, const Program& program);

// The same of the rules in the shadow, which `begun` put there: what would come when they are promoted, what they have
// done since, and how far the sweep has come.
absl::Status TellShadow(const DecidedRules& now, const v1::ControlRecord& begun, const UnfilledWindows& windows,
                        bool json, const Config& config, const Program& program);

}  // namespace portrait
