// `portrait rules apply`, `history` and `rollback`: the rules of services that run, through the control topic.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "pipeline/cli/program.h"
#include "pipeline/control/control_log.h"
#include "pipeline/control/rule_standing.h"
#include "pipeline/service/kafka_control.h"

namespace portrait {

struct RuleDecision {
  std::string author;  // empty: the user of this process
  std::string comment;
  bool count = true;     // tell how many customers change, before
  bool dry_run = false;  // … and do no more than that
  bool json = false;     // the count as a line of JSON
};

// Who decides: as given, or else the user of this process.
std::string AuthorOf(const RuleDecision& decision);

// What has been decided so far, and where to write what is decided now.
struct Control {
  std::unique_ptr<KafkaControl> topic;
  std::vector<ControlLog::Entry> history;
  RuleStanding standing;

  // The records that stand; null: no rules have been in force yet, nothing is in the shadow, no models were applied.
  const v1::ControlRecord* in_force() const { return At(standing.in_force); }
  const v1::ControlRecord* shadow() const { return At(standing.shadow); }
  const v1::ControlRecord* models() const { return At(standing.models); }
  const v1::ControlRecord* models_shadow() const { return At(standing.models_shadow); }
  // The rules and models as they stand; of what nobody has decided, those of the configuration.
  DecidedRules Decided() const;
  // Null: there is no record at this control position.
  const v1::ControlRecord* At(int64_t control_position) const;
};

// Unavailable: the brokers are away. NotFound: there is no control topic.
absl::StatusOr<Control> OpenControl(const Config& config);

// Writes a record with the author and comment of the decision, and the time.
absl::Status Publish(Control& control, v1::ControlRecord record, const RuleDecision& decision);

// Checks the rules of a record, tells which of their windows do not know everything yet and who changes, unless the
// decision leaves that out, and publishes it, unless it is a dry run. InvalidArgument: the rules are no good.
absl::Status BringIntoForce(Control& control, v1::ControlRecord record, const RuleDecision& decision,
                            const Config& config, const Program& program);

// Brings the rules of a file into force. InvalidArgument: they are no good. What cannot be counted is not applied.
absl::Status ApplyRules(const std::string& path, const RuleDecision& decision, const Config& config,
                        const Program& program);
// Who brought which rules into force, when and why; the last first.
absl::Status ShowRuleHistory(const Config& config, bool json);
// Brings back those of a version, or the ones before those in force.
absl::Status RollBackRules(const std::string& version, const RuleDecision& decision, const Config& config,
                           const Program& program);
// The text of the rules in force. NotFound: there are none yet.
absl::StatusOr<std::string> RulesInForce(const Config& config);

}  // namespace portrait
