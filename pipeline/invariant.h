// What must hold whatever comes in. A broken invariant is a mistake in this program: going on could write wrong results, so the
// process stops, and recovery goes on from what was committed.
//
//   Invariant(step >= row.number, "a row's number falls");
#pragma once

#include <cstdlib>
#include <iostream>
#include <string_view>

namespace portrait {

inline void Invariant(bool holds, std::string_view broken) {
  if (holds) [[likely]]
    return;
  std::cerr << "portrait: broken invariant: " << broken << std::endl;
  std::abort();
}

}  // namespace portrait
