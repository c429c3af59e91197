// The program `portrait` as a library. A project with operators of its own has all its commands by linking
// portrait_cli:
//
//   int main(int argc, char** argv) {
//     return portrait::Main(argc, argv, {.version = "acme-7", .add = [](portrait::ChainBuilder& chain) {
//       chain.Add<Visits>();
//     }});
//   }
//
// A command is one file in cli/, declared in commands.h and listed in program.cc:
//
//   void AddTail(Program& program) {
//     auto options = std::make_shared<TailOptions>();
//     CLI::App& app = program.AddCommand({.name = "tail", .about = "Shows results as they come", .examples = {...}},
//                                        [options](const Program& program) { return Tail(*options, program); });
//     options->config.AddTo(app);  // --config and --brokers, see config_arguments.h
//     app.add_option("output", options->output, "Name of the output, as in `portrait describe`")->required();
//   }
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "CLI/CLI.hpp"
#include "absl/status/status.h"
#include "pipeline/config/default_chain.h"

namespace portrait {

// Runs the program. Never throws. Returns its exit code: 0 done, 1 failed, 2 wrong usage or configuration, 3 declined
// (train: the learned model is not better).
int Main(int argc, char** argv, const ChainExtension& extension = {});

class Program {
 public:
  // What a command does once the command line is parsed; results go to std::cout. An error is printed to std::cerr as
  // "portrait NAME: message"; InvalidArgument (the user has to change something) ends with exit code 2, Cancelled (all
  // is well, but what was asked for is better not done) with 3, others with 1.
  using Action = std::function<absl::Status(const Program&)>;

  struct Command {
    std::string name;
    std::string about;                  // one line
    std::vector<std::string> examples;  // whole command lines, each possibly with "  # comment"
  };

  explicit Program(ChainExtension extension);

  // The returned app takes the command's own options; it lives as long as this.
  CLI::App& AddCommand(const Command& command, Action action);

  // The chain of this program under a configuration.
  absl::StatusOr<std::unique_ptr<Chain>> BuildChain(const Config& config) const;
  // The same with other rules.
  absl::StatusOr<std::unique_ptr<Chain>> BuildChainWithRules(const Config& config, const DecidedRules& rules) const;
  const ChainExtension& extension() const { return extension_; }

  int Run(int argc, char** argv);

 private:
  bool IsCommand(const std::string& name) const;
  int RunChosen() const;

  ChainExtension extension_;
  CLI::App app_;
  std::vector<std::string> names_;
  std::string chosen_;
  Action action_;
};

}  // namespace portrait
