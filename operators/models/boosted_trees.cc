#include "operators/models/boosted_trees.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "absl/container/inlined_vector.h"
#include "absl/strings/str_cat.h"

namespace portrait {
namespace {

using FloatRow = absl::InlinedVector<float, 32>;

FloatRow AsFloats(absl::Span<const double> row) {
  FloatRow out;
  for (const double value : row) out.push_back(static_cast<float>(value));
  return out;
}

uint32_t NextOf(const TreeNode& node, absl::Span<const float> row) {
  const float value = row[node.feature];
  if (std::isnan(value)) return node.missing_left ? node.left : node.right;
  return value < node.threshold ? node.left : node.right;
}

// ---- Checks

std::string WrongInnerNode(const TreeNode& node, size_t place, size_t nodes, size_t features) {
  for (const uint32_t child : {node.left, node.right}) {
    if (child > place && child < nodes) continue;
    return absl::StrCat("a child must be one of the nodes ", place + 1, " to ", nodes - 1, ": ", child);
  }
  if (node.left == node.right) return absl::StrCat("both children are the node ", node.left);
  if (node.feature >= features) {
    return absl::StrCat("feature must be from 0 to ", features - 1, ": ", node.feature);
  }
  if (!std::isfinite(node.threshold)) return absl::StrCat("threshold must be a finite number: ", node.threshold);
  return {};
}

std::string WrongLeaf(const TreeNode& node) {
  if (node.right != 0) return absl::StrCat("it has a right child and no left one: ", node.right);
  if (!(std::abs(node.value) <= BoostedTrees::kMostValue)) {
    return absl::StrCat("value must be a number from ", -BoostedTrees::kMostValue, " to ", BoostedTrees::kMostValue,
                        ": ", node.value);
  }
  if (!(node.cover > 0 && node.cover <= 1e15)) {
    return absl::StrCat("cover must be a number above 0, at most 1e15: ", node.cover);
  }
  return {};
}

// With children behind their parents, and each node the child of one, there is no cycle, and nothing out of reach.
absl::Status CheckTree(const Tree& tree, size_t number, size_t features) {
  const auto wrong = [&](const std::string& what) {
    return absl::InvalidArgumentError(absl::StrCat("tree ", number, ": ", what));
  };
  if (tree.empty() || tree.size() > BoostedTrees::kMostNodes) {
    return wrong(absl::StrCat("must have 1 to ", BoostedTrees::kMostNodes, " nodes: ", tree.size()));
  }
  std::array<size_t, BoostedTrees::kMostNodes> parents{}, depth{};
  for (size_t i = 0; i < tree.size(); ++i) {
    const TreeNode& node = tree[i];
    const auto wrong_node = [&](const std::string& what) { return wrong(absl::StrCat("node ", i, ": ", what)); };
    if (i > 0 && parents[i] != 1) {
      return wrong_node(absl::StrCat("must be the child of one node, of ", parents[i], " it is"));
    }
    if (depth[i] > BoostedTrees::kMostDepth) {
      return wrong_node(absl::StrCat("a tree may be ", BoostedTrees::kMostDepth, " deep: ", depth[i]));
    }
    const std::string what = node.leaf() ? WrongLeaf(node) : WrongInnerNode(node, i, tree.size(), features);
    if (!what.empty()) return wrong_node(what);
    if (node.leaf()) continue;
    for (const uint32_t child : {node.left, node.right}) ++parents[child], depth[child] = depth[i] + 1;
  }
  return absl::OkStatus();
}

// ---- Shapley values

// A feature on the way to a leaf: the share of the examples that take this way, were it not known, and whether the row
// takes it.
struct Step {
  uint32_t feature = 0;
  double share = 1;
  bool taken = true;
};
using Path = absl::InlinedVector<Step, BoostedTrees::kMostDepth>;

// [n][k] is k! (n - 1 - k)! / n!: in what share of all orders of n features k given ones stand before another given
// one, and no others do.
constexpr size_t kLongestPath = BoostedTrees::kMostDepth;
constexpr auto kOrderShares = [] {
  std::array<std::array<double, kLongestPath>, kLongestPath + 1> shares{};
  for (size_t n = 1; n <= kLongestPath; ++n) {
    shares[n][0] = 1 / static_cast<double>(n);
    for (size_t k = 1; k < n; ++k)
      shares[n][k] = shares[n][k - 1] * static_cast<double>(k) / static_cast<double>(n - k);
  }
  return shares;
}();

// The mean over all orders in which features become known of the product over the others of `path`: of one that is
// known, whether it is taken; of one that is not, its share. coefficients[k] sums the sets of k known ones.
double MeanOfOthers(const Path& path, size_t without) {
  std::array<double, kLongestPath> coefficients{1};
  size_t degree = 0;
  for (size_t i = 0; i < path.size(); ++i) {
    if (i == without) continue;
    ++degree;
    for (size_t k = degree; k > 0; --k) {
      coefficients[k] = coefficients[k] * path[i].share + (path[i].taken ? coefficients[k - 1] : 0);
    }
    coefficients[0] *= path[i].share;
  }
  double mean = 0;
  for (size_t k = 0; k <= degree; ++k) mean += kOrderShares[path.size()][k] * coefficients[k];
  return mean;
}

// Of all leaves at or below a node.
void AddLeaves(absl::Span<const TreeNode> tree, uint32_t at, absl::Span<const float> row, const Path& path,
               absl::Span<double> out) {
  const TreeNode& node = tree[at];
  if (node.leaf()) {
    for (size_t i = 0; i < path.size(); ++i) {
      out[path[i].feature] += node.value * ((path[i].taken ? 1 : 0) - path[i].share) * MeanOfOthers(path, i);
    }
    return;
  }
  const uint32_t next = NextOf(node, row);
  for (const uint32_t child : {node.left, node.right}) {
    Path longer = path;
    auto step = std::find_if(longer.begin(), longer.end(), [&](const Step& s) { return s.feature == node.feature; });
    if (step == longer.end()) step = longer.insert(longer.end(), {.feature = node.feature});
    step->share *= tree[child].cover / node.cover;
    step->taken = step->taken && child == next;
    AddLeaves(tree, child, row, longer, out);
  }
}

}  // namespace

absl::StatusOr<BoostedTrees> BoostedTrees::Of(const std::vector<Tree>& trees, size_t features) {
  if (trees.empty() || trees.size() > kMostTrees) {
    return absl::InvalidArgumentError(absl::StrCat("must be 1 to ", kMostTrees, " trees: ", trees.size()));
  }
  BoostedTrees out;
  for (size_t number = 0; number < trees.size(); ++number) {
    if (absl::Status s = CheckTree(trees[number], number, features); !s.ok()) return s;
    Tree tree = trees[number];
    std::vector<double> mean(tree.size());
    for (size_t i = tree.size(); i-- > 0;) {
      TreeNode& node = tree[i];
      mean[i] = node.value;
      if (node.leaf()) continue;
      const double left = tree[node.left].cover, right = tree[node.right].cover;
      node.cover = left + right;
      node.value = 0;
      mean[i] = (left * mean[node.left] + right * mean[node.right]) / node.cover;
    }
    out.expected_ += mean[0];
    out.trees_.push_back({out.nodes_.size(), tree.size()});
    out.nodes_.insert(out.nodes_.end(), tree.begin(), tree.end());
  }
  return out;
}

absl::Span<const TreeNode> BoostedTrees::nodes(size_t tree) const {
  return absl::MakeConstSpan(nodes_).subspan(trees_[tree].first, trees_[tree].size);
}

double BoostedTrees::ScoreOf(size_t tree, absl::Span<const float> row) const {
  const TreeNode* const root = nodes_.data() + trees_[tree].first;
  const TreeNode* node = root;
  while (!node->leaf()) node = root + NextOf(*node, row);
  return node->value;
}

double BoostedTrees::Score(absl::Span<const double> row, size_t trees) const {
  const FloatRow values = AsFloats(row);
  double score = 0;
  for (size_t i = 0; i < trees; ++i) score += ScoreOf(i, values);
  return score;
}

void BoostedTrees::AddContributions(absl::Span<const double> row, absl::Span<double> out) const {
  const FloatRow values = AsFloats(row);
  for (size_t i = 0; i < size(); ++i) AddLeaves(nodes(i), 0, values, {}, out);
}

std::vector<float> BoostedTrees::ThresholdsOf(size_t feature) const {
  std::vector<float> out;
  for (const TreeNode& node : nodes_) {
    if (!node.leaf() && node.feature == feature) out.push_back(node.threshold);
  }
  std::sort(out.begin(), out.end());
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return out;
}

void BoostedTrees::Scale(double by) {
  for (TreeNode& node : nodes_) node.value *= by;
  expected_ *= by;
}

size_t BoostedTrees::depth() const {
  size_t deepest = 0;
  for (size_t i = 0; i < size(); ++i) {
    std::array<size_t, kMostNodes> depth{};
    const absl::Span<const TreeNode> tree = nodes(i);
    for (size_t k = 0; k < tree.size(); ++k) {
      deepest = std::max(deepest, depth[k]);
      if (!tree[k].leaf()) depth[tree[k].left] = depth[tree[k].right] = depth[k] + 1;
    }
  }
  return deepest;
}

}  // namespace portrait
