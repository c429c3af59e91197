// The models that the services of a configuration go by, for commands that tell what these would say.
//
//   const auto models = FindModelsInForce(*config);
//   auto chain = program.BuildChainWithRules(*config, {.models = models->decided});
#pragma once

#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "pipeline/cli/rules_control.h"
#include "pipeline/config/config.h"

namespace portrait {

struct ModelsInForce {
  std::optional<DecidedModels> decided;  // none: those of the configuration, as nobody has applied any
  std::string name;                      // as alerts name them
};

// By the control topic. Unavailable: the brokers are away.
absl::StatusOr<ModelsInForce> FindModelsInForce(const Config& config);
// By a control topic that has been read.
ModelsInForce ModelsInForceBy(const Control& control, const Config& config);
// For commands that read files and ask no broker.
ModelsInForce ModelsOfConfiguration(const Config& config);

}  // namespace portrait
