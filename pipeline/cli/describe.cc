// `portrait describe`: the chain as text, as a drawing for Graphviz, or as JSON.
#include <iostream>
#include <memory>

#include "pipeline/cli/chain_description.h"
#include "pipeline/cli/commands.h"
#include "pipeline/cli/config_arguments.h"

namespace portrait {
namespace {

struct DescribeOptions {
  ConfigArguments config;
  std::string format = "text";
};

absl::Status Describe(const DescribeOptions& options, const Program& program) {
  const absl::StatusOr<Config> config = options.config.Load();
  if (!config.ok()) return config.status();
  const auto chain = program.BuildChain(*config);
  if (!chain.ok()) return chain.status();
  if (options.format == "dot") {
    std::cout << ChainAsDot(**chain, config->engine);
  } else if (options.format == "json") {
    std::cout << ChainAsJson(**chain, config->engine);
  } else {
    std::cout << ChainAsText(**chain, config->engine);
  }
  return absl::OkStatus();
}

}  // namespace

void AddDescribe(Program& program) {
  auto options = std::make_shared<DescribeOptions>();
  CLI::App& app = program.AddCommand(
      {.name = "describe",
       .about = "Shows the chain: its operators, what they read and write, and the features they offer",
       .examples = {"portrait describe", "portrait describe --format dot | dot -Tsvg > chain.svg",
                    "portrait describe --format json | jq '.operators[].features[].name'"}},
      [options](const Program& chosen) { return Describe(*options, chosen); });
  options->config.AddTo(app);
  app.add_option("-f,--format", options->format, "text, dot (for Graphviz) or json")
      ->check(CLI::IsMember({"text", "dot", "json"}))
      ->capture_default_str();
}

}  // namespace portrait
