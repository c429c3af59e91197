#include "pipeline/config/learned_fit.h"

#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"

namespace portrait {
namespace {

constexpr double kMostWeight = 100;
constexpr int kMostFeatures = 200;

absl::StatusOr<TreeNode> NodeOf(const v1::LearnedNode& told) {
  TreeNode node;
  const bool inner = told.has_feature() && told.has_threshold() && told.has_left() && told.has_right();
  const bool leaf = told.has_value() && told.has_cover();
  const bool both = told.has_value() || told.has_cover();
  const bool some = told.has_feature() || told.has_threshold() || told.has_left() || told.has_right();
  if (inner && !both && told.left() > 0) {
    node.left = told.left(), node.right = told.right();
    node.feature = told.feature(), node.threshold = told.threshold(), node.missing_left = told.missing_left();
    return node;
  }
  if (!leaf || some) {
    return absl::InvalidArgumentError(
        "must have either feature, threshold, left (not 0) and right, or value and cover");
  }
  node.value = told.value(), node.cover = told.cover();
  return node;
}

absl::StatusOr<BoostedTrees> TreesOf(const v1::LearnedChurnFit& fit) {
  std::vector<Tree> trees;
  for (const v1::LearnedTree& told : fit.trees()) {
    Tree& tree = trees.emplace_back();
    for (const v1::LearnedNode& one : told.nodes()) {
      auto node = NodeOf(one);
      if (!node.ok()) {
        return absl::InvalidArgumentError(
            absl::StrCat("tree ", trees.size() - 1, ": node ", tree.size(), ": ", node.status().message()));
      }
      tree.push_back(*node);
    }
  }
  return BoostedTrees::Of(trees, static_cast<size_t>(fit.features_size()));
}

absl::StatusOr<CalibrationCurve> CurveOf(const v1::LearnedChurnFit& fit) {
  std::vector<CalibrationKnot> knots;
  for (const v1::LearnedKnot& knot : fit.curve()) knots.push_back({knot.score(), knot.calibrated()});
  return CalibrationCurve::Of(std::move(knots));
}

void AddTree(absl::Span<const TreeNode> nodes, v1::LearnedTree& tree) {
  for (const TreeNode& node : nodes) {
    v1::LearnedNode& told = *tree.add_nodes();
    if (node.leaf()) {
      told.set_value(node.value), told.set_cover(node.cover);
      continue;
    }
    told.set_feature(node.feature), told.set_threshold(node.threshold);
    told.set_left(node.left), told.set_right(node.right);
    if (node.missing_left) told.set_missing_left(true);
  }
}

}  // namespace

v1::LearnedChurnFit FitOf(const LearnedChurn& learned) {
  v1::LearnedChurnFit fit;
  fit.set_version(LearnedChurn::kVersion);
  fit.set_horizon_days(learned.horizon_days);
  fit.set_intercept(learned.model.intercept);
  for (size_t i = 0; i < learned.features.size(); ++i) {
    v1::LearnedFeature& feature = *fit.add_features();
    feature.set_name(learned.features[i]);
    feature.set_mean(learned.model.mean[i]), feature.set_spread(learned.model.spread[i]);
    feature.set_weight(learned.model.weight[i]);
  }
  for (size_t i = 0; learned.trees && i < learned.trees->size(); ++i)
    AddTree(learned.trees->nodes(i), *fit.add_trees());
  if (!learned.curve) return fit;
  for (const CalibrationKnot& knot : learned.curve->knots()) {
    v1::LearnedKnot& told = *fit.add_curve();
    told.set_score(knot.score), told.set_calibrated(knot.calibrated);
  }
  return fit;
}

LearnedChurn LearnedOf(const v1::LearnedChurnFit& fit) {
  LearnedChurn out;
  out.horizon_days = fit.horizon_days();
  out.model.intercept = fit.intercept();
  for (const v1::LearnedFeature& feature : fit.features()) {
    out.features.push_back(feature.name());
    out.model.mean.push_back(feature.mean());
    out.model.spread.push_back(feature.spread());
    out.model.weight.push_back(feature.weight());
  }
  if (!fit.trees().empty()) out.trees = TreesOf(fit).value();
  if (!fit.curve().empty()) out.curve = CurveOf(fit).value();
  return out;
}

void CheckLearned(const v1::LearnedChurnFit& fit, ParameterCheck& check) {
  if (fit.version() != LearnedChurn::kVersion) {
    check.Fail(absl::StrCat("learned.version: this release reads version ", LearnedChurn::kVersion,
                            ", the learned model is of version ", fit.version(),
                            "; train it anew with `portrait train`"));
  }
  check.Number("learned.horizon_days", fit.horizon_days(), 1, 3650);
  check.Number("learned.intercept", fit.intercept(), -kMostWeight, kMostWeight);
  check.Number("learned.features", fit.features_size(), 1, kMostFeatures);
  for (const v1::LearnedFeature& feature : fit.features()) {
    const std::string name = absl::StrCat("learned.features ", feature.name());
    check.Number(name + " mean", feature.mean(), -ParameterCheck::kMost, ParameterCheck::kMost);
    check.Number(name + " spread", feature.spread(), 0, ParameterCheck::kMost);
    check.Number(name + " weight", feature.weight(), -kMostWeight, kMostWeight);
    check.Number(name + " gain", feature.gain(), 0, 1);
  }
  const auto holds = [&](const char* what, const absl::Status& status) {
    if (!status.ok()) check.Fail(absl::StrCat(what, ": ", status.message()));
  };
  if (!fit.trees().empty()) holds("learned.trees", TreesOf(fit).status());
  if (!fit.curve().empty()) holds("learned.curve", CurveOf(fit).status());
}

}  // namespace portrait
