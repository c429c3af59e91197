#include "pipeline/control/applied_models.h"

namespace portrait {

// A rollback is known by what it brings back: two that were published at the same time are as one.
std::vector<const v1::ControlRecord*> AppliedModels(const std::vector<ControlLog::Entry>& history) {
  std::vector<const v1::ControlRecord*> applied;
  for (const ControlLog::Entry& entry : history) {
    const v1::ControlRecord& record = entry.record;
    const bool comes =
        record.origin() == v1::ControlRecord::MODELS_APPLIED || record.origin() == v1::ControlRecord::MODELS_PROMOTED;
    if (comes) applied.push_back(&record);
    if (record.origin() != v1::ControlRecord::MODELS_ROLLED_BACK) continue;
    while (!applied.empty() && applied.back()->models() != record.models()) applied.pop_back();
  }
  return applied;
}

}  // namespace portrait
