// The planted faults, what each one does, and which of the protocol's rules it breaks.
#pragma once

#include <string>
#include <vector>

#include "pipeline/mutation.h"

namespace portrait::simulation {

struct Mutant {
  std::string name;
  std::string what;
  std::vector<Mutation> planted;
};

const std::vector<Mutant>& Mutants();

}  // namespace portrait::simulation
