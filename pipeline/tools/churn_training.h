// Learns a model of churn from examples (operators/churn_examples.h), and judges it against what was said at the time.
//
//   ChurnTraining training;
//   for (…) training.Add(example);
//   absl::StatusOr<TrainedChurn> trained = training.Train();
//   if (trained.ok() && trained->better) *file.mutable_learned() = trained->fit;
//
// Learned: ridge logistic regression (operators/models/linear_model.h) on the standardised features, as a correction
// of the population model's log-odds, which are one of them. Calibrated by Platt scaling: slope and shift are fitted
// to the scores of customers that a regression has not seen, in five parts by a hash of the customer, and then taken
// into the weights.
//
// Judged by rolling origin. The snapshots of the latest horizon fall into three windows; for each, a model is learned
// from the examples whose horizon had closed before the window began, and says the probability of its snapshots. These
// together are compared with what the model in force said of the same snapshots then. Better means: a lower Brier
// score, and an AUC that is not lower.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "portrait/v1/model.pb.h"
#include "portrait/v1/result.pb.h"

namespace portrait {

struct TrainedChurn {
  v1::LearnedChurnFit fit;  // of all examples, with its card
  bool better = false;
};

// One thread. Deterministic: the order in which examples are added is of no account.
class ChurnTraining {
 public:
  static constexpr size_t kLeastExamples = 200;

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

  std::vector<v1::ChurnExample> examples_;
  size_t left_out_ = 0;
};

}  // namespace portrait
