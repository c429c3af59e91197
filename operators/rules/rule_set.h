// The rules of all tags together, checked and compiled: what the operator `tags` judges customers by (docs/rules.md).
//
//   absl::StatusOr<RuleSet> set = RuleSet::Compile(rules, features);
//   set->detector().Before(watched, reader, seen);   // … what an event may change
//
// Rules are judged in units: a rule that stands alone, or a group, of whose tags a customer has exactly one.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "operators/features.h"
#include "operators/rules/change_detector.h"
#include "operators/rules/event_windows.h"
#include "operators/rules/next_change.h"
#include "operators/rules/program.h"

namespace portrait::rules {

inline constexpr size_t kMostRules = 2'000;

// As it is written.
struct Rule {
  std::string tag;
  std::string about;
  std::string group;   // tags of one group exclude each other; the first whose rule holds is the customer's
  std::string when;    // empty: always; for the last of a group
  std::string unless;  // empty: none, here and below
  std::string until;
  std::string each;  // a feature that is a list
};

// Constant once compiled; then safe from any thread.
class RuleSet {
 public:
  // InvalidArgument: the first mistake, with the tag, the key and the place within the condition. The features must
  // outlive the set. `windows`: those of another set that judges the same customers, to be shared; none: of its own.
  static absl::StatusOr<std::unique_ptr<const RuleSet>> Compile(std::vector<Rule> rules,
                                                                const FeatureRegistry& features,
                                                                std::shared_ptr<EventWindows> windows = nullptr);

  struct Compiled {
    Rule rule;
    std::optional<int32_t> when, unless, until;  // nodes of the program
    int32_t each = -1;                           // of the program's features
    int32_t unit = -1;
  };
  using Unit = std::vector<int32_t>;  // rules, in the order of the file

  const std::vector<Compiled>& rules() const { return rules_; }
  const std::vector<Unit>& units() const { return units_; }
  const Program& program() const { return program_; }
  const NextChange& next_change() const { return *next_change_; }
  const ChangeDetector& detector() const { return *detector_; }
  const EventWindows& windows() const { return *windows_; }

  // A hash of everything above; never 0.
  uint64_t version() const { return version_; }
  std::string VersionText() const;

  // The rule of a tag, "interest" of "interest:shoes"; -1: there is none.
  int32_t RuleOf(std::string_view tag) const;

  // Units that time alone may change.
  const std::vector<int32_t>& Timed() const { return timed_; }
  const std::vector<int32_t>& All() const { return all_; }

 private:
  RuleSet() = default;
  absl::Status Add(Rule rule, const FeatureRegistry& features);
  void Index();

  Program program_;
  std::shared_ptr<EventWindows> windows_;
  std::optional<NextChange> next_change_;
  std::optional<ChangeDetector> detector_;
  std::vector<Compiled> rules_;
  std::vector<Unit> units_;
  absl::flat_hash_map<std::string, int32_t> by_tag_, by_group_;
  std::vector<int32_t> timed_, all_;
  uint64_t version_ = 0;
};

// Gives the rules once the features are known that they are checked against, so that mistakes are told with their place
// in a file.
using RuleSource = std::function<absl::StatusOr<std::vector<Rule>>(const FeatureRegistry&)>;

}  // namespace portrait::rules
