// A file of rules: which tag a customer has, and when (docs/rules.md).
//
//   absl::StatusOr<RuleFile> rules = ReadRules("deploy/tags.yaml", yaml, chain.features());
//
// Checked as a whole: the keys, the names of the tags and groups, and each condition against the features.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "operators/features.h"
#include "operators/rules/rule_set.h"

namespace portrait {

inline constexpr size_t kRuleFileBytes = 2 * 1024 * 1024;

// The rules that count unless others are given: deploy/tags.yaml as it was when this was built.
extern const std::string_view kDefaultRules;

struct RuleFile {
  std::vector<rules::Rule> rules;
  size_t steps = 0;                  // of the program that the conditions make together
  size_t features = 0;               // that they read, windows among them
  std::vector<std::string> windows;  // of events: what is kept of them, in words
};

// InvalidArgument: every problem of the file, as "file:line:column: what" with the line and a mark under the place, at
// most 20 of them. The features must outlive nothing.
absl::StatusOr<RuleFile> ReadRules(std::string_view name, std::string_view yaml, const FeatureRegistry& features);

}  // namespace portrait
