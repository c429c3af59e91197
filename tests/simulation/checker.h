// Checks a history from outside: what the journal says was applied must account for every input once, and the results
// and rows must be those of a plain loop over the same steps.
#pragma once

#include <string>
#include <vector>

#include "tests/simulation/world.h"

namespace portrait::simulation {

// Empty when all is well, else what is wrong. `all_applied`: every input must have been applied.
std::vector<std::string> Check(World& world, bool all_applied);

}  // namespace portrait::simulation
