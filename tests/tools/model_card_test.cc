#include "pipeline/tools/model_card.h"

#include <catch2/catch_approx.hpp>
#include <catch2/catch_test_macros.hpp>
#include <cmath>
#include <random>

#include "absl/strings/str_cat.h"
#include "operators/models/fitted_models.h"
#include "pipeline/config/model_file.h"
#include "pipeline/tools/customer_groups_card.h"
#include "pipeline/tools/fit_report.h"

namespace portrait {
namespace {

using Catch::Approx;

constexpr int32_t kStart = 20'000;

// Customers with rates and values of their own, some of whom leave, over `length` days.
std::vector<CustomerPast> Shop(int customers, int length, uint64_t seed) {
  std::mt19937_64 random(seed);
  std::vector<CustomerPast> out;
  for (int i = 0; i < customers; ++i) {
    CustomerPast past{.id = absl::StrCat("c", i)};
    const double pause = 10 + 60 * std::gamma_distribution<>(1.0, 1.0)(random);
    const double value = std::gamma_distribution<>(4.0, 10.0)(random);
    double day = std::uniform_real_distribution<>(0, length * 0.6)(random);
    while (day < length) {
      const int32_t on = kStart + static_cast<int32_t>(day);
      if (past.purchases.empty() || past.purchases.back().day != on) past.purchases.push_back({on, 0});
      past.purchases.back().spend += value * std::gamma_distribution<>(5.0, 0.2)(random);
      if (std::bernoulli_distribution(0.15)(random)) break;
      day += std::exponential_distribution<>(1 / pause)(random);
    }
    out.push_back(std::move(past));
  }
  return out;
}

v1::ModelFile FileOf(const std::vector<CustomerPast>& pasts, int32_t until, int32_t horizon) {
  auto file = FitReport::Of(pasts, until).File();
  INFO(file.status().message());
  REQUIRE(file.ok());
  file->set_name("test");
  *file->mutable_card() = CardOf(pasts, until, horizon);
  PutBestInForce(*file);
  return *std::move(file);
}

TEST_CASE("the card judges models of the past by what came", "[model_card]") {
  const auto pasts = Shop(3000, 400, 1);
  const v1::ModelFile file = FileOf(pasts, kStart + 399, 90);
  const v1::ModelCard& card = file.card();
  INFO(ModelFileReport(file));
  REQUIRE(card.judged_size() == 8);
  const v1::JudgedModel& all = card.judged(0);
  CHECK(all.model() == "mbg_nbd");
  CHECK(all.customers_who() == "all");
  // Counted here once more.
  uint32_t customers = 0, silent = 0;
  double spend = 0;
  for (const CustomerPast& past : pasts) {
    if (past.purchases.front().day > kStart + 309) continue;
    ++customers;
    bool ordered = false;
    for (const PurchaseDay& purchase : past.purchases) {
      if (purchase.day <= kStart + 309 || purchase.day > kStart + 399) continue;
      ordered = true;
      spend += purchase.spend;
    }
    silent += ordered ? 0 : 1;
  }
  CHECK(all.customers() == customers);
  CHECK(all.without_order() == silent);
  CHECK(all.spend() == Approx(spend));
  CHECK(all.auc() > 0.75);
  CHECK(all.calibration_error() < 0.06);
  CHECK(std::abs(all.spend_bias()) < 0.2);
  CHECK(card.judged(1).customers() + card.judged(2).customers() == customers);
  uint32_t in_groups = 0;
  for (const auto& group : all.groups()) in_groups += group.customers();
  CHECK(in_groups == customers);
  const double mbg = all.brier(), pareto = card.judged(4).brier();
  CHECK(file.in_force() == (pareto < mbg ? "pareto_nbd" : "mbg_nbd"));
}

TEST_CASE("the card rests on nothing of the window that it judges", "[model_card]") {
  auto pasts = Shop(500, 300, 2);
  const v1::ModelCard before = CardOf(pasts, kStart + 299, 60);
  for (CustomerPast& past : pasts) {
    while (!past.purchases.empty() && past.purchases.back().day > kStart + 239) past.purchases.pop_back();
  }
  std::erase_if(pasts, [](const CustomerPast& past) { return past.purchases.empty(); });
  pasts.front().purchases.push_back({kStart + 250, 1});
  const v1::ModelCard after = CardOf(pasts, kStart + 299, 60);
  REQUIRE(before.judged_size() > 0);
  REQUIRE(after.judged_size() > 0);
  CHECK(before.judged(0).orders_predicted() == after.judged(0).orders_predicted());
  CHECK(before.judged(0).spend_predicted() == after.judged(0).spend_predicted());
  CHECK(before.judged(0).orders() > after.judged(0).orders());
}

TEST_CASE("what is written is what runs, and what is shown", "[model_card]") {
  const v1::ModelFile fitted = FileOf(Shop(500, 300, 3), kStart + 299, 60);
  const auto text = ModelFileText(fitted);
  REQUIRE(text.ok());
  const auto file = ParseModelFile(*text);
  REQUIRE(file.ok());
  CHECK(file->card().SerializeAsString() == fitted.card().SerializeAsString());
  const PurchaseHistory history{.repeats = 2, .last_days = 90, .age_days = 120};
  const auto& mbg = fitted.mbg_nbd();
  const MbgNbdParameters parameters{mbg.r(), mbg.alpha_days(), mbg.a(), mbg.b()};
  v1::ModelFile chosen = *file;
  chosen.set_in_force("mbg_nbd");
  CHECK(ModelsOf(chosen).orders.ProbabilityOfOrder(history, 60) == ProbabilityOfOrder(parameters, history, 60));
  const std::string shown = ModelFileReport(*file);
  CHECK(shown.find(absl::StrCat("test@", file->checksum())) == 0);
  CHECK(shown.find("in force") != std::string::npos);
  CHECK(shown.find("calibration of") != std::string::npos);
}

TEST_CASE("a file of models tells how customers are grouped, in words", "[model_card]") {
  const auto pasts = Shop(500, 300, 3);
  const v1::ModelFile file = FileOf(pasts, kStart + 299, 60);
  const std::string shown = ModelFileReport(file);
  INFO(shown);
  REQUIRE(file.rfm().spend_size() == 4);
  CHECK(shown.find("fifths of customers, 5 is best\n") != std::string::npos);
  CHECK(shown.find(absl::StrCat("5: up to ", file.rfm().silent_days(0), ", ")) != std::string::npos);
  REQUIRE(file.clusters().clusters_size() == 5);
  CHECK(shown.find("often, much spend\n") != std::string::npos);
  // Those of one fifth are a fifth of them; a boundary is somebody's spend.
  int most = 0;
  bool met = false;
  for (const CustomerPast& past : pasts) {
    double spend = 0;
    for (const PurchaseDay& purchase : past.purchases) spend += purchase.spend;
    most += spend > file.rfm().spend(3) + 1e-5 ? 1 : 0;
    met = met || std::abs(spend - file.rfm().spend(3)) < 1e-5;
  }
  CHECK(most == 100);
  CHECK(met);
  CHECK(FitReport::Of(pasts, kStart + 299, 3).File()->clusters().clusters_size() == 3);
}

TEST_CASE("ties empty a fifth, which is left out of the words", "[model_card]") {
  v1::RfmFit fit;
  for (const double days : {9.0, 9.0, 20.0, 31.0}) fit.add_silent_days(days);
  for (const double count : {1.0, 1.0, 1.0, 4.0}) fit.add_purchase_days(count);
  for (const double spend : {9.5, 10.0, 99.99, 1234567.0}) fit.add_spend(spend);
  const std::string text = RfmText(fit);
  INFO(text);
  CHECK(text.find("5: up to 9, 3: up to 20, 2: up to 31, 1: more\n") != std::string::npos);
  CHECK(text.find("1: up to 1, 4: up to 4, 5: more\n") != std::string::npos);
  CHECK(text.find("1: up to 9.5, 2: up to 10, 3: up to 99.99, 4: up to 1234567, 5: more\n") != std::string::npos);
}

TEST_CASE("too few customers are not grouped, and it is said why", "[model_card]") {
  auto pasts = Shop(45, 300, 5);
  const v1::ModelFile file = FileOf(pasts, kStart + 299, 60);
  CHECK(file.rfm().spend().empty());
  CHECK(ModelFileText(file).ok());
  const std::string shown = ModelFileReport(file);
  CHECK(shown.find("no fifths of customers: too few customers for fifths; at least 50: 45\n") != std::string::npos);
  CHECK(shown.find("no clusters of customers: too few customers for 5 clusters; at least 100: 45\n") !=
        std::string::npos);
}

TEST_CASE("a history that is too short is not judged, and a population that is too small is not fitted",
          "[model_card]") {
  const auto pasts = Shop(300, 100, 4);
  const v1::ModelFile file = FileOf(pasts, kStart + 99, 90);
  CHECK(file.card().judged_size() == 0);
  CHECK(file.card().none_because() == "the history has no 30 days before the last 90");
  CHECK(file.in_force() == "mbg_nbd");
  CHECK(ModelFileText(file).ok());
  const std::vector<CustomerPast> three = {{.id = "a", .purchases = {{kStart, 1}, {kStart + 9, 1}}, .looks = {}},
                                           {.id = "b", .purchases = {{kStart, 1}}, .looks = {}},
                                           {.id = "c", .purchases = {{kStart + 3, 1}}, .looks = {}}};
  CHECK(FitReport::Of(three, kStart + 50).File().status().message() ==
        "too few customers came back to fit models to them; at least 10: 1");
}

}  // namespace
}  // namespace portrait
