#include "pipeline/config/default_chain.h"

#include <catch2/catch_test_macros.hpp>

namespace portrait {
namespace {

std::string VersionOf(std::string_view yaml) { return ChainVersion(ParseConfig(yaml, "f").value()); }

TEST_CASE("the default chain has every operator in its order") {
  const auto chain = BuildDefaultChain(Config());
  REQUIRE(chain.ok());
  std::string names;
  for (const Chain::Link& link : (*chain)->operators()) names += link.about->name() + " ";
  CHECK(names == "site email service person purchases tags churn ");
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
