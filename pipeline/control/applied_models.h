// Which models a rollback goes back to: what the records of the control topic about models come to.
//
//   const std::vector<ControlLog::Entry> history = …;
//   const v1::ControlRecord* in_force = AppliedModels(history).back();
#pragma once

#include <vector>

#include "pipeline/control/control_log.h"

namespace portrait {

// The record whose models are in force, last, and before it those that rollbacks would bring back, one by one. Empty:
// the models of the configuration are in force. Points into the history.
std::vector<const v1::ControlRecord*> AppliedModels(const std::vector<ControlLog::Entry>& history);

}  // namespace portrait
