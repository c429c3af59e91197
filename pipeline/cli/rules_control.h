// `portrait rules apply`, `history` and `rollback`: the rules of services that run, through the control topic.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "pipeline/cli/program.h"

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
