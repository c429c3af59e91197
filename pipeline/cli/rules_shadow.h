// `portrait rules shadow` and `promote`: rules that run beside those in force without an effect, and their coming into
// force.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "pipeline/cli/program.h"
#include "pipeline/cli/rules_control.h"

namespace portrait {

// Puts the rules of a file into the shadow, in place of any that are there. InvalidArgument: they are no good, or in
// force.
absl::Status RunInShadow(const std::string& path, const RuleDecision& decision, const Config& config,
                         const Program& program);
// NotFound, here and below: nothing is in the shadow.
absl::Status EndShadow(const RuleDecision& decision, const Config& config);
absl::Status ReportShadow(const RuleDecision& decision, const Config& config, const Program& program);
// Brings what is in the shadow into force, with what it knows.
absl::Status PromoteShadow(const RuleDecision& decision, const Config& config, const Program& program);

}  // namespace portrait
