// A learned model of churn for people: its weights or trees, what it was fitted to, and how it compares with what was
// said before.
#pragma once

#include <string>

#include "portrait/v1/model.pb.h"

namespace portrait {

// The names of the sides in the card: what was learned, and what the model in force said.
inline constexpr const char* kJudgedRegression = "regression";
inline constexpr const char* kJudgedTrees = "trees";
inline constexpr const char* kJudgedSaid = "said";

// Ends with a line break.
std::string LearnedText(const v1::LearnedChurnFit& learned);

// The comparison alone: a line for each side of each window, of their mean, and of each segment of all windows.
std::string ComparisonText(const v1::LearnedCard& card);

}  // namespace portrait
