// A learned model of churn for people: its weights, what it was fitted to, and how it compares with what was said
// before.
#pragma once

#include <string>

#include "portrait/v1/model.pb.h"

namespace portrait {

// The names of the two sides in the card.
inline constexpr const char* kJudgedLearned = "learned";
inline constexpr const char* kJudgedSaid = "said";

// Ends with a line break.
std::string LearnedText(const v1::LearnedChurnFit& learned);

// The comparison alone, a line for each side of each segment.
std::string ComparisonText(const v1::LearnedCard& card);

}  // namespace portrait
