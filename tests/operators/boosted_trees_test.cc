#include "operators/models/boosted_trees.h"

#include <catch2/catch_approx.hpp>
#include <catch2/catch_test_macros.hpp>
#include <functional>
#include <numeric>
#include <string>

#include "tests/operators/random_trees.h"

namespace portrait {
namespace {

using Catch::Approx;

// What the trees say when only the features of the set `known` are: of others the mean of both branches.
double Value(const BoostedTrees& trees, const std::vector<double>& row, uint32_t known) {
  double sum = 0;
  for (size_t t = 0; t < trees.size(); ++t) {
    const auto nodes = trees.nodes(t);
    const std::function<double(uint32_t)> at = [&](uint32_t i) -> double {
      const TreeNode& node = nodes[i];
      if (node.leaf()) return node.value;
      if (((known >> node.feature) & 1) == 0) {
        const double left = nodes[node.left].cover, right = nodes[node.right].cover;
        return (left * at(node.left) + right * at(node.right)) / (left + right);
      }
      const auto value = static_cast<float>(row[node.feature]);
      const bool goes_left = std::isnan(value) ? node.missing_left : value < node.threshold;
      return at(goes_left ? node.left : node.right);
    };
    sum += at(0);
  }
  return sum;
}

// Shapley values by their definition: over all sets of the other features.
double Shapley(const BoostedTrees& trees, const std::vector<double>& row, uint32_t feature) {
  const auto n = static_cast<int>(row.size());
  double sum = 0;
  for (uint32_t set = 0; set < (1U << n); ++set) {
    if ((set >> feature) & 1) continue;
    const int k = __builtin_popcount(set);
    const double weight = std::tgamma(k + 1) * std::tgamma(n - k) / std::tgamma(n + 1);
    sum += weight * (Value(trees, row, set | (1U << feature)) - Value(trees, row, set));
  }
  return sum;
}

BoostedTrees RandomTrees(std::mt19937& random, size_t trees, uint32_t features, int depth) {
  std::vector<Tree> list;
  for (size_t i = 0; i < trees; ++i) list.push_back(RandomTree(random, features, depth));
  return BoostedTrees::Of(list, features).value();
}

std::vector<double> ContributionsOf(const BoostedTrees& trees, const std::vector<double>& row) {
  std::vector<double> out(row.size());
  trees.AddContributions(row, absl::MakeSpan(out));
  return out;
}

TEST_CASE("contributions of trees are Shapley values over all subsets of the features", "[boosted_trees]") {
  std::mt19937 random(3);
  for (int round = 0; round < 60; ++round) {
    const auto features = static_cast<uint32_t>(2 + round % 5);  // few: they come twice and more on one path
    const BoostedTrees trees = RandomTrees(random, 3, features, 1 + round % 5);
    const std::vector<double> row = RandomRow(random, features);
    const std::vector<double> told = ContributionsOf(trees, row);
    CHECK(trees.Score(row) == Approx(Value(trees, row, (1U << features) - 1)).margin(1e-12));
    CHECK(trees.expected() == Approx(Value(trees, row, 0)).margin(1e-12));
    for (uint32_t i = 0; i < features; ++i) CHECK(told[i] == Approx(Shapley(trees, row, i)).margin(1e-10));
  }
}

TEST_CASE("what is expected of trees and the contributions add up to the score", "[boosted_trees]") {
  std::mt19937 random(4);
  const BoostedTrees trees = RandomTrees(random, 200, 25, 6);
  for (int i = 0; i < 300; ++i) {
    const std::vector<double> row = RandomRow(random, 25);
    const std::vector<double> told = ContributionsOf(trees, row);
    CHECK(std::abs(trees.expected() + std::accumulate(told.begin(), told.end(), 0.0) - trees.Score(row)) < 1e-9);
  }
}

TEST_CASE("a value below the threshold as a float goes left, and one that is missing where the node says",
          "[boosted_trees]") {
  TreeNode root = InnerOf(0, 0.1F, 1, 2);
  const auto trees = [&] { return BoostedTrees::Of({{root, LeafOf(-1), LeafOf(1)}}, 1).value(); };
  CHECK(trees().Score(std::vector<double>{0.1}) == 1);  // the float of it is the threshold
  CHECK(trees().Score(std::vector<double>{0.1 + 1e-12}) == 1);
  CHECK(trees().Score(std::vector<double>{0.0999}) == -1);
  CHECK(trees().Score(std::vector<double>{NAN}) == 1);
  root.missing_left = true;
  CHECK(trees().Score(std::vector<double>{NAN}) == -1);
}

TEST_CASE("scaled trees give scaled scores and contributions", "[boosted_trees]") {
  std::mt19937 random(5);
  BoostedTrees trees = RandomTrees(random, 9, 4, 3);
  const std::vector<double> row = RandomRow(random, 4);
  const double score = trees.Score(row), first = ContributionsOf(trees, row)[0], expected = trees.expected();
  trees.Scale(0.25);
  CHECK(trees.Score(row) == Approx(score / 4));
  CHECK(ContributionsOf(trees, row)[0] == Approx(first / 4));
  CHECK(trees.expected() == Approx(expected / 4));
}

TEST_CASE("thresholds of a feature are told rising, each once", "[boosted_trees]") {
  const Tree one{InnerOf(1, 2, 1, 2), LeafOf(0), InnerOf(0, 5, 3, 4), LeafOf(1), LeafOf(2)};
  const Tree other{InnerOf(1, -1, 1, 2), InnerOf(1, 2, 3, 4), LeafOf(0), LeafOf(1), LeafOf(2)};
  const BoostedTrees trees = BoostedTrees::Of({one, other, {LeafOf(3)}}, 2).value();
  CHECK(trees.ThresholdsOf(1) == std::vector<float>{-1, 2});
  CHECK(trees.ThresholdsOf(0) == std::vector<float>{5});
  CHECK(trees.depth() == 2);
  CHECK(trees.size() == 3);
}

TEST_CASE("what is no tree is refused, with the tree and the node", "[boosted_trees]") {
  const Tree good{InnerOf(0, 1, 1, 2), LeafOf(0), LeafOf(1)};
  const auto wrong = [&](const std::function<void(Tree&)>& change) {
    Tree tree = good;
    change(tree);
    return std::string(BoostedTrees::Of({good, tree}, 2).status().message());
  };
  CHECK(wrong([](Tree&) {}).empty());
  CHECK(wrong([](Tree& t) { t.clear(); }) == "tree 1: must have 1 to 127 nodes: 0");
  CHECK(wrong([](Tree& t) { t[0].left = 3; }) == "tree 1: node 0: a child must be one of the nodes 1 to 2: 3");
  CHECK(wrong([](Tree& t) { t[0].right = 0; }) == "tree 1: node 0: a child must be one of the nodes 1 to 2: 0");
  CHECK(wrong([](Tree& t) { t[1] = InnerOf(0, 1, 1, 2); }) ==
        "tree 1: node 1: a child must be one of the nodes 2 to 2: 1");
  CHECK(wrong([](Tree& t) { t[0].right = 1; }) == "tree 1: node 0: both children are the node 1");
  CHECK(wrong([](Tree& t) { t.push_back(LeafOf(1)); }) == "tree 1: node 3: must be the child of one node, of 0 it is");
  CHECK(wrong([](Tree& t) {
          t = {InnerOf(0, 1, 1, 2), InnerOf(0, 1, 3, 4), InnerOf(0, 1, 4, 5), LeafOf(0), LeafOf(0), LeafOf(0)};
        }) == "tree 1: node 4: must be the child of one node, of 2 it is");
  CHECK(wrong([](Tree& t) { t[0].feature = 2; }) == "tree 1: node 0: feature must be from 0 to 1: 2");
  CHECK(wrong([](Tree& t) { t[0].threshold = INFINITY; }) == "tree 1: node 0: threshold must be a finite number: inf");
  CHECK(wrong([](Tree& t) { t[2].value = NAN; }) == "tree 1: node 2: value must be a number from -100 to 100: nan");
  CHECK(wrong([](Tree& t) { t[2].cover = 0; }) == "tree 1: node 2: cover must be a number above 0, at most 1e15: 0");
  CHECK(wrong([](Tree& t) { t[2].right = 1; }) == "tree 1: node 2: it has a right child and no left one: 1");
  CHECK(BoostedTrees::Of({}, 2).status().message() == "must be 1 to 300 trees: 0");
  CHECK(wrong([](Tree& t) {
          t.clear();
          for (uint32_t i = 0; i < 7; ++i) {
            t.push_back(InnerOf(0, 1, 2 * i + 1, 2 * i + 2));
            t.push_back(LeafOf(0));
          }
          t.push_back(LeafOf(0));
        }).find("deep: 7") != std::string::npos);
}

}  // namespace
}  // namespace portrait
