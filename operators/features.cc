#include "operators/features.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace portrait {
namespace {

size_t EditDistance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t above = row[j];
      row[j] = std::min({above + 1, row[j - 1] + 1, diagonal + (a[i - 1] == b[j - 1] ? 0 : 1)});
      diagonal = above;
    }
  }
  return row[b.size()];
}

}  // namespace

absl::StatusOr<FeatureRef> FeatureRegistry::Find(std::string_view name) const {
  const auto it = by_name_.find(std::string(name));
  if (it != by_name_.end()) return all_[it->second];
  std::string nearest;
  size_t distance = name.size() / 2 + 1;
  for (const FeatureRef& feature : all_) {
    const size_t d = EditDistance(name, feature.description().name);
    if (d < distance) {
      distance = d;
      nearest = feature.description().name;
    }
  }
  return absl::NotFoundError(absl::StrCat("no such feature: ", std::string(name),
                                          nearest.empty() ? "" : "; did you mean ", nearest));
}

absl::Status FeatureRegistry::Add(Slot slot, const FeatureDescription* description,
                                  const google::protobuf::Message* empty) {
  if (!by_name_.emplace(description->name, all_.size()).second) {
    return absl::AlreadyExistsError(absl::StrCat("two features of one name: ", description->name));
  }
  all_.push_back(FeatureRef(slot, description, empty));
  return absl::OkStatus();
}

}  // namespace portrait
