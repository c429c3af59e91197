#include "pipeline/config/default_chain.h"

#include <catch2/catch_test_macros.hpp>
#include <filesystem>
#include <string>

#include "absl/strings/str_cat.h"
#include "operators/rules/rule_set.h"
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
  CHECK(names == "site email service person purchases churn tags ");
  CHECK((*chain)->version() == ChainVersion(Config()));
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
  const std::string b2b = ReadTextFile(deploy / "tags-b2b.yaml", kRuleFileBytes).value();
  const auto file = ReadRules("tags-b2b.yaml", b2b, (*chain)->features());
  INFO(file.status().message());
  REQUIRE(file.ok());
  CHECK(rules::RuleSet::Compile(file->rules, (*chain)->features()).ok());
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
