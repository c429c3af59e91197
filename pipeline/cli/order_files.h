// The options --events, --mapping and --where of commands that learn from files of orders, and the chain for them.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "CLI/CLI.hpp"
#include "absl/status/statusor.h"
#include "operators/chain.h"
#include "pipeline/cli/config_arguments.h"
#include "pipeline/cli/program.h"
#include "pipeline/tools/mapped_history.h"

namespace portrait {

class OrderFiles {
 public:
  // Adds the options, --config and --brokers too; this must live until the command line is parsed and Load is done.
  // Where files are not required, the command must do without them when none is given.
  void AddTo(CLI::App& app, bool required = true);

  struct Loaded {
    MappedHistory history;
    std::unique_ptr<Chain> chain;  // in the currency of the orders
    absl::TimeZone zone;           // of the mapping: days are its days
    Config config;                 // that of the chain
  };
  // Tells on standard error what became of the rows.
  absl::StatusOr<Loaded> Load(const Program& program) const;

  const std::vector<std::string>& files() const { return files_; }
  const ConfigArguments& config() const { return config_; }

 private:
  ConfigArguments config_;
  std::vector<std::string> files_, where_;
  std::string mapping_;
};

}  // namespace portrait
