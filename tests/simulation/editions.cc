#include "tests/simulation/editions.h"

#include "absl/strings/str_cat.h"
#include "tests/simulation/fold.h"

namespace portrait::simulation {

Editions::Editions() { all_.push_back(std::make_shared<ChainEdition>(ChainEdition{FoldingChain(0), "", 0})); }

bool Editions::Publish() {
  if (all_.size() == kMost) return false;
  const auto number = static_cast<int64_t>(all_.size());
  // The rules of an edition before may come back.
  const int64_t version = number % 4 == 3 ? number - 2 : number;
  all_.push_back(std::make_shared<ChainEdition>(
      ChainEdition{FoldingChain(version), absl::StrCat("v", version), /*control_position=*/number}));
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
