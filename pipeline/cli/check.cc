// `portrait check`: is a configuration good, and what does it say?
#include <iostream>
#include <memory>

#include "absl/strings/str_cat.h"
#include "pipeline/cli/commands.h"
#include "pipeline/config/setting.h"

namespace portrait {
namespace {

std::string Shown(const Setting& setting, const Config& config) {
  const auto written = config.from_environment.find(setting.key);
  return written == config.from_environment.end() ? setting.show(config) : written->second;
}

absl::Status Check(const std::string& path, const Program& program) {
  const absl::StatusOr<Config> config = LoadConfig(path);
  if (!config.ok())
    return absl::InvalidArgumentError(absl::StrCat("not a good configuration\n", config.status().message()));
  const auto chain = program.BuildChain(*config);
  if (!chain.ok()) return absl::InvalidArgumentError(absl::StrCat(path, ": ", chain.status().message()));
  const Config defaults;
  for (const Setting& setting : Settings()) {
    const std::string shown = Shown(setting, *config);
    std::cout << setting.key << ": " << shown << (shown == setting.show(defaults) ? "" : "  # set") << "\n";
  }
  std::cout << "\nThe configuration is good. Chain version: " << (*chain)->version() << std::endl;
  return absl::OkStatus();
}

}  // namespace

void AddCheck(Program& program) {
  auto path = std::make_shared<std::string>();
  CLI::App& app = program.AddCommand(
      {.name = "check",
       .about = "Checks a configuration file: prints every setting as it is understood, or every error",
       .examples = {"portrait check deploy/portrait.yaml"}},
      [path](const Program& chosen) { return Check(*path, chosen); });
  app.add_option("file", *path, "The configuration file")->required();
}

}  // namespace portrait
