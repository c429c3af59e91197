// `portrait models`: what a file of fitted models holds, and which models are in force.
#include <iostream>
#include <memory>

#include "absl/strings/str_cat.h"
#include "pipeline/cli/commands.h"
#include "pipeline/cli/config_arguments.h"
#include "pipeline/cli/models_control.h"
#include "pipeline/cli/models_shadow.h"
#include "pipeline/config/model_file.h"
#include "pipeline/tools/model_card.h"

namespace portrait {
namespace {

struct ModelsArguments {
  ConfigArguments config;
  std::string action, file;
  RuleDecision decision;
  bool report = false, stop = false;
};

absl::Status Show(const ModelsArguments& arguments) {
  const auto file = ReadModelFile(arguments.file);
  if (!file.ok()) return file.status();
  std::cout << ModelFileReport(*file) << std::flush;
  return absl::OkStatus();
}

absl::Status CheckShadowOf(const ModelsArguments& arguments) {
  const int asked = (arguments.file.empty() ? 0 : 1) + (arguments.report ? 1 : 0) + (arguments.stop ? 1 : 0);
  if (arguments.action == "shadow") {
    if (asked == 1) return absl::OkStatus();
    return absl::InvalidArgumentError("shadow: a file of models, or --report, or --stop; one of them");
  }
  if (!arguments.report && !arguments.stop) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("--report and --stop belong to shadow, not to ", arguments.action));
}

absl::Status ShadowOfModels(const ModelsArguments& arguments, const Config& config, const Program& program) {
  if (arguments.report) return ReportModelsInShadow(arguments.decision, config, program);
  if (arguments.stop) return EndModelsInShadow(arguments.decision, config);
  return RunModelsInShadow(arguments.file, arguments.decision, config, program);
}

absl::Status Models(const ModelsArguments& arguments, const Program& program) {
  if (absl::Status s = CheckShadowOf(arguments); !s.ok()) return s;
  const bool of_file = arguments.action == "show" || arguments.action == "apply";
  if (arguments.action != "shadow" && of_file == arguments.file.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat(arguments.action, of_file ? ": which file?" : ": takes no file: ", arguments.file));
  }
  if (arguments.action == "show") return Show(arguments);
  const auto config = arguments.config.Load();
  if (!config.ok()) return config.status();
  if (arguments.action == "history") return ShowModelHistory(*config, arguments.decision.json);
  if (arguments.action == "shadow") return ShadowOfModels(arguments, *config, program);
  if (arguments.action == "promote") return PromoteModels(arguments.decision, *config, program);
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
                    "portrait models history", "portrait models rollback",
                    "portrait models shadow learned.json --because 'tried beside the others'",
                    "portrait models shadow --report", "portrait models promote --because 'it did well'"}},
      [options](const Program& chosen) { return Models(*options, chosen); });
  options->config.AddTo(app);
  app.add_option("action", options->action,
                 "show FILE: its model card: of whom, which, and how good\n"
                 "apply FILE: brings its models into force in every process that runs\n"
                 "rollback: brings back those before the ones in force, in the end those of the configuration\n"
                 "shadow FILE: judges customers by these models beside those in force, and changes nothing;\n"
                 "shadow --report: what do they say, and what would they raise? shadow --stop: no longer\n"
                 "promote: brings the models in the shadow into force\n"
                 "history: who brought which models into force or into the shadow, when and why; the last first")
      ->required()
      ->check(CLI::IsMember({"show", "apply", "rollback", "shadow", "promote", "history"}));
  app.add_option("file", options->file, "The file, as `portrait fit --out` or `portrait train --out` has written it");
  app.add_flag("--json", options->decision.json, "history: as JSON, with the files; shadow --report: as JSON");
  app.add_flag("--report", options->report, "shadow: what the models in it say beside those in force");
  app.add_flag("--stop", options->stop, "shadow: ends it");
  app.add_option("--author,--by", options->decision.author,
                 "apply, rollback, shadow, promote: who; the user by default")
      ->type_name("NAME");
  app.add_option("--comment,--because", options->decision.comment, "apply, rollback, shadow, promote: why")
      ->type_name("TEXT");
}

}  // namespace portrait
