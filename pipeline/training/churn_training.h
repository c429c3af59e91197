// Learns models of churn from examples (operators/churn_examples.h), and judges them against what was said at the time.
//
//   ChurnTraining training;
//   for (…) training.Add(example);
//   absl::StatusOr<TrainedChurn> trained = training.Train();
//   if (trained.ok() && trained->better) *file.mutable_learned() = trained->fit;
//
// Two models are learned, each the challenger of the one in force: a regression, and boosted trees (churn_learners.h).
//
// Judged by rolling origin. The snapshots of the latest horizon fall into three windows; for each, the models are
// learned from the examples whose horizon had closed before the window began, and say the probability of its snapshots;
// how many trees, and which calibration, is chosen by those examples, too. These together are compared with what the
// model in force said of the same snapshots then. Better means: a lower Brier score, and an AUC that is not lower. Of
// two that are better it is the one with the lower Brier score. Trees must have been learned for every window that the
// regression was; else there are none.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "portrait/v1/model.pb.h"
#include "portrait/v1/result.pb.h"

namespace portrait {

struct TrainedChurn {
  v1::LearnedChurnFit fit;  // the best, of all examples, with its card
  bool better = false;
};

struct ChurnTrainingOptions {
  bool trees = true;
};

// One thread. Deterministic: the order in which examples are added is of no account.
class ChurnTraining {
 public:
  explicit ChurnTraining(ChurnTrainingOptions options = {}) : options_(options) {}

  // One that stands there already, by customer and origin, counts once.
  void Add(const v1::ChurnExample& example);

  // FailedPrecondition: too few examples, all with the same label, or no window that can be judged; it says what is
  // there and what is needed.
  absl::StatusOr<TrainedChurn> Train();

  // Left out by Train: of other features or another horizon than the latest example.
  size_t left_out() const { return left_out_; }
  size_t size() const { return examples_.size(); }

 private:
  void SortAndChoose();

  ChurnTrainingOptions options_;
  std::vector<v1::ChurnExample> examples_;
  size_t left_out_ = 0;
};

}  // namespace portrait
