// `portrait models`: what a file of fitted models holds, and how good they were.
#include <iostream>
#include <memory>

#include "absl/strings/str_cat.h"
#include "pipeline/cli/commands.h"
#include "pipeline/config/model_file.h"
#include "pipeline/tools/model_card.h"

namespace portrait {
namespace {

struct ModelsArguments {
  std::string action, file;
};

absl::Status Models(const ModelsArguments& arguments) {
  if (arguments.action != "show") {
    return absl::InvalidArgumentError(absl::StrCat("no such action; there is: show FILE: ", arguments.action));
  }
  const auto file = ReadModelFile(arguments.file);
  if (!file.ok()) return file.status();
  std::cout << ModelFileReport(*file) << std::flush;
  return absl::OkStatus();
}

}  // namespace

void AddModels(Program& program) {
  auto options = std::make_shared<ModelsArguments>();
  CLI::App& app =
      program.AddCommand({.name = "models",
                          .about = "Shows the model card of a file of fitted models: of whom, which, and how good",
                          .examples = {"portrait models show models.json"}},
                         [options](const Program&) { return Models(*options); });
  app.add_option("action", options->action, "show")->required();
  app.add_option("file", options->file, "The file, as `portrait fit --out` has written it")->required();
}

}  // namespace portrait
