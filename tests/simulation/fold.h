// The operator of the simulated chain: its results and its state depend on everything that could go wrong, such as
// order, repetition, lateness, timers that set timers, and the version of its rules. The checker has its own idea of it
// (reference.h).
#pragma once

#include <memory>

#include "operators/chain.h"

namespace portrait::simulation {

std::unique_ptr<Chain> FoldingChain(int64_t version);

}  // namespace portrait::simulation
