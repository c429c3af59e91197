// The commands of the program, each in a file of its own, in the order of --help. program.cc lists them.
#pragma once

#include "pipeline/cli/program.h"

namespace portrait {

void AddRun(Program& program);
void AddCustomers(Program& program);
void AddDescribe(Program& program);
void AddCheck(Program& program);

}  // namespace portrait
