// The options --config and --brokers, for every command that needs the configuration or a broker.
#pragma once

#include <string>

#include "CLI/CLI.hpp"
#include "absl/status/statusor.h"
#include "pipeline/config/config.h"

namespace portrait {

class ConfigArguments {
 public:
  // Adds the options; this must live until the command line is parsed and Load is done.
  void AddTo(CLI::App& app);

  // The configuration of the file, or the default one without a file; --brokers takes the place of its brokers.
  // InvalidArgument with every error of the file.
  absl::StatusOr<Config> Load() const;

  // Empty: none was given.
  const std::string& path() const { return path_; }
  bool brokers_given() const { return !brokers_.empty(); }

 private:
  std::string path_;
  std::string brokers_;
};

}  // namespace portrait
