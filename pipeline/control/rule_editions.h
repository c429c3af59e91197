// The editions of a chain that differ in their rules and models, as the control topic gives them.
//
//   RuleEditions editions(*chain, build);
//   editions.Learn(offset, record);        // each record of the control topic, in its order
//   Engine engine(editions, ...);
//
// Each record makes an edition: the rules and models in force from then on, and those in the shadow (RuleStanding).
// What this build cannot use changes nothing: the edition before stays in force here, and the record is told.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "pipeline/chain_catalog.h"
#include "pipeline/config/config.h"
#include "pipeline/control/rule_standing.h"
#include "portrait/v1/control.pb.h"

namespace portrait {

// The version of the rules that a chain judges by; empty when it has none.
std::string RulesVersionOf(const Chain& chain);
// … and of those in its shadow; empty when there are none.
std::string ShadowVersionOf(const Chain& chain);
// The models that a chain goes by, as its alerts name them; empty when it has none.
std::string ModelsOfChain(const Chain& chain);
// … and those in its shadow; empty when there are none.
std::string ShadowModelsOfChain(const Chain& chain);

// Safe from any thread.
class RuleEditions final : public ChainCatalog {
 public:
  // Builds the chain with other rules and models. InvalidArgument: they are no good.
  using Build = std::function<absl::StatusOr<std::unique_ptr<Chain>>(const DecidedRules& rules)>;

  // `base`, the chain of the configuration, must outlive the editions.
  RuleEditions(const Chain& base, Build build);

  // InvalidArgument: this build cannot use the rules or models, and why. One thread at a time.
  absl::Status Learn(int64_t offset, v1::ControlRecord record);

  const Chain& base() const override { return base_; }
  Edition current() const override;
  absl::StatusOr<Edition> Find(std::string_view rules, int64_t control_position) override;

 private:
  struct Decision {
    v1::ControlRecord record;
    RuleStanding standing;  // after it
  };
  absl::StatusOr<Edition> Compile(const RuleStanding& standing, int64_t control_position) const;
  // The rules that a standing names; empty: those that the process was started with.
  std::string VersionInForce(const RuleStanding& standing) const;

  const Chain& base_;
  const Build build_;
  const Edition first_;
  mutable std::mutex mutex_;
  Edition current_;                        // guarded by mutex_, like those below
  std::map<int64_t, Decision> decisions_;  // by control position
  std::map<int64_t, std::weak_ptr<const ChainEdition>> in_use_;
  int64_t known_ = 0;  // control position up to which all records were learned
};

}  // namespace portrait
