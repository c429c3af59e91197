#include "operators/models/linear_model.h"

#include <catch2/catch_approx.hpp>
#include <catch2/catch_test_macros.hpp>
#include <cmath>
#include <random>

namespace portrait {
namespace {

using Catch::Approx;

TEST_CASE("a logistic regression finds the weights that labels were made with", "[linear_model]") {
  std::mt19937_64 random(1);
  std::normal_distribution<> normal;
  std::uniform_real_distribution<> chance;
  Examples examples{.features = 3};
  for (int i = 0; i < 40'000; ++i) {
    const double a = normal(random), b = 100 + 10 * normal(random), offset = 0.5 * normal(random);
    const double score = -0.5 + 1.2 * a - 0.08 * (b - 100) + offset;
    examples.Add({a, b, 7.0}, chance(random) < 1 / (1 + std::exp(-score)) ? 1 : 0, offset);
  }
  const auto model = FitLinear(examples, {.link = Link::kLogit});
  REQUIRE(model.ok());
  CHECK(model->intercept == Approx(-0.5).margin(0.06));
  CHECK(model->weight[0] / model->spread[0] == Approx(1.2).margin(0.06));
  CHECK(model->weight[1] / model->spread[1] == Approx(-0.08).margin(0.006));
  CHECK(model->Contribution(2, 123) == 0);  // what was always the same tells nothing
  const double row[] = {0.3, 110, 7};
  double sum = model->intercept;
  for (size_t i = 0; i < 3; ++i) sum += model->Contribution(i, row[i]);
  CHECK(sum == model->Score(row));
}

TEST_CASE("a mean keeps its total, in any unit", "[linear_model]") {
  std::mt19937_64 random(2);
  for (const double unit : {1.0, 1e-6, 1e9}) {
    Examples examples{.features = 1};
    double total = 0;
    for (int i = 0; i < 2000; ++i) {
      const double x = i % 10, spend = unit * std::gamma_distribution<>(0.3, std::exp(0.2 * x))(random);
      examples.Add({x}, spend, std::log(unit));
      total += spend;
    }
    const auto model = FitLinear(examples, {.link = Link::kLog, .ridge = 0.1});
    REQUIRE(model.ok());
    double predicted = 0;
    for (size_t i = 0; i < examples.size(); ++i) predicted += unit * std::exp(model->Score(examples.Row(i)));
    CHECK(predicted == Approx(total).epsilon(1e-4));
    CHECK(model->weight[0] / model->spread[0] == Approx(0.2).margin(0.06));
  }
}

TEST_CASE("a median is not drawn off by a few", "[linear_model]") {
  Examples examples{.features = 1};
  for (int i = 0; i < 300; ++i) {
    const double x = i % 20;
    examples.Add({x}, i % 10 == 0 ? 5000 : 10 + 2 * x);
  }
  const auto model = FitLinear(examples, {.link = Link::kMedian, .ridge = 0.001});
  REQUIRE(model.ok());
  for (const double x : {1.0, 10.0, 19.0}) CHECK(model->Score({x}) == Approx(10 + 2 * x).margin(2));
}

TEST_CASE("an amount of 10^12 decides nothing", "[linear_model]") {
  Examples examples{.features = 1};
  for (int i = 0; i < 1000; ++i) examples.Add({i % 2 + 0.0}, i % 2);
  examples.Add({1e12}, 0);
  const auto model = FitLinear(examples, {.link = Link::kLogit});
  REQUIRE(model.ok());
  CHECK(std::abs(model->Score({1e15})) < 50);
}

TEST_CASE("what cannot be learned from is refused", "[linear_model]") {
  Examples examples{.features = 1};
  CHECK(FitLinear(examples, {}).status().message() == "there are no examples to learn from");
  examples.Add({1.0}, 1);
  examples.Add({2.0}, 1);
  CHECK(FitLinear(examples, {}).status().message() == "all examples have the same label: 1");
  examples.Add({NAN}, 0);
  CHECK(FitLinear(examples, {}).status().message() == "a feature is not finite: nan");
  Examples bad{.features = 1};
  bad.Add({1.0}, -1);
  CHECK(FitLinear(bad, {.link = Link::kLog}).status().message() == "a label is out of range: -1");
}

}  // namespace
}  // namespace portrait
