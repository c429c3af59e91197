#include "pipeline/cli/rules_control.h"

#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <ranges>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "nlohmann/json.hpp"
#include "pipeline/cli/rules_impact.h"
#include "pipeline/cli/rules_windows.h"
#include "pipeline/config/rule_file.h"
#include "pipeline/config/text_file.h"
#include "pipeline/control/rule_editions.h"
#include "pipeline/ports/clock.h"
#include "pipeline/tools/times.h"

namespace portrait {
namespace {

constexpr Duration kReadTimeout = seconds(10);

std::string OriginName(v1::ControlRecord::Origin origin) {
  switch (origin) {
    case v1::ControlRecord::BUILT_IN: return "built in";
    case v1::ControlRecord::FILE: return "file";
    case v1::ControlRecord::APPLIED: return "applied";
    case v1::ControlRecord::ROLLED_BACK: return "rolled back";
    case v1::ControlRecord::SHADOWED: return "shadow";
    case v1::ControlRecord::SHADOW_ENDED: return "shadow ended";
    case v1::ControlRecord::PROMOTED: return "promoted";
    default: return "unknown";
  }
}

}  // namespace

DecidedRules Control::Decided() const {
  DecidedRules out;
  if (in_force() != nullptr) out = {in_force()->name(), in_force()->text(), {}, {}};
  if (shadow() != nullptr) out.shadow = ShadowRules{shadow()->name(), shadow()->text(), standing.shadow};
  if (models() != nullptr) out.models = DecidedModels{models()->name(), models()->text(), standing.models};
  if (const v1::ControlRecord* beside = models_shadow()) {
    out.models_shadow = DecidedModels{beside->name(), beside->text(), standing.models_shadow};
  }
  return out;
}

const v1::ControlRecord* Control::At(int64_t control_position) const {
  const auto found = std::find_if(history.begin(), history.end(),
                                  [&](const ControlLog::Entry& entry) { return entry.offset + 1 == control_position; });
  return found == history.end() ? nullptr : &found->record;
}

absl::StatusOr<Control> OpenControl(const Config& config) {
  auto topic = KafkaControl::Open(config);
  if (!topic.ok()) return topic.status();
  ControlLog log((*topic)->reader(), config.engine.ControlTopic());
  auto history = log.ReadNew(kReadTimeout);
  if (!history.ok()) return history.status();
  Control control{*std::move(topic), *std::move(history), {}};
  for (const ControlLog::Entry& entry : control.history) control.standing.Take(entry.offset + 1, entry.record);
  return control;
}

absl::Status Publish(Control& control, v1::ControlRecord record, const RuleDecision& decision) {
  record.set_author(AuthorOf(decision));
  record.set_comment(decision.comment);
  record.set_time_us(ToMicros(SystemClock().Now()));
  return control.topic->Publish(record);
}

absl::Status BringIntoForce(Control& control, v1::ControlRecord record, const RuleDecision& decision,
                            const Config& config, const Program& program) {
  DecidedRules to_come{record.name(), record.text(), {}, control.Decided().models};
  if (control.shadow() != nullptr && record.origin() != v1::ControlRecord::PROMOTED) {
    to_come.shadow = control.Decided().shadow;
  }
  // What is published, every process of this build can use.
  const auto chain = program.BuildChainWithRules(config, to_come);
  if (!chain.ok()) return absl::InvalidArgumentError(chain.status().message());
  record.set_rules(RulesVersionOf(**chain));
  const v1::ControlRecord* const in_force = control.in_force();
  if (in_force != nullptr && in_force->rules() == record.rules()) {
    std::cout << "these rules are in force already: version " << record.rules() << std::endl;
    return absl::OkStatus();
  }
  const UnfilledWindows windows = WindowsOfRecord(control, record, config, program);
  if (!decision.json) std::cout << TextOf(windows);
  if (decision.count && in_force == nullptr) {
    std::cout << "no rules have been in force yet: there is nothing to compare with" << std::endl;
  } else if (decision.count) {
    absl::Status told = TellImpact(control.Decided(), **chain, windows, decision.json, config, program);
    if (!told.ok()) return told;
  }
  if (decision.dry_run) return absl::OkStatus();
  if (absl::Status s = Publish(control, record, decision); !s.ok()) return s;
  std::cout << "rules " << record.rules() << " of " << record.name()
            << " are published: every running process goes over to them within a second, and sweeps its customers"
            << std::endl;
  return absl::OkStatus();
}

std::string AuthorOf(const RuleDecision& decision) {
  if (!decision.author.empty()) return decision.author;
  const char* user = std::getenv("USER");
  return user == nullptr || *user == '\0' ? "unknown" : user;
}

absl::Status ApplyRules(const std::string& path, const RuleDecision& decision, const Config& config,
                        const Program& program) {
  auto text = ReadTextFile(path, kRuleFileBytes);
  if (!text.ok()) return text.status();
  auto control = OpenControl(config);
  if (!control.ok()) return control.status();
  v1::ControlRecord record;
  record.set_name(path);
  record.set_text(*std::move(text));
  record.set_origin(v1::ControlRecord::APPLIED);
  return BringIntoForce(*control, std::move(record), decision, config, program);
}

absl::Status RollBackRules(const std::string& version, const RuleDecision& decision, const Config& config,
                           const Program& program) {
  auto control = OpenControl(config);
  if (!control.ok()) return control.status();
  const auto& history = control->history;
  if (control->in_force() == nullptr) return absl::NotFoundError("no rules have been in force yet");
  const std::string& in_force = control->in_force()->rules();
  const auto wanted = std::find_if(history.rbegin(), history.rend(), [&](const ControlLog::Entry& entry) {
    if (!BringsIntoForce(entry.record)) return false;
    return version.empty() ? entry.record.rules() != in_force : entry.record.rules() == version;
  });
  if (wanted == history.rend()) {
    return absl::InvalidArgumentError(version.empty()
                                          ? std::string("there were no other rules before those in force")
                                          : absl::StrCat("no such version in `portrait rules history`: ", version));
  }
  v1::ControlRecord record = wanted->record;
  record.set_origin(v1::ControlRecord::ROLLED_BACK);
  return BringIntoForce(*control, std::move(record), decision, config, program);
}

absl::Status ShowRuleHistory(const Config& config, bool json) {
  const auto control = OpenControl(config);
  if (!control.ok()) return control.status();
  for (const ControlLog::Entry& entry : std::ranges::reverse_view(control->history)) {
    const v1::ControlRecord& record = entry.record;
    if (IsOfModels(record)) continue;
    const bool in_force = &record == control->in_force(), in_shadow = &record == control->shadow();
    const std::string time = ToText(FromMicros(record.time_us()));
    if (json) {
      std::cout << nlohmann::json({{"offset", entry.offset},
                                   {"time", time},
                                   {"version", record.rules()},
                                   {"in_force", in_force},
                                   {"in_shadow", in_shadow},
                                   {"origin", OriginName(record.origin())},
                                   {"file", record.name()},
                                   {"author", record.author()},
                                   {"comment", record.comment()},
                                   {"text", record.text()}})
                       .dump(-1, ' ', false, nlohmann::json::error_handler_t::replace)
                << "\n";
    } else {
      std::cout << absl::StrFormat("%s  %s%s  %s by %s: %s", time, record.rules(),
                                   in_force    ? " in force"
                                   : in_shadow ? " in the shadow"
                                               : "",
                                   OriginName(record.origin()), record.author(), record.name())
                << (record.comment().empty() ? "" : "  # ") << record.comment() << "\n";
    }
  }
  std::cout << std::flush;
  return absl::OkStatus();
}

absl::StatusOr<std::string> RulesInForce(const Config& config) {
  auto control = OpenControl(config);
  if (!control.ok()) return control.status();
  if (control->in_force() == nullptr) return absl::NotFoundError("no rules have been in force yet");
  return control->in_force()->text();
}

}  // namespace portrait
