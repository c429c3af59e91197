#include "pipeline/cli/models_in_force.h"

namespace portrait {

ModelsInForce ModelsOfConfiguration(const Config& config) { return {{}, config.chain.models.fitted.name}; }

ModelsInForce ModelsInForceBy(const Control& control, const Config& config) {
  ModelsInForce out = ModelsOfConfiguration(config);
  out.decided = control.Decided().models;
  // A rollback to those of the configuration names none.
  if (const v1::ControlRecord* record = control.models(); record != nullptr && !record->models().empty()) {
    out.name = record->models();
  }
  return out;
}

absl::StatusOr<ModelsInForce> FindModelsInForce(const Config& config) {
  const auto control = OpenControl(config);
  if (absl::IsNotFound(control.status())) return ModelsOfConfiguration(config);  // no topic, so no decision
  if (!control.ok()) return control.status();
  return ModelsInForceBy(*control, config);
}

}  // namespace portrait
