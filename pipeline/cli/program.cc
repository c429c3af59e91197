#include "pipeline/cli/program.h"

#include <algorithm>
#include <exception>
#include <iostream>
#include <utility>

#include "absl/strings/str_cat.h"
#include "google/protobuf/stubs/logging.h"
#include "operators/nearest_name.h"
#include "pipeline/cli/commands.h"

namespace portrait {
namespace {

enum ExitCode { kDone = 0, kFailed = 1, kUsage = 2, kDeclined = 3 };

constexpr const char* kAbout =
    "Portrait keeps a live portrait of every customer: it reads browsing, mail, purchase and service events from "
    "Kafka,\n"
    "and writes tag changes and churn alerts, each with its reasons, exactly once.";

constexpr const char* kFooter =
    "Examples:\n"
    "  portrait demo                           see it work, with nothing else installed\n"
    "  portrait describe                       what is computed, and what it means\n"
    "  portrait check deploy/portrait.yaml     is this configuration good?\n"
    "\n"
    "Exit codes: 0 done, 1 failed, 2 wrong usage or configuration, 3 declined (train: the model is not better).\n"
    "`portrait COMMAND --help` explains a command. docs/configuration.md explains the configuration file.";

std::string ExamplesText(const std::vector<std::string>& examples) {
  std::string out = examples.empty() ? "" : "Examples:";
  for (const std::string& example : examples) absl::StrAppend(&out, "\n  ", example);
  return out;
}

}  // namespace

Program::Program(ChainExtension extension) : extension_(std::move(extension)), app_(kAbout, "portrait") {
  app_.set_version_flag("--version", [this] {
    return absl::StrCat("portrait ", ReleaseVersion(), "\nchain ", ChainVersion(Config(), extension_),
                        " with the default configuration");
  });
  app_.footer(kFooter);
  app_.require_subcommand(1);
}

CLI::App& Program::AddCommand(const Command& command, Action action) {
  names_.push_back(command.name);
  CLI::App* sub = app_.add_subcommand(command.name, command.about);
  sub->footer(ExamplesText(command.examples));
  sub->callback([this, name = command.name, action = std::move(action)] {
    chosen_ = name;
    action_ = action;
  });
  return *sub;
}

absl::StatusOr<std::unique_ptr<Chain>> Program::BuildChain(const Config& config) const {
  return BuildDefaultChain(config, extension_);
}

absl::StatusOr<std::unique_ptr<Chain>> Program::BuildChainWithRules(const Config& config,
                                                                    const DecidedRules& rules) const {
  return BuildDefaultChain(config, rules, extension_);
}

int Program::RunChosen() const {
  const absl::Status status = action_(*this);
  if (status.ok()) return kDone;
  std::cerr << "portrait " << chosen_ << ": " << status.message() << std::endl;
  if (absl::IsCancelled(status)) return kDeclined;
  return absl::IsInvalidArgument(status) ? kUsage : kFailed;
}

bool Program::IsCommand(const std::string& name) const {
  return std::find(names_.begin(), names_.end(), name) != names_.end();
}

int Program::Run(int argc, char** argv) {
  if (argc < 2) {
    std::cerr << app_.help();
    return kUsage;
  }
  if (const std::string first = argv[1]; !first.empty() && first[0] != '-' && !IsCommand(first)) {
    std::cerr << "portrait: no such command" << DidYouMean(first, {names_.begin(), names_.end()}) << ": " << first
              << std::endl;
    return kUsage;
  }
  try {
    app_.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app_.exit(error, std::cout, std::cerr) == 0 ? kDone : kUsage;
  }
  return RunChosen();
}

int Main(int argc, char** argv, const ChainExtension& extension) {
  // Protobuf tells of every text that is not UTF-8 on standard error; the dead letter says it better.
  google::protobuf::SetLogHandler(nullptr);
  try {
    Program program(extension);
    AddDemo(program);
    AddRun(program);
    AddGenerate(program);
    AddImport(program);
    AddTail(program);
    AddCustomers(program);
    AddDescribe(program);
    AddTopics(program);
    AddDeadLetters(program);
    AddJournal(program);
    AddCheck(program);
    AddBackup(program);
    AddRestore(program);
    AddRules(program);
    AddExplain(program);
    AddFit(program);
    AddTrain(program);
    AddModels(program);
    AddBacktest(program);
    return program.Run(argc, argv);
  } catch (const std::exception& error) {
    std::cerr << "portrait: " << error.what() << std::endl;
  }
  return kFailed;
}

}  // namespace portrait
