#include "pipeline/cli/models_shadow.h"

#include <iostream>
#include <utility>

#include "absl/strings/str_cat.h"
#include "nlohmann/json.hpp"
#include "pipeline/cli/all_rows.h"
#include "pipeline/cli/models_control.h"
#include "pipeline/cli/models_in_force.h"
#include "pipeline/tools/progress_bar.h"
#include "pipeline/tools/shadow_models_report.h"
#include "pipeline/tools/times.h"

namespace portrait {
namespace {

// The control topic of services that have models in the shadow.
absl::StatusOr<Control> OpenWithModelsInShadow(const Config& config) {
  auto control = OpenControl(config);
  if (!control.ok() || control->models_shadow() != nullptr) return control;
  return absl::NotFoundError("no models are in the shadow; `portrait models shadow FILE` puts some there");
}

}  // namespace

absl::Status RunModelsInShadow(const std::string& path, const RuleDecision& decision, const Config& config,
                               const Program& program) {
  auto record = ModelsRecordOf(path, config);
  if (!record.ok()) return record.status();
  auto control = OpenControl(config);
  if (!control.ok()) return control.status();
  if (ModelsInForceBy(*control, config).name == record->models()) {
    return absl::InvalidArgumentError(absl::StrCat("these models are in force: ", record->models()));
  }
  const v1::ControlRecord* const before = control->models_shadow();
  if (before != nullptr && before->models() == record->models()) {
    std::cout << "these models are in the shadow already: " << record->models() << std::endl;
    return absl::OkStatus();
  }
  record->set_origin(v1::ControlRecord::MODELS_SHADOWED);
  DecidedRules beside = control->Decided();
  beside.models_shadow = DecidedModels{record->name(), record->text(), 1};
  const auto chain = program.BuildChainWithRules(config, beside);
  if (!chain.ok()) return absl::InvalidArgumentError(chain.status().message());
  if (absl::Status s = Publish(*control, *record, decision); !s.ok()) return s;
  std::cout << "models " << record->models() << " of " << path << " run in the shadow";
  if (before != nullptr) std::cout << ", in place of " << before->models() << " of " << before->name();
  std::cout << ": they judge customers beside those in force from now on, and change nothing; `portrait models shadow "
               "--report` tells what they say"
            << std::endl;
  return absl::OkStatus();
}

absl::Status EndModelsInShadow(const RuleDecision& decision, const Config& config) {
  auto control = OpenWithModelsInShadow(config);
  if (!control.ok()) return control.status();
  v1::ControlRecord record;
  record.set_models(control->models_shadow()->models());
  record.set_name(control->models_shadow()->name());
  record.set_origin(v1::ControlRecord::MODELS_SHADOW_ENDED);
  if (absl::Status s = Publish(*control, record, decision); !s.ok()) return s;
  std::cout << "models " << record.models() << " of " << record.name() << " are no longer in the shadow" << std::endl;
  return absl::OkStatus();
}

absl::Status ReportModelsInShadow(const RuleDecision& decision, const Config& config, const Program& program) {
  const auto control = OpenWithModelsInShadow(config);
  if (!control.ok()) return control.status();
  const auto chain = program.BuildChainWithRules(config, control->Decided());
  if (!chain.ok()) return absl::FailedPreconditionError(chain.status().message());
  ShadowModelsReport report(**chain, config.engine.zone);
  const auto told = [&] { return absl::StrCat(ShortCount(report.customers()), " customers"); };
  const auto read = VisitRows(config, {.command = "models", .doing = "counting", .told = told},
                              [&](std::string_view, std::string_view row, const v1::TaskState&, Timestamp now) {
                                return report.Add(row, now);
                              });
  if (!read.ok()) return read.status();
  const v1::ControlRecord& begun = *control->models_shadow();
  const std::string since = ToText(FromMicros(begun.time_us())), read_at = ToText(read->read_at);
  if (decision.json) {
    nlohmann::json out = report.Json();
    out.update({{"models", begun.models()},
                {"in_force", ModelsInForceBy(*control, config).name},
                {"file", begun.name()},
                {"since", since},
                {"author", begun.author()},
                {"comment", begun.comment()},
                {"read_at", read_at},
                {"overtaken", read->overtaken}});
    std::cout << out.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) << std::endl;
    return absl::OkStatus();
  }
  std::cout << "In the shadow since " << since << ": " << begun.models() << " of " << begun.name() << ", by "
            << begun.author() << (begun.comment().empty() ? "" : ": ") << begun.comment()
            << "\nIn force: " << ModelsInForceBy(*control, config).name << "\n"
            << report.Text() << "Counted on the rows that the changelog held at " << read_at << ".\n"
            << LeftOut(*read) << std::flush;
  return absl::OkStatus();
}

absl::Status PromoteModels(const RuleDecision& decision, const Config& config, const Program& program) {
  auto control = OpenWithModelsInShadow(config);
  if (!control.ok()) return control.status();
  v1::ControlRecord record = *control->models_shadow();
  record.set_origin(v1::ControlRecord::MODELS_PROMOTED);
  return BringModelsIntoForce(*control, std::move(record), decision, config, program);
}

}  // namespace portrait
