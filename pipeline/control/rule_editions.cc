#include "pipeline/control/rule_editions.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "operators/churn.h"
#include "operators/tags.h"

namespace portrait {

std::string RulesVersionOf(const Chain& chain) {
  const Tags* tags = TagsOfChain(chain).op;
  return tags == nullptr ? "" : tags->rules()->VersionText();
}

std::string ShadowVersionOf(const Chain& chain) {
  const Tags* tags = TagsOfChain(chain).op;
  return tags == nullptr || tags->shadow() == nullptr ? "" : tags->shadow()->VersionText();
}

std::string ModelsOfChain(const Chain& chain) {
  const Churn* churn = ChurnOfChain(chain);
  return churn == nullptr ? "" : std::string(churn->model().name());
}

std::string ShadowModelsOfChain(const Chain& chain) {
  const Churn* churn = ChurnOfChain(chain);
  return churn == nullptr || churn->shadow() == nullptr ? "" : std::string(churn->shadow()->model().name());
}

RuleEditions::RuleEditions(const Chain& base, Build build)
    : base_(base),
      build_(std::move(build)),
      first_(std::make_shared<ChainEdition>(
          ChainEdition{std::shared_ptr<const Chain>(std::shared_ptr<const Chain>(), &base), "", 0})),
      current_(first_) {}

std::string RuleEditions::VersionInForce(const RuleStanding& standing) const {
  return standing.in_force == 0 ? "" : decisions_.at(standing.in_force).record.rules();
}

absl::StatusOr<ChainCatalog::Edition> RuleEditions::Compile(const RuleStanding& standing,
                                                            int64_t control_position) const {
  const auto record_at = [this](int64_t position) -> const v1::ControlRecord& {
    return decisions_.at(position).record;
  };
  const std::string rules = VersionInForce(standing);
  const auto edition_of = [&](std::shared_ptr<const Chain> chain) {
    return std::make_shared<ChainEdition>(ChainEdition{std::move(chain), rules, control_position, standing.shadow,
                                                       standing.models, standing.models_shadow});
  };
  // At most starts these are the rules and models of the configuration, for which there is a chain.
  const bool configured = rules.empty() || rules == RulesVersionOf(base_);
  const bool nothing_else = standing.shadow == 0 && standing.models == 0 && standing.models_shadow == 0;
  if (configured && nothing_else) return edition_of(first_->chain);
  if (rules.empty() && standing.shadow != 0) {
    return absl::InvalidArgumentError("rules in the shadow, and none in force");
  }
  DecidedRules decided;
  if (!rules.empty()) decided = {record_at(standing.in_force).name(), record_at(standing.in_force).text(), {}, {}};
  if (standing.models != 0) {
    const v1::ControlRecord& models = record_at(standing.models);
    decided.models = DecidedModels{models.name(), models.text(), standing.models};
  }
  if (standing.models_shadow != 0) {
    const v1::ControlRecord& models = record_at(standing.models_shadow);
    decided.models_shadow = DecidedModels{models.name(), models.text(), standing.models_shadow};
  }
  if (standing.shadow != 0) {
    const v1::ControlRecord& shadow = record_at(standing.shadow);
    decided.shadow = ShadowRules{shadow.name(), shadow.text(), standing.shadow};
  }
  std::shared_ptr<const Chain> chain;
  if (auto built = build_(decided); built.ok()) {
    chain = *std::move(built);
  } else {
    return absl::InvalidArgumentError(built.status().message());
  }
  // What a version means must not change from build to build: a tail would be replayed by other rules.
  const auto check = [](std::string_view what, const std::string& version, const std::string& named) {
    return named.empty() || version == named
               ? absl::OkStatus()
               : absl::InvalidArgumentError(absl::StrCat("the ", absl::string_view(what.data(), what.size()), " are ",
                                                         version, " to this build, and should be ", named));
  };
  if (absl::Status s = check("rules", RulesVersionOf(*chain), rules); !s.ok()) return s;
  if (standing.shadow != 0) {
    absl::Status s = check("rules in the shadow", ShadowVersionOf(*chain), record_at(standing.shadow).rules());
    if (!s.ok()) return s;
  }
  if (standing.models != 0) {
    absl::Status s = check("models", ModelsOfChain(*chain), record_at(standing.models).models());
    if (!s.ok()) return s;
  }
  if (standing.models_shadow != 0) {
    absl::Status s =
        check("models in the shadow", ShadowModelsOfChain(*chain), record_at(standing.models_shadow).models());
    if (!s.ok()) return s;
  }
  return edition_of(std::move(chain));
}

absl::Status RuleEditions::Learn(int64_t offset, v1::ControlRecord record) {
  const int64_t position = offset + 1;
  RuleStanding standing;
  {
    const std::lock_guard lock(mutex_);
    if (!decisions_.empty()) standing = decisions_.rbegin()->second.standing;
    standing.Take(position, record);
    decisions_[position] = {std::move(record), standing};
    known_ = position;
  }
  auto edition = Compile(standing, position);  // takes its time; the decisions change on this thread alone
  if (!edition.ok()) return edition.status();
  const std::lock_guard lock(mutex_);
  in_use_[position] = *edition;
  current_ = *std::move(edition);
  return absl::OkStatus();
}

ChainCatalog::Edition RuleEditions::current() const {
  const std::lock_guard lock(mutex_);
  return current_;
}

absl::StatusOr<ChainCatalog::Edition> RuleEditions::Find(std::string_view rules, int64_t control_position) {
  if (control_position == 0) return first_;
  const std::lock_guard lock(mutex_);
  if (control_position > known_) {
    return absl::UnavailableError(
        absl::StrCat("the journal names rules that have not been heard of yet: control position ", control_position));
  }
  const auto decision = decisions_.find(control_position);
  if (decision == decisions_.end() || VersionInForce(decision->second.standing) != rules) {
    return absl::FailedPreconditionError(absl::StrCat("the journal names rules that the control topic does not have: ",
                                                      std::string(rules), " at position ", control_position));
  }
  if (Edition edition = in_use_[control_position].lock()) return edition;
  auto edition = Compile(decision->second.standing, control_position);
  if (!edition.ok()) {
    return absl::FailedPreconditionError(
        absl::StrCat("this build cannot use the rules or models that were in force, as of ",
                     decision->second.record.name(), ": ", edition.status().message()));
  }
  in_use_[control_position] = *edition;
  return edition;
}

}  // namespace portrait
