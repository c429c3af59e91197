// `portrait models`: what a file of fitted models holds, and which models are in force.
#include <iostream>
#include <memory>

#include "absl/strings/str_cat.h"
#include "pipeline/cli/commands.h"
#include "pipeline/cli/config_arguments.h"
#include "pipeline/cli/models_control.h"
#include "pipeline/config/model_file.h"
#include "pipeline/tools/model_card.h"

namespace portrait {
namespace {

struct ModelsArguments {
  ConfigArguments config;
  std::string action, file;
  RuleDecision decision;
};

absl::Status Show(const ModelsArguments& arguments) {
  const auto file = ReadModelFile(arguments.file);
  if (!file.ok()) return file.status();
  std::cout << ModelFileReport(*file) << std::flush;
  return absl::OkStatus();
}

absl::Status Models(const ModelsArguments& arguments, const Program& program) {
  const bool of_file = arguments.action == "show" || arguments.action == "apply";
  if (of_file == arguments.file.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat(arguments.action, of_file ? ": which file?" : ": takes no file: ", arguments.file));
  }
  if (arguments.action == "show") return Show(arguments);
  const auto config = arguments.config.Load();
  if (!config.ok()) return config.status();
  if (arguments.action == "history") return ShowModelHistory(*config, arguments.decision.json);
  if (arguments.action == "rollback") return RollBackModels(arguments.decision, *config, program);
  return ApplyModels(arguments.file, arguments.decision, *config, program);
}

}  // namespace

void AddModels(Program& program) {
  auto options = std::make_shared<ModelsArguments>();
  CLI::App& app = program.AddCommand(
      {.name = "models",
       .about = "Shows files of fitted models, and brings them into force while the service runs",
       .examples = {"portrait models show models.json", "portrait models apply learned.json --comment 'better in June'",
                    "portrait models history", "portrait models rollback"}},
      [options](const Program& chosen) { return Models(*options, chosen); });
  options->config.AddTo(app);
  app.add_option("action", options->action,
                 "show FILE: its model card: of whom, which, and how good\n"
                 "apply FILE: brings its models into force in every process that runs\n"
                 "rollback: brings back those before the ones in force, in the end those of the configuration\n"
                 "history: who brought which models into force, when and why; the last first")
      ->required()
      ->check(CLI::IsMember({"show", "apply", "rollback", "history"}));
  app.add_option("file", options->file, "The file, as `portrait fit --out` or `portrait train --out` has written it");
  app.add_flag("--json", options->decision.json, "history: as JSON, with the files");
  app.add_option("--author,--by", options->decision.author, "apply, rollback: who; the user by default")
      ->type_name("NAME");
  app.add_option("--comment,--because", options->decision.comment, "apply, rollback: why")->type_name("TEXT");
}

}  // namespace portrait
