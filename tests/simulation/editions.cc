#include "tests/simulation/editions.h"

#include "absl/strings/str_cat.h"
#include "tests/simulation/fold.h"

namespace portrait::simulation {

Editions::Editions() { all_.push_back(std::make_shared<ChainEdition>(ChainEdition{FoldingChain(0), "", 0})); }

bool Editions::Publish(bool of_models) {
  if (all_.size() == kMost) return false;
  const auto number = static_cast<int64_t>(all_.size());
  // The rules of an edition before may come back; those in force may stay, and others come into the shadow, or stay
  // there, or go. Models come by a record of their own, with all else as it was: into force, into the shadow, or from
  // there into force.
  const ChainEdition& before = *all_.back();
  int64_t shadow = before.shadow, models = before.models, models_shadow = before.models_shadow;
  if (of_models) {
    const bool into_shadow = number % 2 == 1 && models_shadow == 0;
    models_shadow = into_shadow ? number : number % 3 == 0 ? 0 : models_shadow;
    if (!into_shadow && number % 3 != 1) models = number;
  } else if (number % 3 == 2 && version_ != 0) {
    shadow = shadow == 0 ? number : 0;
  } else {
    version_ = number % 4 == 3 ? number - 2 : number;
  }
  all_.push_back(std::make_shared<ChainEdition>(
      ChainEdition{FoldingChain(FoldVersion(version_, shadow, models, models_shadow)),
                   version_ == 0 ? "" : absl::StrCat("v", version_), number, shadow, models, models_shadow}));
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
