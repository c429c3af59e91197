// A learned model of churn as a file of models holds it (model_file.h).
#pragma once

#include "operators/models/learned_churn.h"
#include "pipeline/config/parameter_check.h"
#include "portrait/v1/model.pb.h"

namespace portrait {

v1::LearnedChurnFit FitOf(const LearnedChurn& learned);
// Of a fit that was checked.
LearnedChurn LearnedOf(const v1::LearnedChurnFit& fit);

// This release's version, numbers in range, and trees and a curve that are such; what is wrong of a tree names the tree
// and the node.
void CheckLearned(const v1::LearnedChurnFit& fit, ParameterCheck& check);

}  // namespace portrait
