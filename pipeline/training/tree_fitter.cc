#include "pipeline/training/tree_fitter.h"

#include <cmath>
#include <limits>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "xgboost/c_api.h"

namespace portrait {
namespace {

using Json = nlohmann::json;

absl::Status Done(int result, const char* what) {
  if (result == 0) return absl::OkStatus();
  const std::string why = XGBGetLastError();
  return absl::InvalidArgumentError(absl::StrCat("XGBoost cannot ", what, ": ", why.substr(0, why.find('\n'))));
}

struct FreeMatrix {
  void operator()(void* handle) const { XGDMatrixFree(handle); }
};
struct FreeBooster {
  void operator()(void* handle) const { XGBoosterFree(handle); }
};
using Matrix = std::unique_ptr<void, FreeMatrix>;
using Booster = std::unique_ptr<void, FreeBooster>;

absl::StatusOr<Matrix> MatrixOf(const Examples& examples) {
  const auto as_floats = [](const std::vector<double>& numbers) {
    return std::vector<float>(numbers.begin(), numbers.end());
  };
  const std::vector<float> values = as_floats(examples.values), labels = as_floats(examples.labels),
                           offsets = as_floats(examples.offsets);
  DMatrixHandle handle = nullptr;
  absl::Status status = Done(XGDMatrixCreateFromMat(values.data(), examples.size(), examples.features,
                                                    std::numeric_limits<float>::quiet_NaN(), &handle),
                             "take the examples");
  if (!status.ok()) return status;
  Matrix matrix(handle);
  status.Update(Done(XGDMatrixSetFloatInfo(handle, "label", labels.data(), labels.size()), "take the labels"));
  status.Update(Done(XGDMatrixSetFloatInfo(handle, "base_margin", offsets.data(), offsets.size()), "take the offsets"));
  if (!status.ok()) return status;
  return matrix;
}

absl::StatusOr<Booster> BoosterOf(const Matrix& matrix, const BoostingOptions& options) {
  const DMatrixHandle data = matrix.get();
  BoosterHandle handle = nullptr;
  if (absl::Status s = Done(XGBoosterCreate(&data, 1, &handle), "begin"); !s.ok()) return s;
  Booster booster(handle);
  const std::pair<const char*, std::string> parameters[] = {
      {"verbosity", "0"},
      {"nthread", "1"},
      {"seed", "1"},
      {"booster", "gbtree"},
      {"objective", "binary:logistic"},
      {"base_score", "0.5"},
      {"tree_method", "hist"},
      {"max_depth", absl::StrCat(options.depth)},
      {"eta", absl::StrCat(options.rate)},
      {"lambda", absl::StrCat(options.ridge)},
      {"min_child_weight", absl::StrCat(options.least_cover)},
  };
  for (const auto& [name, value] : parameters) {
    if (absl::Status s = Done(XGBoosterSetParam(handle, name, value.c_str()), name); !s.ok()) return s;
  }
  for (int round = 0; round < options.rounds; ++round) {
    if (absl::Status s = Done(XGBoosterUpdateOneIter(handle, round, data), "add a tree"); !s.ok()) return s;
  }
  return booster;
}

// XGBoost numbers children behind their parents; a leaf has -1.
Tree TreeOf(const Json& told, std::vector<double>& gain) {
  const auto left = told.at("left_children").get<std::vector<int>>();
  const auto right = told.at("right_children").get<std::vector<int>>();
  const auto feature = told.at("split_indices").get<std::vector<uint32_t>>();
  const auto condition = told.at("split_conditions").get<std::vector<double>>();
  const auto missing_left = told.at("default_left").get<std::vector<int>>();
  const auto cover = told.at("sum_hessian").get<std::vector<double>>();
  const auto gains = told.at("loss_changes").get<std::vector<double>>();
  Tree tree(left.size());
  for (size_t i = 0; i < tree.size(); ++i) {
    TreeNode& node = tree[i];
    if (left.at(i) < 0) {
      node.value = condition.at(i), node.cover = cover.at(i);
      continue;
    }
    node.left = static_cast<uint32_t>(left.at(i)), node.right = static_cast<uint32_t>(right.at(i));
    node.feature = feature.at(i);
    node.threshold = static_cast<float>(condition.at(i));
    node.missing_left = missing_left.at(i) != 0;
    gain.at(node.feature) += gains.at(i);
  }
  return tree;
}

}  // namespace

absl::StatusOr<FittedTrees> FitTrees(const Examples& examples, const BoostingOptions& options) {
  if (examples.size() == 0) return absl::InvalidArgumentError("there are no examples to learn from");
  const auto matrix = MatrixOf(examples);
  if (!matrix.ok()) return matrix.status();
  const auto booster = BoosterOf(*matrix, options);
  if (!booster.ok()) return booster.status();
  bst_ulong length = 0;
  const char* text = nullptr;
  const absl::Status saved =
      Done(XGBoosterSaveModelToBuffer(booster->get(), R"({"format": "json"})", &length, &text), "tell what it learned");
  if (!saved.ok()) return saved;
  return TreesOfXgboost({text, length}, examples.features);
}

absl::StatusOr<FittedTrees> TreesOfXgboost(std::string_view json, size_t features) {
  FittedTrees out;
  out.gain.assign(features, 0);
  std::vector<Tree> list;
  try {
    const Json model = Json::parse(json);
    for (const Json& told : model.at("learner").at("gradient_booster").at("model").at("trees")) {
      list.push_back(TreeOf(told, out.gain));
    }
  } catch (const std::exception& error) {  // of another release: fields are named otherwise
    return absl::InternalError(absl::StrCat("what XGBoost has learned cannot be read: ", error.what()));
  }
  auto trees = BoostedTrees::Of(list, features);
  if (!trees.ok()) return absl::InternalError(absl::StrCat("XGBoost: ", trees.status().message()));
  out.trees = *std::move(trees);
  return out;
}

}  // namespace portrait
