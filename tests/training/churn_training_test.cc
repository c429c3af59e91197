#include "pipeline/training/churn_training.h"

#include <algorithm>
#include <catch2/catch_approx.hpp>
#include <catch2/catch_test_macros.hpp>
#include <cmath>
#include <random>
#include <string>

#include "absl/strings/str_cat.h"
#include "operators/churn_model.h"
#include "operators/time.h"
#include "pipeline/config/learned_fit.h"
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
  double crossed = 0;   // what mails do to the log-odds, this way if the last order is long ago, the other way if not
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
      const double crossed = world.crossed * ((mails > 0) == (customer % 120 < 60) ? 1 : -1);
      const double truth = FromLogOdds(population + world.of_mails * (mails - 1) + crossed);
      one.set_no_order(std::bernoulli_distribution(truth)(random));
      one.set_spend_micros(one.no_order() ? 0 : 20'000'000);
      out.push_back(std::move(one));
    }
  }
  return out;
}

absl::StatusOr<TrainedChurn> Trained(const std::vector<v1::ChurnExample>& examples,
                                     const ChurnTrainingOptions& options = {}) {
  ChurnTraining training(options);
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
  const auto trained = Trained(Happened({.of_mails = -1.2, .customers = 1000}), {.trees = false});
  REQUIRE(trained.ok());
  INFO(trained->fit.DebugString());
  CHECK(trained->better);
  CHECK(trained->fit.card().model() == "regression");
  CHECK(WeightOf(trained->fit, "email.opened_30d") < -0.3);
  CHECK(WeightOf(trained->fit, "population.log_odds") > 0.3);
  const v1::LearnedCard& card = trained->fit.card();
  CHECK(card.examples() == 10'000);
  CHECK(card.customers() == 1000);
  const auto* learned = JudgedOnAll(card.judged(), "regression");
  const auto* said = JudgedOnAll(card.judged(), "said");
  REQUIRE((learned != nullptr && said != nullptr));
  CHECK(learned->customers() == said->customers());
  CHECK(learned->without_order() == said->without_order());
  CHECK(learned->brier() < said->brier() - 0.01);
  CHECK(learned->auc() > said->auc() + 0.02);
  CHECK(learned->calibration_error() < 0.05);
  CHECK(card.judged_size() == 8);  // four segments
  CHECK(learned->log_loss() < said->log_loss() - 0.02);
}

TEST_CASE("what two features mean together is learned by trees, which are written, then", "[churn_training]") {
  const auto examples = Happened({.crossed = 1.2, .customers = 600});
  const auto trained = Trained(examples);
  REQUIRE(trained.ok());
  CHECK(trained->better);
  const v1::LearnedCard& card = trained->fit.card();
  CHECK(card.model() == "trees");
  CHECK(card.no_trees_because().empty());
  CHECK(card.judged_size() == 12);  // four segments of three models
  CHECK(card.windows_size() == 2);
  CHECK(card.windows(0).judged_size() == 3);
  const auto* trees = JudgedOnAll(card.judged(), "trees");
  const auto* regression = JudgedOnAll(card.judged(), "regression");
  const auto* said = JudgedOnAll(card.judged(), "said");
  REQUIRE((trees != nullptr && regression != nullptr && said != nullptr));
  CHECK(trees->customers() == said->customers());
  CHECK(trees->brier() < regression->brier() - 0.02);
  CHECK(trees->auc() > regression->auc() + 0.02);
  CHECK(trees->calibration_error() < 0.05);
  CHECK((trained->fit.trees_size() > 10 && trained->fit.trees_size() <= 100));
  double gain = 0;
  for (const auto& feature : trained->fit.features()) gain += feature.gain();
  CHECK(gain == Approx(1));
  CHECK(trained->fit.features(4).gain() > 0.2);  // mails
  CHECK(trained->fit.features(3).gain() > 0.1);  // the last order
  CHECK(trained->fit.features(4).mean() > 0);    // what is usual

  const auto without = Trained(examples, {.trees = false});
  CHECK(without->fit.card().model() == "regression");
  CHECK(without->fit.card().no_trees_because() == "they were not asked for");
  CHECK(without->fit.trees_size() == 0);
  CHECK(JudgedOnAll(without->fit.card().judged(), "trees") == nullptr);
}

TEST_CASE("a file of trees is read as it was written, and shows them", "[churn_training]") {
  v1::ModelFile file = BuiltInModels();
  *file.mutable_learned() = Trained(Happened({.crossed = 1.2, .customers = 600}))->fit;
  const std::string text = ModelFileText(file).value();
  CHECK(text.size() < 400'000);
  const auto read = ParseModelFile(text);
  REQUIRE(read.ok());
  CHECK(read->learned().SerializeAsString() == file.learned().SerializeAsString());
  const LearnedChurn learned = *ModelsOf(*read).learned, written = LearnedOf(file.learned());
  REQUIRE(learned.trees.has_value());
  std::mt19937 random(4);
  for (int i = 0; i < 100; ++i) {
    std::vector<double> row;
    for (size_t k = 0; k < learned.features.size(); ++k) row.push_back(std::normal_distribution<>(1, 2)(random));
    CHECK(learned.Score(row) == written.Score(row));
  }
  const std::string shown = ModelFileReport(*read);
  INFO(shown);
  CHECK(shown.find(" trees, up to 3 deep") != std::string::npos);
  CHECK(shown.find("mean of ") != std::string::npos);
  CHECK(shown.find("calibration of trees: predicted and come") != std::string::npos);
}

TEST_CASE("with too little to learn trees from the regression stands alone, and it is said why", "[churn_training]") {
  const auto few = Trained(Happened({.of_mails = -1, .customers = 45}));
  REQUIRE(few.ok());
  CHECK(few->fit.card().model() == "regression");
  CHECK(few->fit.card().no_trees_because().starts_with("as of 20"));
  CHECK(few->fit.card().no_trees_because().find(": too few closed examples: ") != std::string::npos);
  CHECK(JudgedOnAll(few->fit.card().judged(), "trees") == nullptr);
}

TEST_CASE("what is said at the wrong level is set right", "[churn_training]") {
  const auto trained = Trained(Happened({.off = 1.5}));
  REQUIRE(trained.ok());
  const auto* learned = JudgedOnAll(trained->fit.card().judged(), "regression");
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
  const auto* learned = JudgedOnAll(trained->fit.card().judged(), "regression");
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
  *file.mutable_learned() = Trained(Happened({.of_mails = -1}), {.trees = false})->fit;
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
  CHECK(shown.find("calibration of regression: predicted and come") != std::string::npos);
}

}  // namespace
}  // namespace portrait
