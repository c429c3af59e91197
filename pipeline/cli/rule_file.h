// A file of rules: which tag a customer has, and when (docs/rules.md).
//
//   absl::StatusOr<RuleFile> rules = ReadRules("deploy/tags.yaml", yaml, chain.features());
//
// Checked as a whole: the keys, the names of the tags, and each condition against the features.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "operators/features.h"

namespace portrait {

inline constexpr size_t kRuleFileBytes = 2 * 1024 * 1024;
inline constexpr size_t kMostRules = 2'000;

struct Rule {
  std::string tag;
  std::string about;
  std::string when;
  std::string unless;  // empty: none, here and below
  std::string until;
  std::string each;  // a feature that is a list
};

struct RuleFile {
  std::vector<Rule> rules;
  size_t steps = 0;     // of the program that the conditions make together
  size_t features = 0;  // that they read
};

// InvalidArgument: every problem of the file, as "file:line:column: what" with the line and a mark under the place, at
// most 20 of them. The features must outlive nothing.
absl::StatusOr<RuleFile> ReadRules(std::string_view name, std::string_view yaml, const FeatureRegistry& features);

}  // namespace portrait
