#include "pipeline/tools/churn_training.h"

#include <algorithm>
#include <catch2/catch_approx.hpp>
#include <catch2/catch_test_macros.hpp>
#include <cmath>
#include <random>
#include <string>

#include "absl/strings/str_cat.h"
#include "operators/churn_model.h"
#include "operators/time.h"
#include "pipeline/config/model_file.h"
#include "pipeline/tools/judged_segments.h"
#include "pipeline/tools/model_card.h"

namespace portrait {
namespace {

using Catch::Approx;

constexpr int kHorizon = 30;

struct World {
  double of_mails = 0;  // what an opened mail does to the log-odds of no order, beyond what was said
  double off = 0;       // by how much what is said is too high
  int customers = 300, snapshots = 10, every = 15;
};

// Snapshots of customers whose true log-odds are population + of_mails * (mails - 1); the model in force said
// population.
std::vector<v1::ChurnExample> Happened(const World& world, uint32_t seed = 1) {
  std::mt19937 random(seed);
  std::vector<v1::ChurnExample> out;
  for (int customer = 0; customer < world.customers; ++customer) {
    const double population = std::normal_distribution<>(0, 1)(random);
    for (int k = 0; k < world.snapshots; ++k) {
      const int mails = std::poisson_distribution<>(1)(random);
      v1::ChurnExample one;
      one.mutable_info()->set_customer_id(absl::StrCat("c", customer));
      one.set_origin_us(ToMicros(Timestamp(days(20'000 + k * world.every)) + minutes(customer)));
      one.set_horizon_days(kHorizon);
      const auto add = [&](const char* name, double value) {
        auto& feature = *one.add_features();
        feature.set_name(name), feature.set_value(value);
      };
      add("population.log_odds", population + world.off);
      add("purchases.occasions", 1 + customer % 3);
      add("purchases.first", 100 + k), add("purchases.last", customer % 120);
      add("email.opened_30d", mails);
      one.set_probability(FromLogOdds(population + world.off));
      one.set_model("mbg_nbd/cdnow");
      const double truth = FromLogOdds(population + world.of_mails * (mails - 1));
      one.set_no_order(std::bernoulli_distribution(truth)(random));
      one.set_spend_micros(one.no_order() ? 0 : 20'000'000);
      out.push_back(std::move(one));
    }
  }
  return out;
}

absl::StatusOr<TrainedChurn> Trained(const std::vector<v1::ChurnExample>& examples) {
  ChurnTraining training;
  for (const auto& one : examples) training.Add(one);
  return training.Train();
}

std::string WhyNot(const std::vector<v1::ChurnExample>& examples) {
  return std::string(Trained(examples).status().message());
}

double WeightOf(const v1::LearnedChurnFit& fit, const std::string& name) {
  for (const auto& feature : fit.features()) {
    if (feature.name() == name) return feature.weight();
  }
  FAIL("no such feature: " << name);
  return 0;
}

TEST_CASE("what the population model does not know is learned, and judged better", "[churn_training]") {
  const auto trained = Trained(Happened({.of_mails = -1.2, .customers = 1000}));
  REQUIRE(trained.ok());
  INFO(trained->fit.DebugString());
  CHECK(trained->better);
  CHECK(WeightOf(trained->fit, "email.opened_30d") < -0.3);
  CHECK(WeightOf(trained->fit, "population.log_odds") > 0.3);
  const v1::LearnedCard& card = trained->fit.card();
  CHECK(card.examples() == 10'000);
  CHECK(card.customers() == 1000);
  const auto* learned = JudgedOnAll(card.judged(), "learned");
  const auto* said = JudgedOnAll(card.judged(), "said");
  REQUIRE((learned != nullptr && said != nullptr));
  CHECK(learned->customers() == said->customers());
  CHECK(learned->without_order() == said->without_order());
  CHECK(learned->brier() < said->brier() - 0.01);
  CHECK(learned->auc() > said->auc() + 0.02);
  CHECK(learned->calibration_error() < 0.05);
  CHECK(card.judged_size() == 8);  // four segments
}

TEST_CASE("what is said at the wrong level is set right", "[churn_training]") {
  const auto trained = Trained(Happened({.off = 1.5}));
  REQUIRE(trained.ok());
  const auto* learned = JudgedOnAll(trained->fit.card().judged(), "learned");
  const auto* said = JudgedOnAll(trained->fit.card().judged(), "said");
  CHECK(learned->calibration_error() < said->calibration_error() / 3);
  CHECK(learned->brier() < said->brier());
}

TEST_CASE("a model that learned nothing new is not better than the truth", "[churn_training]") {
  int better = 0;
  for (uint32_t seed = 1; seed <= 5; ++seed) better += Trained(Happened({}, seed))->better ? 1 : 0;
  CHECK(better <= 1);
}

TEST_CASE("a model is judged on snapshots of the latest horizon, by what had closed before", "[churn_training]") {
  // Until the last horizon mails mean the opposite: a model that saw the last labels would know.
  auto early = Happened({.of_mails = -2});
  const auto late = Happened({.of_mails = 2}, 2);
  const int64_t turn = ToMicros(Timestamp(days(20'000 + 7 * 15)));
  std::erase_if(early, [&](const auto& one) { return one.origin_us() >= turn; });
  for (const auto& one : late) {
    if (one.origin_us() >= turn) early.push_back(one);
  }
  const auto trained = Trained(early);
  REQUIRE(trained.ok());
  CHECK_FALSE(trained->better);
  const auto* learned = JudgedOnAll(trained->fit.card().judged(), "learned");
  const auto* said = JudgedOnAll(trained->fit.card().judged(), "said");
  CHECK(learned->auc() < said->auc());
}

TEST_CASE("neither the order of examples nor repeats of them matter", "[churn_training]") {
  auto examples = Happened({.of_mails = -1});
  const std::string first = Trained(examples)->fit.SerializeAsString();
  std::shuffle(examples.begin(), examples.end(), std::mt19937(3));
  examples.insert(examples.end(), examples.begin(), examples.begin() + 500);
  CHECK(Trained(examples)->fit.SerializeAsString() == first);
}

TEST_CASE("too little to learn from is refused, with what there is", "[churn_training]") {
  CHECK(WhyNot({}) == "too few closed examples: 0, at least 200 are needed");
  CHECK(WhyNot(Happened({.customers = 19})) == "too few closed examples: 190, at least 200 are needed");
  auto all = Happened({});
  for (auto& one : all) one.set_no_order(true);
  CHECK(WhyNot(all) == "all 3000 examples have one label: no customer ordered within the horizon");
  for (auto& one : all) one.set_no_order(false);
  CHECK(WhyNot(all) == "all 3000 examples have one label: every customer ordered within the horizon");
  CHECK(WhyNot(Happened({.snapshots = 2})).starts_with("there is no closed window to judge a model on: "));
}

TEST_CASE("examples of other features or another horizon than the latest are left out", "[churn_training]") {
  auto examples = Happened({.of_mails = -1});
  for (size_t i = 0; i < 300; ++i) examples[i * 10].set_horizon_days(60);
  ChurnTraining training;
  for (const auto& one : examples) training.Add(one);
  REQUIRE(training.Train().ok());
  CHECK(training.left_out() == 300);
  CHECK(training.size() == 2700);
}

TEST_CASE("a learned model survives its file, and the file shows its card", "[churn_training]") {
  v1::ModelFile file = BuiltInModels();
  *file.mutable_learned() = Trained(Happened({.of_mails = -1}))->fit;
  const auto read = ParseModelFile(ModelFileText(file).value());
  REQUIRE(read.ok());
  CHECK(read->learned().SerializeAsString() == file.learned().SerializeAsString());
  const FittedModels models = ModelsOf(*read);
  REQUIRE(models.learned.has_value());
  CHECK(models.learned->horizon_days == kHorizon);
  CHECK(FitOf(*models.learned).features_size() == file.learned().features_size());
  CHECK(models.learned->model.weight[4] == file.learned().features(4).weight());
  const std::string shown = ModelFileReport(*read);
  INFO(shown);
  CHECK(shown.find("learned churn, version 1: no order within 30 days, of 3000 examples of 300 customers") !=
        std::string::npos);
  CHECK(shown.find("email.opened_30d") != std::string::npos);
  CHECK(shown.find("calibration of learned: predicted and come") != std::string::npos);
}

}  // namespace
}  // namespace portrait
