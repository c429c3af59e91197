// Trees and rows drawn at random, for tests.
#pragma once

#include <cmath>
#include <cstdint>
#include <random>
#include <vector>

#include "operators/models/boosted_trees.h"

namespace portrait {

inline double Drawn(std::mt19937& random, double from, double to) {
  return std::uniform_real_distribution<>(from, to)(random);
}

inline TreeNode LeafOf(double value, double cover = 1) {
  TreeNode leaf;
  leaf.value = value, leaf.cover = cover;
  return leaf;
}

inline TreeNode InnerOf(uint32_t feature, float threshold, uint32_t left, uint32_t right) {
  TreeNode node;
  node.feature = feature, node.threshold = threshold, node.left = left, node.right = right;
  return node;
}

// Up to `depth` deep; some branches end early.
inline Tree RandomTree(std::mt19937& random, uint32_t features, int depth) {
  Tree tree{TreeNode()};
  std::vector<int> left{depth};
  for (size_t i = 0; i < tree.size(); ++i) {
    const bool ends = left[i] == 0 || (left[i] < depth && random() % 5 == 0);
    if (ends) {
      tree[i] = LeafOf(Drawn(random, -1, 1), Drawn(random, 0.1, 50));
      continue;
    }
    const auto child = static_cast<uint32_t>(tree.size());
    tree[i] =
        InnerOf(static_cast<uint32_t>(random() % features), static_cast<float>(Drawn(random, -1, 1)), child, child + 1);
    tree[i].missing_left = random() % 2 == 0;
    tree.resize(tree.size() + 2);
    left.resize(tree.size(), left[i] - 1);
  }
  return tree;
}

inline std::vector<double> RandomRow(std::mt19937& random, size_t features, bool gaps = true) {
  std::vector<double> row;
  for (size_t i = 0; i < features; ++i) row.push_back(gaps && random() % 8 == 0 ? NAN : Drawn(random, -1.2, 1.2));
  return row;
}

}  // namespace portrait
