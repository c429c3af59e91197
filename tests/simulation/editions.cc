#include "tests/simulation/editions.h"

#include "absl/strings/str_cat.h"
#include "tests/simulation/fold.h"

namespace portrait::simulation {

Editions::Editions() { all_.push_back(std::make_shared<ChainEdition>(ChainEdition{FoldingChain(0), "", 0})); }

bool Editions::Publish() {
  if (all_.size() == kMost) return false;
  const auto number = static_cast<int64_t>(all_.size());
  // The rules of an edition before may come back; those in force may stay, and others come into the shadow, or stay
  // there, or go.
  const ChainEdition& before = *all_.back();
  int64_t version = number % 4 == 3 ? number - 2 : number;
  int64_t shadow = before.shadow;
  if (number % 3 == 2) {
    version = version_;
    shadow = shadow == 0 ? number : 0;
  }
  version_ = version;
  all_.push_back(std::make_shared<ChainEdition>(
      ChainEdition{FoldingChain(FoldVersion(version, shadow)), absl::StrCat("v", version), number, shadow}));
  return true;
}

absl::StatusOr<ChainCatalog::Edition> KnownEditions::Find(std::string_view rules, int64_t control_position) {
  if (control_position < 0 || static_cast<size_t>(control_position) >= all_.size()) {
    return absl::FailedPreconditionError("an edition that was never published");
  }
  const Edition& found = all_.at(static_cast<size_t>(control_position));
  if (found->rules != rules) return absl::FailedPreconditionError("an edition of other rules");
  return found;
}

}  // namespace portrait::simulation
