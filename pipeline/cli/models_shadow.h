// `portrait models shadow` and `promote`: models that run beside those in force without an effect, and their coming
// into force.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "pipeline/cli/program.h"
#include "pipeline/cli/rules_control.h"

namespace portrait {

// Puts the models of a file into the shadow, in place of any that are there. InvalidArgument: the service would refuse
// them at its start, or they are in force.
absl::Status RunModelsInShadow(const std::string& path, const RuleDecision& decision, const Config& config,
                               const Program& program);
// NotFound, here and below: nothing is in the shadow.
absl::Status EndModelsInShadow(const RuleDecision& decision, const Config& config);
// What they say of the customers as the changelog has them, and what they would have raised.
absl::Status ReportModelsInShadow(const RuleDecision& decision, const Config& config, const Program& program);
// Brings what is in the shadow into force.
absl::Status PromoteModels(const RuleDecision& decision, const Config& config, const Program& program);

}  // namespace portrait
