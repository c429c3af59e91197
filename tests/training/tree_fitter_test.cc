#include "pipeline/training/tree_fitter.h"

#include <catch2/catch_approx.hpp>
#include <catch2/catch_test_macros.hpp>
#include <cmath>
#include <limits>
#include <random>
#include <string>

#include "operators/churn_model.h"
#include "xgboost/c_api.h"

namespace portrait {
namespace {

using Catch::Approx;

constexpr size_t kFeatures = 8;

void Must(int result) {
  INFO(XGBGetLastError());
  REQUIRE(result == 0);
}

// A label that hangs on two features together, another one alone, and chance; one value in ten is missing if `gaps`.
Examples Drawn(size_t n, uint32_t seed, bool gaps) {
  std::mt19937 random(seed);
  Examples out{.features = kFeatures};
  for (size_t i = 0; i < n; ++i) {
    std::vector<double> row;
    for (size_t k = 0; k < kFeatures; ++k) row.push_back(std::normal_distribution<>(0, 1)(random));
    const double score = 2 * ((row[0] > 0) == (row[1] > 0.3) ? 1 : -1) + row[2];
    if (gaps) {
      for (double& value : row) value = random() % 10 == 0 ? NAN : value;
    }
    out.Add(row, std::bernoulli_distribution(FromLogOdds(score))(random) ? 1 : 0);
  }
  return out;
}

// A model of XGBoost itself, told as it tells it.
class Xgboost {
 public:
  Xgboost(const Examples& examples, const std::vector<std::pair<const char*, const char*>>& parameters) {
    const std::vector<float> values(examples.values.begin(), examples.values.end());
    const std::vector<float> labels(examples.labels.begin(), examples.labels.end());
    Must(XGDMatrixCreateFromMat(values.data(), examples.size(), kFeatures, std::numeric_limits<float>::quiet_NaN(),
                                &data_));
    Must(XGDMatrixSetFloatInfo(data_, "label", labels.data(), labels.size()));
    Must(XGBoosterCreate(&data_, 1, &model_));
    for (const auto& [name, value] : parameters) Must(XGBoosterSetParam(model_, name, value));
    for (int round = 0; round < 40; ++round) Must(XGBoosterUpdateOneIter(model_, round, data_));
  }
  ~Xgboost() { XGBoosterFree(model_), XGDMatrixFree(data_); }
  Xgboost(const Xgboost&) = delete;
  Xgboost& operator=(const Xgboost&) = delete;

  std::string Saved() const {
    bst_ulong length = 0;
    const char* text = nullptr;
    Must(XGBoosterSaveModelToBuffer(model_, R"({"format": "json"})", &length, &text));
    return {text, length};
  }
  // Type 1: log-odds; 2: contributions of all features, then of what stands before them.
  std::vector<float> Predicted(int type) const {
    const std::string config =
        R"({"type": )" + std::to_string(type) +
        R"(, "training": false, "iteration_begin": 0, "iteration_end": 0, "strict_shape": true})";
    bst_ulong const* shape = nullptr;
    bst_ulong dimensions = 0;
    const float* out = nullptr;
    Must(XGBoosterPredictFromDMatrix(model_, data_, config.c_str(), &shape, &dimensions, &out));
    size_t size = 1;
    for (bst_ulong i = 0; i < dimensions; ++i) size *= shape[i];
    return {out, out + size};
  }

 private:
  DMatrixHandle data_ = nullptr;
  BoosterHandle model_ = nullptr;
};

void Compare(const Examples& examples, const std::vector<std::pair<const char*, const char*>>& parameters) {
  const Xgboost xgboost(examples, parameters);
  const auto told = TreesOfXgboost(xgboost.Saved(), kFeatures);
  INFO(told.status().ToString());
  REQUIRE(told.ok());
  CHECK(told->trees.size() == 40);
  const std::vector<float> scores = xgboost.Predicted(1), contributions = xgboost.Predicted(2);
  REQUIRE(scores.size() == examples.size());
  REQUIRE(contributions.size() == examples.size() * (kFeatures + 1));
  double furthest = 0;
  for (size_t i = 0; i < examples.size(); ++i) {
    const absl::Span<const double> row = examples.Row(i);
    furthest = std::max(furthest, std::abs(told->trees.Score(row) - scores[i]));
    std::vector<double> parts(kFeatures);
    told->trees.AddContributions(row, absl::MakeSpan(parts));
    parts.push_back(told->trees.expected());
    for (size_t k = 0; k <= kFeatures; ++k) {
      furthest = std::max(furthest, std::abs(parts[k] - contributions[i * (kFeatures + 1) + k]));
    }
  }
  CHECK(furthest < 1e-5);
  CHECK(*std::max_element(scores.begin(), scores.end()) > 1);  // they tell something
}

TEST_CASE("scores and contributions are those that XGBoost gives its trees, also of values that are missing",
          "[tree_fitter]") {
  Compare(Drawn(2000, 1, true), {{"objective", "binary:logistic"},
                                 {"base_score", "0.5"},
                                 {"nthread", "1"},
                                 {"tree_method", "hist"},
                                 {"max_depth", "3"},
                                 {"eta", "0.1"}});
  Compare(Drawn(2000, 2, true), {{"objective", "binary:logistic"},
                                 {"base_score", "0.5"},
                                 {"nthread", "1"},
                                 {"tree_method", "exact"},
                                 {"max_depth", "6"},
                                 {"eta", "0.3"}});
}

TEST_CASE("trees find what two features mean together only, and say by which", "[tree_fitter]") {
  const Examples known = Drawn(4000, 3, false), later = Drawn(2000, 4, false);
  const auto fitted = FitTrees(known, {.rounds = 60});
  REQUIRE(fitted.ok());
  CHECK(fitted->trees.size() == 60);
  CHECK(fitted->trees.depth() == 3);
  double right = 0;
  for (size_t i = 0; i < later.size(); ++i) {
    right += (fitted->trees.Score(later.Row(i)) > 0) == (later.labels[i] > 0) ? 1 : 0;
  }
  CHECK(right / static_cast<double>(later.size()) > 0.8);
  for (size_t k = 3; k < kFeatures; ++k) {
    for (size_t known_one = 0; known_one < 3; ++known_one) CHECK(fitted->gain[known_one] > 5 * fitted->gain[k]);
  }
}

TEST_CASE("the same examples give the same trees, and offsets are corrected, not learned again", "[tree_fitter]") {
  Examples examples = Drawn(2000, 5, false);
  const auto one = FitTrees(examples, {}), same = FitTrees(examples, {});
  for (size_t i = 0; i < 100; ++i) CHECK(one->trees.Score(examples.Row(i)) == same->trees.Score(examples.Row(i)));
  double before = 0, after = 0;
  for (size_t i = 0; i < examples.size(); ++i) {
    before += std::abs(one->trees.Score(examples.Row(i)));
    examples.offsets[i] = one->trees.Score(examples.Row(i));
  }
  const auto corrected = FitTrees(examples, {});
  for (size_t i = 0; i < examples.size(); ++i) after += std::abs(corrected->trees.Score(examples.Row(i)));
  CHECK(after < before / 2);
}

TEST_CASE("what XGBoost refuses, and what is no model of it, is said", "[tree_fitter]") {
  CHECK(FitTrees(Examples{.features = 2}, {}).status().message() == "there are no examples to learn from");
  const auto refused = FitTrees(Drawn(100, 6, false), {.depth = -1}).status();
  CHECK(refused.code() == absl::StatusCode::kInvalidArgument);
  CHECK(std::string(refused.message()).starts_with("XGBoost cannot "));
  CHECK(TreesOfXgboost("{}", 2).status().code() == absl::StatusCode::kInternal);
  CHECK(TreesOfXgboost("no JSON", 2).status().code() == absl::StatusCode::kInternal);
}

}  // namespace
}  // namespace portrait
