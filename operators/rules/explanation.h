// Why a condition holds or does not: the comparisons that decided, with values and thresholds, as the reasons of a
// result.
//
//   for (v1::Reason& reason : Explain(evaluation, condition)) *info.add_reasons() = std::move(reason);
//
// Of `a && b` that holds both sides decided; of one that does not, the sides that are false, or have no value; of `||`
// the other way round; of `c ? x : y` the condition and the side that was chosen. A comparison that is false is told as
// what is true: orders >= 3 that fails as orders < 3. So no reason has to be read together with its outcome.
#pragma once

#include <cstddef>
#include <vector>

#include "operators/rules/program.h"
#include "portrait/v1/result.pb.h"

namespace portrait::rules {

inline constexpr size_t kMostReasons = 8;

// In the order in which they are written, each once, at most kMostReasons. Every reason has a text:
// "Spend in the last 365 days: 2100.5, more than 2000". Empty for a condition without features, such as `true`.
std::vector<v1::Reason> Explain(Evaluation& evaluation, int32_t node);

}  // namespace portrait::rules
