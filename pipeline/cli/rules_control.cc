#include "pipeline/cli/rules_control.h"

#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <ranges>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "nlohmann/json.hpp"
#include "pipeline/cli/rules_impact.h"
#include "pipeline/config/rule_file.h"
#include "pipeline/config/text_file.h"
#include "pipeline/control/control_log.h"
#include "pipeline/control/rule_editions.h"
#include "pipeline/ports/clock.h"
#include "pipeline/service/kafka_control.h"
#include "pipeline/tools/times.h"

namespace portrait {
namespace {

constexpr Duration kReadTimeout = seconds(10);

struct Control {
  std::unique_ptr<KafkaControl> topic;
  std::vector<ControlLog::Entry> history;
};

absl::StatusOr<Control> OpenControl(const Config& config) {
  auto topic = KafkaControl::Open(config);
  if (!topic.ok()) return topic.status();
  ControlLog log((*topic)->reader(), config.engine.ControlTopic());
  auto history = log.ReadNew(kReadTimeout);
  if (!history.ok()) return history.status();
  return Control{*std::move(topic), *std::move(history)};
}

std::string OriginName(v1::ControlRecord::Origin origin) {
  switch (origin) {
    case v1::ControlRecord::BUILT_IN: return "built in";
    case v1::ControlRecord::FILE: return "file";
    case v1::ControlRecord::APPLIED: return "applied";
    case v1::ControlRecord::ROLLED_BACK: return "rolled back";
    default: return "unknown";
  }
}

// Checks the rules by building the chain with them: what is published, every process of this build can use.
absl::Status Publish(Control& control, v1::ControlRecord record, const RuleDecision& decision, const Config& config,
                     const Program& program) {
  const auto chain = program.BuildChainWithRules(config, record.name(), record.text());
  if (!chain.ok()) return absl::InvalidArgumentError(chain.status().message());
  record.set_rules(RulesVersionOf(**chain));
  if (!control.history.empty() && control.history.back().record.rules() == record.rules()) {
    std::cout << "these rules are in force already: version " << record.rules() << std::endl;
    return absl::OkStatus();
  }
  if (decision.count && control.history.empty()) {
    std::cout << "no rules have been in force yet: there is nothing to compare with" << std::endl;
  } else if (decision.count) {
    if (absl::Status s = TellImpact(control.history.back().record, **chain, decision.json, config, program); !s.ok()) {
      return s;
    }
  }
  if (decision.dry_run) return absl::OkStatus();
  record.set_time_us(ToMicros(SystemClock().Now()));
  if (absl::Status s = control.topic->Publish(record); !s.ok()) return s;
  std::cout << "rules " << record.rules() << " of " << record.name()
            << " are published: every running process goes over to them within a second, and sweeps its customers"
            << std::endl;
  return absl::OkStatus();
}

}  // namespace

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
  record.set_author(AuthorOf(decision));
  record.set_comment(decision.comment);
  return Publish(*control, std::move(record), decision, config, program);
}

absl::Status RollBackRules(const std::string& version, const RuleDecision& decision, const Config& config,
                           const Program& program) {
  auto control = OpenControl(config);
  if (!control.ok()) return control.status();
  const auto& history = control->history;
  if (history.empty()) return absl::NotFoundError("no rules have been in force yet");
  const std::string& in_force = history.back().record.rules();
  const auto wanted = std::find_if(history.rbegin(), history.rend(), [&](const ControlLog::Entry& entry) {
    return version.empty() ? entry.record.rules() != in_force : entry.record.rules() == version;
  });
  if (wanted == history.rend()) {
    return absl::InvalidArgumentError(version.empty()
                                          ? std::string("there were no other rules before those in force")
                                          : absl::StrCat("no such version in `portrait rules history`: ", version));
  }
  v1::ControlRecord record = wanted->record;
  record.set_origin(v1::ControlRecord::ROLLED_BACK);
  record.set_author(AuthorOf(decision));
  record.set_comment(decision.comment);
  return Publish(*control, std::move(record), decision, config, program);
}

absl::Status ShowRuleHistory(const Config& config, bool json) {
  const auto control = OpenControl(config);
  if (!control.ok()) return control.status();
  bool in_force = true;
  for (const ControlLog::Entry& entry : std::ranges::reverse_view(control->history)) {
    const v1::ControlRecord& record = entry.record;
    const std::string time = ToText(FromMicros(record.time_us()));
    if (json) {
      std::cout << nlohmann::json({{"offset", entry.offset},
                                   {"time", time},
                                   {"version", record.rules()},
                                   {"in_force", in_force},
                                   {"origin", OriginName(record.origin())},
                                   {"file", record.name()},
                                   {"author", record.author()},
                                   {"comment", record.comment()},
                                   {"text", record.text()}})
                       .dump(-1, ' ', false, nlohmann::json::error_handler_t::replace)
                << "\n";
    } else {
      std::cout << absl::StrFormat("%s  %s%s  %s by %s: %s", time, record.rules(), in_force ? " in force" : "",
                                   OriginName(record.origin()), record.author(), record.name())
                << (record.comment().empty() ? "" : "  # ") << record.comment() << "\n";
    }
    in_force = false;
  }
  std::cout << std::flush;
  return absl::OkStatus();
}

absl::StatusOr<std::string> RulesInForce(const Config& config) {
  auto control = OpenControl(config);
  if (!control.ok()) return control.status();
  if (control->history.empty()) return absl::NotFoundError("no rules have been in force yet");
  return std::move(*control->history.back().record.mutable_text());
}

}  // namespace portrait
