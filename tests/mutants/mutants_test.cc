// The checker is itself checked: each fault of mutants.cc is planted in the engine, and must be found within a few
// hundred seeds, by the checker or by the engine's own assertions.
//   PORTRAIT_MUTANT=floor-is-end tries one (or several, with commas between); PORTRAIT_TRACE=1 shows the history in
//   which it is found.
#include "tests/mutants/mutants.h"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <sstream>
#include <string>

#include "tests/simulation/world.h"

namespace portrait::simulation {
namespace {

constexpr uint64_t kSeeds = 1500;
constexpr int kActions = 250;

std::string Setting(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

// What was wrong with this seed; empty when nothing was.
std::string Hunt(uint64_t seed, bool trace) {
  World world(seed);
  world.Trace(trace);
  world.Run(kActions);
  if (world.failure().empty()) world.Settle();
  if (world.failure().empty()) world.StopAndCheck();
  return world.failure();
}

std::string FirstLine(const std::string& text) { return text.substr(0, std::min(text.find('\n'), size_t{150})); }

TEST_CASE("every planted fault is found") {
  const std::string only = Setting("PORTRAIT_MUTANT");
  int found = 0, tried = 0;
  for (const Mutant& mutant : Mutants()) {
    if (!only.empty() && only.find(mutant.name) == std::string::npos) continue;
    ++tried;
    active_mutations.reset();
    for (const Mutation planted : mutant.planted) active_mutations.set(static_cast<size_t>(planted));
    std::string failure;
    uint64_t seed = 0;
    while (failure.empty() && seed < kSeeds) failure = Hunt(++seed, false);
    if (!failure.empty() && !Setting("PORTRAIT_TRACE").empty()) Hunt(seed, true);
    active_mutations.reset();
    std::cout << (failure.empty() ? "MISSED " : "found  ") << mutant.name << ", seed " << seed << ": "
              << FirstLine(failure) << std::endl;
    INFO(mutant.name << ": " << mutant.what);
    CHECK_FALSE(failure.empty());
    found += failure.empty() ? 0 : 1;
  }
  std::cout << found << " of " << tried << " planted faults found\n";
  CHECK(tried > 0);
}

TEST_CASE("docs/reliability.md lists the planted faults as they are") {
  std::ifstream file(std::string(PORTRAIT_SOURCE_DIR) + "/docs/reliability.md");
  std::stringstream text;
  text << file.rdbuf();
  std::string want = "| planted | what it does |\n|---|---|\n";
  for (const Mutant& mutant : Mutants()) want += "| `" + mutant.name + "` | " + mutant.what + " |\n";
  INFO("the table must read:\n" << want);
  CHECK(text.str().find(want) != std::string::npos);
}

}  // namespace
}  // namespace portrait::simulation
