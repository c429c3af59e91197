// One text for conditions that are written differently and say the same by their syntax: blanks, brackets that change
// nothing, the kind of quotes and the way numbers are written make no difference.
//
//   NormalText(**ParseExpression("(category=='shoes')")) == "category == \"shoes\""
//
// What it is depends on the tree alone. It is kept with customers' rows (by its hash), so it never changes. Pure.
#pragma once

#include <string>

#include "operators/rules/expression.h"

namespace portrait::rules {

std::string NormalText(const Expression& e);

}  // namespace portrait::rules
