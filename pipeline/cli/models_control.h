// `portrait models apply`, `rollback` and `history`: the models of services that run, through the control topic. Those
// in the shadow: models_shadow.h.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "pipeline/cli/rules_control.h"

namespace portrait {

// A record of the models of a file; of what origin is left open. InvalidArgument: the service would refuse them at its
// start, and why.
absl::StatusOr<v1::ControlRecord> ModelsRecordOf(const std::string& path, const Config& config);
// Checks a record as each process will, and publishes it. InvalidArgument: they would refuse it.
absl::Status BringModelsIntoForce(Control& control, v1::ControlRecord record, const RuleDecision& decision,
                                  const Config& config, const Program& program);

// Brings the models of a file into force. InvalidArgument: the service would refuse them at its start, and why.
absl::Status ApplyModels(const std::string& path, const RuleDecision& decision, const Config& config,
                         const Program& program);
// Brings back those before the ones in force, in the end those of the configuration. InvalidArgument: they are.
absl::Status RollBackModels(const RuleDecision& decision, const Config& config, const Program& program);
// Who brought which models into force, when and why; the last first.
absl::Status ShowModelHistory(const Config& config, bool json);

}  // namespace portrait
