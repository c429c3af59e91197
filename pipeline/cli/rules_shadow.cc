#include "pipeline/cli/rules_shadow.h"

#include <iostream>
#include <utility>

#include "absl/strings/str_cat.h"
#include "pipeline/cli/rules_impact.h"
#include "pipeline/cli/rules_windows.h"
#include "pipeline/config/rule_file.h"
#include "pipeline/config/text_file.h"
#include "pipeline/control/rule_editions.h"

namespace portrait {
namespace {

// The control topic of services that have rules in the shadow.
absl::StatusOr<Control> OpenWithShadow(const Config& config) {
  auto control = OpenControl(config);
  if (!control.ok() || control->shadow() != nullptr) return control;
  return absl::NotFoundError("nothing is in the shadow; `portrait rules shadow FILE` puts rules there");
}

}  // namespace

absl::Status RunInShadow(const std::string& path, const RuleDecision& decision, const Config& config,
                         const Program& program) {
  auto text = ReadTextFile(path, kRuleFileBytes);
  if (!text.ok()) return text.status();
  auto control = OpenControl(config);
  if (!control.ok()) return control.status();
  if (control->in_force() == nullptr) {
    return absl::FailedPreconditionError(
        "no rules have been in force yet, so there is nothing to run beside; start the "
        "service first");
  }
  v1::ControlRecord record;
  record.set_name(path);
  record.set_text(*std::move(text));
  record.set_origin(v1::ControlRecord::SHADOWED);
  DecidedRules beside = control->Decided();
  beside.shadow = ShadowRules{record.name(), record.text(), 1};
  const auto chain = program.BuildChainWithRules(config, beside);
  if (!chain.ok()) return absl::InvalidArgumentError(chain.status().message());
  record.set_rules(ShadowVersionOf(**chain));
  if (record.rules() == control->in_force()->rules()) {
    return absl::InvalidArgumentError(absl::StrCat("these rules are in force: version ", record.rules()));
  }
  const v1::ControlRecord* const before = control->shadow();
  if (before != nullptr && before->rules() == record.rules()) {
    std::cout << "these rules are in the shadow already: version " << record.rules() << std::endl;
    return absl::OkStatus();
  }
  std::cout << TextOf(WindowsOfRecord(*control, record, config, program));
  if (absl::Status s = Publish(*control, record, decision); !s.ok()) return s;
  std::cout << "rules " << record.rules() << " of " << path << " run in the shadow";
  if (before != nullptr) std::cout << ", in place of " << before->rules() << " of " << before->name();
  std::cout << ": they are judged by every event from now on, and change nothing; `portrait rules shadow --report` "
               "tells what they would do"
            << std::endl;
  return absl::OkStatus();
}

absl::Status EndShadow(const RuleDecision& decision, const Config& config) {
  auto control = OpenWithShadow(config);
  if (!control.ok()) return control.status();
  v1::ControlRecord record;
  record.set_rules(control->shadow()->rules());
  record.set_name(control->shadow()->name());
  record.set_origin(v1::ControlRecord::SHADOW_ENDED);
  if (absl::Status s = Publish(*control, record, decision); !s.ok()) return s;
  std::cout << "rules " << record.rules() << " of " << record.name() << " are no longer in the shadow" << std::endl;
  return absl::OkStatus();
}

absl::Status ReportShadow(const RuleDecision& decision, const Config& config, const Program& program) {
  const auto control = OpenWithShadow(config);
  if (!control.ok()) return control.status();
  return TellShadow(control->Decided(), *control->shadow(),
                    WindowsOfRecord(*control, *control->shadow(), config, program), decision.json, config, program);
}

absl::Status PromoteShadow(const RuleDecision& decision, const Config& config, const Program& program) {
  auto control = OpenWithShadow(config);
  if (!control.ok()) return control.status();
  v1::ControlRecord record = *control->shadow();
  record.set_origin(v1::ControlRecord::PROMOTED);
  return BringIntoForce(*control, std::move(record), decision, config, program);
}

}  // namespace portrait
