// Which windows of the rules to come do not know everything yet, by what the control topic says of the past.
#pragma once

#include "pipeline/cli/rules_control.h"
#include "pipeline/tools/unfilled_windows.h"

namespace portrait {

// Of the rules in a record that is to be published. Rules of the past that this build cannot use are taken for rules
// without windows.
UnfilledWindows WindowsOfRecord(const Control& control, const v1::ControlRecord& record, const Config& config,
                                const Program& program);

}  // namespace portrait
