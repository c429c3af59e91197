// `portrait models apply`, `rollback` and `history`: the models of services that run, through the control topic.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "pipeline/cli/rules_control.h"

namespace portrait {

// Brings the models of a file into force. InvalidArgument: the service would refuse them at its start, and why.
absl::Status ApplyModels(const std::string& path, const RuleDecision& decision, const Config& config,
                         const Program& program);
// Brings back those before the ones in force, in the end those of the configuration. InvalidArgument: they are.
absl::Status RollBackModels(const RuleDecision& decision, const Config& config, const Program& program);
// Who brought which models into force, when and why; the last first.
absl::Status ShowModelHistory(const Config& config, bool json);

}  // namespace portrait
