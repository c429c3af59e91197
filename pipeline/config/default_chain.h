// The chain that the program runs: cleaning and all operators with the options of the configuration.
//
//   absl::StatusOr<std::unique_ptr<Chain>> chain = BuildDefaultChain(config);
//
// Operators from outside come after the own ones:
//
//   ChainExtension extension{.version = "acme-7", .add = [](ChainBuilder& chain) { chain.Add<Visits>(); }};
//   auto chain = BuildDefaultChain(config, extension);
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "operators/chain.h"
#include "pipeline/config/config.h"

namespace portrait {

struct ChainExtension {
  std::string version;  // part of the chain version: a new one for every change to what the operators compute
  std::function<void(ChainBuilder&)> add;
};

// InvalidArgument: an output is configured that no operator writes. Errors of ChainBuilder::Build as they are.
absl::StatusOr<std::unique_ptr<Chain>> BuildDefaultChain(const Config& config, const ChainExtension& extension = {});

// The same with rules and models that were decided since. The version stays that of the configuration.
// InvalidArgument: they are no good, or do not go with the configuration.
absl::StatusOr<std::unique_ptr<Chain>> BuildDefaultChain(Config config, const DecidedRules& rules,
                                                         const ChainExtension& extension = {});

// "0.1.0+BUILD.SETTINGS": the release, a hash of the sources that decide what is computed (operators, contracts,
// decoding) with the compiler, and a hash of the settings that do (Setting::changes_results). An extension adds
// ".its version". The same for two processes if and only if they compute the same from the same records.
std::string ChainVersion(const Config& config, const ChainExtension& extension = {});

// "0.1.0".
std::string ReleaseVersion();

}  // namespace portrait
