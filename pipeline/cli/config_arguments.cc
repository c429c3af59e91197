#include "pipeline/cli/config_arguments.h"

namespace portrait {

void ConfigArguments::AddTo(CLI::App& app) {
  app.add_option("-c,--config", path_, "Configuration file; without one the defaults of docs/configuration.md hold")
      ->envname("PORTRAIT_CONFIG")
      ->type_name("FILE");
  app.add_option("-b,--brokers", brokers_, "Kafka's brokers, in place of those of the configuration")
      ->type_name("HOST:PORT,...");
}

absl::StatusOr<Config> ConfigArguments::Load() const {
  absl::StatusOr<Config> config = path_.empty() ? Config() : LoadConfig(path_);
  if (config.ok() && !brokers_.empty()) {
    config->kafka.brokers = brokers_;
    config->from_environment.erase("brokers");
  }
  return config;
}

}  // namespace portrait
