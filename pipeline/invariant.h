// What must hold whatever comes in. A broken invariant is a mistake in this program: going on could write wrong
// results, so the process stops, and recovery goes on from what was committed.
//
//   Invariant(step >= row.number, "a row's number falls");
#pragma once

#include <cstdlib>
#include <iostream>
#include <string>
#include <string_view>

namespace portrait {

#ifdef PORTRAIT_MUTANTS
// In the build that plants faults (tests/mutants) the test that planted one goes on.
struct BrokenInvariant {
  std::string what;
};
#endif

inline void Invariant(bool holds, std::string_view broken) {
  if (holds) [[likely]]
    return;
#ifdef PORTRAIT_MUTANTS
  throw BrokenInvariant{std::string(broken)};
#endif
  std::cerr << "portrait: broken invariant: " << broken << std::endl;
  std::abort();
}

}  // namespace portrait
