#include "pipeline/cli/models_control.h"

#include <iostream>
#include <ranges>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "nlohmann/json.hpp"
#include "pipeline/cli/models_in_force.h"
#include "pipeline/config/model_file.h"
#include "pipeline/config/models_config.h"
#include "pipeline/config/text_file.h"
#include "pipeline/control/applied_models.h"
#include "pipeline/tools/times.h"

namespace portrait {
namespace {

// Of a record; one that names none brings those of the configuration.
std::string ModelsNamed(const v1::ControlRecord& record, const Config& config) {
  return record.models().empty() ? config.chain.models.fitted.name : record.models();
}

std::string ModelOriginName(v1::ControlRecord::Origin origin) {
  switch (origin) {
    case v1::ControlRecord::MODELS_APPLIED: return "applied";
    case v1::ControlRecord::MODELS_ROLLED_BACK: return "rolled back";
    case v1::ControlRecord::MODELS_SHADOWED: return "shadow";
    case v1::ControlRecord::MODELS_SHADOW_ENDED: return "shadow ended";
    case v1::ControlRecord::MODELS_PROMOTED: return "promoted";
    default: return "unknown";
  }
}

}  // namespace

absl::Status BringModelsIntoForce(Control& control, v1::ControlRecord record, const RuleDecision& decision,
                                  const Config& config, const Program& program) {
  DecidedRules to_come = control.Decided();
  to_come.models = DecidedModels{record.name(), record.text(), 1};
  if (record.origin() == v1::ControlRecord::MODELS_PROMOTED) to_come.models_shadow.reset();
  const auto chain = program.BuildChainWithRules(config, to_come);
  if (!chain.ok()) return absl::InvalidArgumentError(chain.status().message());
  const std::string models = ModelsNamed(record, config);
  const std::string from = record.name().empty() ? "the configuration" : record.name();
  if (absl::Status s = Publish(control, std::move(record), decision); !s.ok()) return s;
  std::cout << "models " << models << " of " << from
            << " are published: every running process goes over to them within a second, and sweeps its customers"
            << std::endl;
  return absl::OkStatus();
}

absl::StatusOr<v1::ControlRecord> ModelsRecordOf(const std::string& path, const Config& config) {
  auto text = ReadTextFile(path, kModelFileBytes);
  if (!text.ok()) return text.status();
  const auto models = ReadModelsFor(config, path, *text);
  if (!models.ok()) return models.status();
  v1::ControlRecord record;
  record.set_name(path);
  record.set_text(*std::move(text));
  record.set_models(models->fitted.name);
  return record;
}

absl::Status ApplyModels(const std::string& path, const RuleDecision& decision, const Config& config,
                         const Program& program) {
  auto record = ModelsRecordOf(path, config);
  if (!record.ok()) return record.status();
  auto control = OpenControl(config);
  if (!control.ok()) return control.status();
  if (ModelsInForceBy(*control, config).name == record->models()) {
    std::cout << "these models are in force already: " << record->models() << std::endl;
    return absl::OkStatus();
  }
  record->set_origin(v1::ControlRecord::MODELS_APPLIED);
  return BringModelsIntoForce(*control, *std::move(record), decision, config, program);
}

absl::Status RollBackModels(const RuleDecision& decision, const Config& config, const Program& program) {
  auto control = OpenControl(config);
  if (!control.ok()) return control.status();
  const auto applied = AppliedModels(control->history);
  if (applied.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat("the models of the configuration are in force, and there is nothing before them: ",
                     config.chain.models.fitted.name));
  }
  v1::ControlRecord record;
  if (applied.size() > 1) record = *applied[applied.size() - 2];
  record.set_origin(v1::ControlRecord::MODELS_ROLLED_BACK);
  return BringModelsIntoForce(*control, std::move(record), decision, config, program);
}

absl::Status ShowModelHistory(const Config& config, bool json) {
  const auto control = OpenControl(config);
  if (!control.ok()) return control.status();
  for (const ControlLog::Entry& entry : std::ranges::reverse_view(control->history)) {
    const v1::ControlRecord& record = entry.record;
    if (!IsOfModels(record)) continue;
    const bool in_force = &record == control->models(), in_shadow = &record == control->models_shadow();
    const std::string time = ToText(FromMicros(record.time_us()));
    const std::string origin = ModelOriginName(record.origin());
    if (json) {
      std::cout << nlohmann::json({{"offset", entry.offset},
                                   {"time", time},
                                   {"models", ModelsNamed(record, config)},
                                   {"in_force", in_force},
                                   {"in_shadow", in_shadow},
                                   {"origin", origin},
                                   {"file", record.name()},
                                   {"author", record.author()},
                                   {"comment", record.comment()},
                                   {"text", record.text()}})
                       .dump(-1, ' ', false, nlohmann::json::error_handler_t::replace)
                << "\n";
    } else {
      std::cout << absl::StrFormat("%s  %s%s  %s by %s: %s", time, ModelsNamed(record, config),
                                   in_force    ? " in force"
                                   : in_shadow ? " in the shadow"
                                               : "",
                                   origin, record.author(), record.name().empty() ? "the configuration" : record.name())
                << (record.comment().empty() ? "" : "  # ") << record.comment() << "\n";
    }
  }
  if (!json && control->models() == nullptr) {
    std::cout << "the models of the configuration are in force: " << config.chain.models.fitted.name << "\n";
  }
  std::cout << std::flush;
  return absl::OkStatus();
}

}  // namespace portrait
