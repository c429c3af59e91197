// `portrait rules`: tries expressions on values, and checks files of rules.
#include <iostream>
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "nlohmann/json.hpp"
#include "pipeline/cli/commands.h"
#include "pipeline/cli/config_arguments.h"
#include "pipeline/cli/trial.h"
#include "pipeline/config/rule_file.h"
#include "pipeline/config/text_file.h"

namespace portrait {
namespace {

constexpr size_t kLineBytes = 1024 * 1024;

struct RulesOptions {
  ConfigArguments config;
  std::string action;
  std::string what;
  const CLI::Option* what_given = nullptr;  // an expression may be empty, which is a mistake of its own
  std::string with;
};

// One line, however long: what is beyond the limit is passed over. False: the input has ended.
bool NextLine(std::streambuf& in, std::string& line, bool& too_long) {
  line.clear();
  too_long = false;
  for (int c = in.sbumpc(); c != std::char_traits<char>::eof(); c = in.sbumpc()) {
    if (c == '\n') return true;
    if (line.size() < kLineBytes) {
      line += static_cast<char>(c);
    } else {
      too_long = true;
    }
  }
  return !line.empty();
}

absl::Status AnswerLines(const Trial& trial) {
  std::string line;
  bool too_long = false;
  while (std::cout && NextLine(*std::cin.rdbuf(), line, too_long)) {
    const absl::Status refused =
        absl::InvalidArgumentError(absl::StrCat("a line is too long; at most ", kLineBytes, " bytes"));
    std::cout << (too_long ? AnswerLine(refused) : trial.Answer(line)) << std::endl;
  }
  return absl::OkStatus();
}

absl::Status Evaluate(const RulesOptions& options, const Trial& trial) {
  if (options.what_given->count() == 0) {
    if (!options.with.empty()) {
      return absl::InvalidArgumentError("eval: --with goes with an expression; a line brings its own: {\"expr\": …}");
    }
    return AnswerLines(trial);
  }
  nlohmann::json with = nlohmann::json::object();
  if (!options.with.empty()) {
    const auto text = ReadTextFile(options.with, kLineBytes);
    if (!text.ok()) return text.status();
    with = nlohmann::json::parse(*text, nullptr, false);
    if (with.is_discarded()) return absl::InvalidArgumentError("not JSON: " + options.with);
  }
  const auto value = trial.Run(options.what, with);
  std::cout << AnswerLine(value) << std::endl;
  return value.status();
}

absl::Status CheckFile(const std::string& path, const FeatureRegistry& features) {
  if (path.empty()) return absl::InvalidArgumentError("check: which file?");
  const auto text = ReadTextFile(path, kRuleFileBytes);
  if (!text.ok()) return text.status();
  const auto file = ReadRules(path, *text, features);
  if (!file.ok()) return absl::InvalidArgumentError(absl::StrCat("not good rules\n", file.status().message()));
  std::cout << path << " is good: " << file->rules.size() << " rules, on " << file->features << " features, in "
            << file->steps << " steps" << std::endl;
  return absl::OkStatus();
}

absl::Status Rules(const RulesOptions& options, const Program& program) {
  const auto config = options.config.Load();
  if (!config.ok()) return config.status();
  const auto chain = program.BuildChain(*config);
  if (!chain.ok()) return chain.status();
  if (options.action == "check") return CheckFile(options.what, (*chain)->features());
  return Evaluate(options, Trial((*chain)->features(), absl::Now()));
}

}  // namespace

void AddRules(Program& program) {
  auto options = std::make_shared<RulesOptions>();
  CLI::App& app = program.AddCommand(
      {.name = "rules",
       .about = "Tries conditions on values, and checks files of rules",
       .examples =
           {"portrait rules check deploy/tags.yaml", "portrait rules eval '2 * 3 + 1'",
            "portrait rules eval 'purchases.spend_365d > 2000' --with values.json",
            "portrait rules eval < trials.jsonl      # a line each: {\"expr\": \"x + 1\", \"with\": {\"x\": 2}}",
            "portrait rules eval -- '-1 + 2'         # what begins with - comes after --"}},
      [options](const Program& chosen) { return Rules(*options, chosen); });
  options->config.AddTo(app);
  app.add_option("action", options->action,
                 "check: is a file of rules good, or what is wrong with it?\n"
                 "eval: what is the value of an expression? Without one, lines of JSON on standard input are answered")
      ->required()
      ->check(CLI::IsMember({"check", "eval"}));
  options->what_given = app.add_option("what", options->what, "The file to check, or the expression");
  app.add_option("--with", options->with,
                 "A JSON file with the values, such as {\"purchases\": {\"spend_365d\": 2500.0}}")
      ->type_name("FILE");
}

}  // namespace portrait
