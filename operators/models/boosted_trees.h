// Sums of small decision trees, as gradient boosting learns them: scores, and what each feature adds to a score.
//
//   absl::StatusOr<BoostedTrees> trees = BoostedTrees::Of(list, /*features=*/row.size());
//   double log_odds = trees->Score(row);
//   std::vector<double> parts(row.size());
//   trees->AddContributions(row, absl::MakeSpan(parts));   // trees->expected() and these add up to the score
//
// A row goes left where its value, as a float, is below the threshold, else right; a value that is NaN goes where the
// node says. So XGBoost decides, too, whose trees these are (pipeline/training/tree_fitter.h); sums are in double.
//
// Contributions are exact Shapley values of the path-dependent game: of features that are not known, a tree's answer is
// the mean of its branches by how many examples they cover (S. Lundberg, G. Erion, S.-I. Lee, Consistent Individualized
// Feature Attribution for Tree Ensembles, 2018; S. Lundberg et al., From local explanations to global understanding
// with explainable AI for trees, Nature Machine Intelligence 2, 2020). They are computed leaf by leaf: what a leaf adds
// to a set of known features is a product over the features of its path, so Shapley's mean over all orders follows from
// the coefficients of a polynomial of that degree; nothing is divided by what may be 0.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"

namespace portrait {

// The root stands first, and every node before its children.
struct TreeNode {
  uint32_t left = 0, right = 0;  // places in the tree; 0: a leaf
  uint32_t feature = 0;
  float threshold = 0;
  bool missing_left = false;
  double value = 0;  // of a leaf
  double cover = 0;  // of a leaf: how many examples it covers, by weight

  bool leaf() const { return left == 0; }
};
using Tree = std::vector<TreeNode>;

// Constant but for Scale; safe from any thread; pure.
class BoostedTrees {
 public:
  static constexpr size_t kMostTrees = 300, kMostNodes = 127, kMostDepth = 6;
  static constexpr double kMostValue = 100;  // of a leaf, either way

  // InvalidArgument: no such trees; it names the tree and the node. Of rows with `features` values.
  static absl::StatusOr<BoostedTrees> Of(const std::vector<Tree>& trees, size_t features);

  // The sum over the trees. `row`: at least as many values as there are features.
  double Score(absl::Span<const double> row) const { return Score(row, size()); }
  // Over the first `trees` alone.
  double Score(absl::Span<const double> row, size_t trees) const;
  // Of one tree.
  double ScoreOf(size_t tree, absl::Span<const float> row) const;

  // The mean score of the examples that the trees cover.
  double expected() const { return expected_; }
  void AddContributions(absl::Span<const double> row, absl::Span<double> out) const;

  // Where the trees ask for that feature: rising, each once.
  std::vector<float> ThresholdsOf(size_t feature) const;

  // Multiplies all scores.
  void Scale(double by);

  size_t size() const { return trees_.size(); }
  absl::Span<const TreeNode> nodes(size_t tree) const;
  size_t depth() const;  // of the deepest tree; 0: leaves alone

 private:
  struct Place {
    size_t first = 0, size = 0;
  };

  std::vector<TreeNode> nodes_;  // tree after tree; inner nodes cover what their leaves do
  std::vector<Place> trees_;
  double expected_ = 0;
};

}  // namespace portrait
