#include "pipeline/config/default_chain.h"

#include <catch2/catch_test_macros.hpp>
#include <filesystem>
#include <string>

#include "absl/strings/str_cat.h"
#include "operators/rules/rule_set.h"
#include "pipeline/config/model_file.h"
#include "pipeline/config/rule_file.h"
#include "pipeline/config/text_file.h"
#include "tests/temporary_folder.h"

namespace portrait {
namespace {

std::string VersionOf(std::string_view yaml) { return ChainVersion(ParseConfig(yaml, "f").value()); }

TEST_CASE("the default chain has every operator in its order") {
  const auto chain = BuildDefaultChain(Config());
  REQUIRE(chain.ok());
  std::string names;
  for (const Chain::Link& link : (*chain)->operators()) names += link.about->name() + " ";
  CHECK(names == "site email service person purchases predictions churn tags ");
  CHECK((*chain)->version() == ChainVersion(Config()));
}

TEST_CASE("examples for a model of churn are collected only when asked for, and as a part of the version") {
  const auto config = ParseConfig("churn: {examples: {every: 30d}}", "f");
  REQUIRE(config.ok());
  const auto chain = BuildDefaultChain(*config);
  REQUIRE(chain.ok());
  CHECK((*chain)->outputs().size() == BuildDefaultChain(Config()).value()->outputs().size() + 1);
  CHECK((*chain)->version() != ChainVersion(Config()));
  CHECK(ParseConfig("churn: {examples: {every: off}}", "f")->chain.churn_examples.every_days == 0);
  CHECK(ParseConfig("churn: {examples: {every: 22d}}", "f").status().message() ==
        "f: churn.examples.every: must be a quarter of churn.horizon (90d) or more: 22d");
}

TEST_CASE("a learned model of another horizon, or of a feature that is not there, is refused at the start") {
  const TemporaryFolder folder;
  v1::ModelFile file = BuiltInModels();
  auto& learned = *file.mutable_learned();
  learned.set_version(1), learned.set_horizon_days(90);
  auto& feature = *learned.add_features();
  feature.set_name("purchases.orders_90d"), feature.set_spread(1), feature.set_weight(-0.5);
  const auto config = [&](const std::string& more) {
    WriteText(folder.path() / "models.json", ModelFileText(file).value());
    WriteText(folder.path() / "portrait.yaml", "models: {file: models.json}\n" + more);
    return LoadConfig(folder.path() / "portrait.yaml");
  };
  const auto good = config("");
  REQUIRE(good.ok());
  CHECK(BuildDefaultChain(*good).ok());
  const auto other = config("churn: {horizon: 60d}\n");
  CHECK(other.status().message().find(
            "models.file: the learned model is of no order within 90d, churn.horizon is 60d") != std::string::npos);
  feature.set_name("purchases.ordres_90d");
  const auto chain = BuildDefaultChain(config("").value());
  CHECK(chain.status().message().find("cannot read the feature purchases.ordres_90d: no such feature") !=
        std::string::npos);
}

TEST_CASE("every feature says what it means and in which unit") {
  const auto chain = BuildDefaultChain(Config());
  REQUIRE(chain.ok());
  CHECK((*chain)->features().all().size() > 100);
  for (const FeatureRef& feature : (*chain)->features().all()) {
    INFO(feature.description().name);
    CHECK_FALSE(feature.description().meaning.empty());
    const bool number =
        feature.description().type == FeatureType::kInteger || feature.description().type == FeatureType::kNumber;
    CHECK((!number || !feature.description().unit.empty()));
  }
}

TEST_CASE("the chain version changes with what is computed, not with how the engine runs") {
  CHECK(VersionOf("workers: 7\nclock: event\nbrokers: elsewhere:9092") == VersionOf(""));
  CHECK(VersionOf("tags: {silent: 60d}") == VersionOf(""));
  CHECK(VersionOf("tags: {silent: 61d}") != VersionOf(""));
  CHECK(VersionOf("currency: {home: EUR}") != VersionOf(""));
  CHECK(VersionOf("time_zone: Asia/Tokyo") != VersionOf(""));
  CHECK(VersionOf("lateness: 1s") != VersionOf(""));
}

TEST_CASE("rules are no part of the chain version: they change while it runs, and the journal names them") {
  const TemporaryFolder folder;
  WriteText(folder.path() / "a.yaml", "- tag: a\n  when: purchases.orders > 1\n");
  WriteText(folder.path() / "portrait.yaml", "tags: {rules: a.yaml}");
  const auto config = LoadConfig(folder.path() / "portrait.yaml");
  INFO(config.status().message());
  REQUIRE(config.ok());
  CHECK(ChainVersion(*config) == VersionOf(""));
}

TEST_CASE("rules that are missing or no good are told, with their place") {
  const TemporaryFolder folder;
  const std::string config = (folder.path() / "portrait.yaml").string(), rules = (folder.path() / "r.yaml").string();
  WriteText(config, "tags: {rules: r.yaml}");
  CHECK(LoadConfig(config).status().message() ==
        absl::StrCat(config, ": tags.rules: cannot be read (No such file or directory): ", rules));
  WriteText(rules, "- tag: a\n  when: purchases.spent > 1\n");
  const auto loaded = LoadConfig(config);
  REQUIRE(loaded.ok());
  CHECK(BuildDefaultChain(*loaded).status().message() ==
        absl::StrCat("operator tags: not good rules\n", rules,
                     ":2:9: no such feature: purchases.spent; did you mean purchases.spend\n"
                     "    when: purchases.spent > 1\n          ^"));
}

TEST_CASE("the sets of rules in deploy/ are good, and one is what is built in") {
  const std::filesystem::path deploy = std::filesystem::path(PORTRAIT_SOURCE_DIR) / "deploy";
  CHECK(ReadTextFile(deploy / "tags.yaml", kRuleFileBytes).value() == kDefaultRules);
  const auto chain = BuildDefaultChain(Config());
  REQUIRE(chain.ok());
  for (const char* name : {"tags-b2b.yaml", "tags-rfm.yaml"}) {
    const std::string text = ReadTextFile(deploy / name, kRuleFileBytes).value();
    const auto file = ReadRules(name, text, (*chain)->features());
    INFO(file.status().message());
    REQUIRE(file.ok());
    CHECK(rules::RuleSet::Compile(file->rules, (*chain)->features()).ok());
  }
}

v1::ModelFile SomeModels() {
  v1::ModelFile file;
  file.set_name("shop-7");
  file.set_in_force("pareto_nbd");
  auto& orders = *file.mutable_pareto_nbd();
  orders.set_r(0.5), orders.set_alpha_days(70), orders.set_s(0.6), orders.set_beta_days(80);
  auto& value = *file.mutable_gamma_gamma();
  value.set_p(6.25), value.set_q(3.74), value.set_v(15.4);
  auto& rhythm = *file.mutable_rhythm();
  rhythm.set_log_mean(3.1), rhythm.set_log_spread(1.1), rhythm.set_mean_weight(4), rhythm.set_spread_weight(5);
  file.mutable_source()->set_currency("USD");
  return file;
}

TEST_CASE("a file of models is part of the chain version by what it holds, not by where it lies") {
  const TemporaryFolder folder;
  const v1::ModelFile models = SomeModels();
  WriteText(folder.path() / "a.json", ModelFileText(models).value());
  WriteText(folder.path() / "b.json", ModelFileText(models).value());
  v1::ModelFile other = models;
  other.mutable_pareto_nbd()->set_r(0.5000000001);
  WriteText(folder.path() / "c.json", ModelFileText(other).value());
  const auto with = [&](const std::string& file) {
    WriteText(folder.path() / "portrait.yaml", absl::StrCat("models: {file: ", file, "}"));
    const auto config = LoadConfig(folder.path() / "portrait.yaml");
    INFO(config.status().message());
    REQUIRE(config.ok());
    REQUIRE(BuildDefaultChain(*config).ok());
    return *config;
  };
  CHECK(ChainVersion(with("a.json")) == ChainVersion(with("b.json")));
  CHECK(ChainVersion(with("a.json")) != ChainVersion(with("c.json")));
  CHECK(ChainVersion(with("a.json")) != VersionOf(""));
  CHECK(ChainVersion(with("built-in")) == VersionOf(""));
  const Config config = with("a.json");
  CHECK(config.chain.models.fitted.name.starts_with("shop-7@"));
  CHECK(config.chain.models.fitted.rhythm.log_mean == 3.1);
}

TEST_CASE("a file of models that is missing, damaged or in another currency is refused at the start") {
  const TemporaryFolder folder;
  const std::string config = (folder.path() / "portrait.yaml").string(), file = (folder.path() / "m.json").string();
  const auto refused = [&](const std::string& more) {
    WriteText(config, "models: {file: m.json}\n" + more);
    return std::string(LoadConfig(config).status().message());
  };
  CHECK(refused("") == absl::StrCat(config, ": models.file: cannot be read (No such file or directory): ", file));
  const std::string good = ModelFileText(SomeModels()).value();
  WriteText(file, good.substr(0, good.size() / 2));
  CHECK(refused("").starts_with(absl::StrCat(config, ": models.file: ", file, ": not a file of models: ")));
  WriteText(file, good);
  CHECK(refused("").empty());
  CHECK(refused("currency: {home: EUR}") ==
        absl::StrCat(config, ": models.file: the models are for amounts in USD, currency.home is EUR"));
}

TEST_CASE("the order of rates in the file is of no account") {
  CHECK(VersionOf("currency: {rates: {EUR: 1.08, GBP: 1.27}}") ==
        VersionOf("currency: {rates: {GBP: 1.27, EUR: 1.080}}"));
}

TEST_CASE("an output that no operator writes is refused, with what comes near") {
  const auto config = ParseConfig("outputs: {tag-change: {topic: x}}", "f");
  REQUIRE(config.ok());
  CHECK(BuildDefaultChain(*config).status().message() ==
        "outputs: no operator writes it; did you mean tag-changes: tag-change");
}

}  // namespace
}  // namespace portrait
