#include "operators/features.h"

#include "absl/strings/str_cat.h"
#include "operators/nearest_name.h"

namespace portrait {
absl::StatusOr<FeatureRef> FeatureRegistry::Find(std::string_view name) const {
  const auto it = by_name_.find(std::string(name));
  if (it != by_name_.end()) return all_[it->second];
  std::vector<std::string_view> names;
  for (const FeatureRef& feature : all_) names.push_back(feature.description().name);
  return absl::NotFoundError(absl::StrCat("no such feature: ", std::string(name), DidYouMean(name, names)));
}

absl::Status FeatureRegistry::FindAll(std::initializer_list<std::pair<std::string_view, FeatureRef*>> wanted) const {
  for (const auto& [name, place] : wanted) {
    auto found = Find(name);
    if (!found.ok()) return found.status();
    *place = *found;
  }
  return absl::OkStatus();
}

absl::Status FeatureRegistry::Add(Slot slot, const FeatureDescription* description,
                                  const google::protobuf::Message* empty, const EventKindSet* changed_by) {
  if (!by_name_.emplace(description->name, all_.size()).second) {
    return absl::AlreadyExistsError(absl::StrCat("two features of one name: ", description->name));
  }
  all_.push_back(FeatureRef(slot, description, empty, changed_by));
  return absl::OkStatus();
}

}  // namespace portrait
