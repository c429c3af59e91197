#include "pipeline/control/rule_editions.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "operators/tags.h"

namespace portrait {

std::string RulesVersionOf(const Chain& chain) {
  const Tags* tags = TagsOfChain(chain).op;
  return tags == nullptr ? "" : tags->rules()->VersionText();
}

RuleEditions::RuleEditions(const Chain& base, Build build)
    : base_(base),
      build_(std::move(build)),
      first_(std::make_shared<ChainEdition>(
          ChainEdition{std::shared_ptr<const Chain>(std::shared_ptr<const Chain>(), &base), "", 0})),
      current_(first_) {}

absl::StatusOr<ChainCatalog::Edition> RuleEditions::Compile(const v1::ControlRecord& record,
                                                            int64_t control_position) const {
  // At most starts these are the rules of the configuration, for which there is a chain.
  if (record.rules() == RulesVersionOf(base_)) {
    return std::make_shared<ChainEdition>(ChainEdition{first_->chain, record.rules(), control_position});
  }
  auto chain = build_(record.name(), record.text());
  if (!chain.ok()) return absl::InvalidArgumentError(chain.status().message());
  // What a version means must not change from build to build: a tail would be replayed by other rules.
  if (const std::string version = RulesVersionOf(**chain); version != record.rules()) {
    return absl::InvalidArgumentError(
        absl::StrCat("the rules are version ", version, " to this build, and should be ", record.rules()));
  }
  return std::make_shared<ChainEdition>(ChainEdition{*std::move(chain), record.rules(), control_position});
}

absl::Status RuleEditions::Learn(int64_t offset, v1::ControlRecord record) {
  const int64_t position = offset + 1;
  auto edition = Compile(record, position);
  const std::lock_guard lock(mutex_);
  known_ = position;
  records_[position] = std::move(record);
  if (!edition.ok()) return edition.status();
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
  const auto record = records_.find(control_position);
  if (record == records_.end() || record->second.rules() != rules) {
    return absl::FailedPreconditionError(absl::StrCat("the journal names rules that the control topic does not have: ",
                                                      std::string(rules), " at position ", control_position));
  }
  if (Edition edition = in_use_[control_position].lock()) return edition;
  auto edition = Compile(record->second, control_position);
  if (!edition.ok()) {
    return absl::FailedPreconditionError(absl::StrCat("this build cannot use the rules that were in force, of ",
                                                      record->second.name(), ": ", edition.status().message()));
  }
  in_use_[control_position] = *edition;
  return edition;
}

}  // namespace portrait
