// The operator of the simulated chain: its results and its state depend on everything that could go wrong, such as
// order, repetition, lateness, timers that set timers, and the version of its rules. The checker has its own idea of it
// (reference.h).
#pragma once

#include <memory>

#include "operators/chain.h"

namespace portrait::simulation {

std::unique_ptr<Chain> FoldingChain(int64_t version);

// The version of the fold with these rules in force, and rules in the shadow, models and models in the shadow that came
// at these control positions (0: none): each of them makes another one.
inline int64_t FoldVersion(int64_t rules, int64_t shadow, int64_t models, int64_t models_shadow) {
  return rules + 1000 * shadow + 1'000'000 * models + 1'000'000'000 * models_shadow;
}

}  // namespace portrait::simulation
