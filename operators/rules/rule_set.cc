#include "operators/rules/rule_set.h"

#include <xxhash.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "operators/rules/compiler.h"

namespace portrait::rules {
namespace {

absl::Status Wrong(const Rule& rule, std::string_view key, std::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat("rule ", rule.tag, ": ", std::string(key), ": ", std::string(what)));
}

}  // namespace

absl::StatusOr<std::unique_ptr<const RuleSet>> RuleSet::Compile(std::vector<Rule> rules,
                                                                const FeatureRegistry& features,
                                                                std::shared_ptr<EventWindows> windows) {
  if (rules.size() > kMostRules) {
    return absl::InvalidArgumentError(absl::StrCat("too many rules; at most ", kMostRules, ": ", rules.size()));
  }
  std::unique_ptr<RuleSet> set(new RuleSet());
  set->windows_ = windows ? std::move(windows) : std::make_shared<EventWindows>(features);
  set->windows_->BeginSet();
  for (Rule& rule : rules) {
    if (absl::Status s = set->Add(std::move(rule), features); !s.ok()) return s;
  }
  for (const Unit& unit : set->units_) {
    for (size_t i = 0; i < unit.size(); ++i) {
      const Compiled& c = set->rules_[static_cast<size_t>(unit[i])];
      const bool last = !c.rule.group.empty() && i + 1 == unit.size();
      const bool always = !c.when && !c.unless && !c.until;
      if (last && !always) {
        return Wrong(
            c.rule, "when",
            absl::StrCat("the last rule of a group takes everybody who is left, so it has no condition: group ",
                         c.rule.group));
      }
      if (!last && !c.when) return Wrong(c.rule, "when", "is missing; only the last rule of a group goes without");
    }
  }
  set->next_change_.emplace(set->program_);
  set->Index();
  return set;
}

absl::Status RuleSet::Add(Rule rule, const FeatureRegistry& features) {
  const auto index = static_cast<int32_t>(rules_.size());
  if (!by_tag_.emplace(rule.tag, index).second) return Wrong(rule, "tag", "two rules for one tag");
  Compiled compiled;
  Scope scope;
  scope.decided = kDecided;
  scope.windows = &*windows_;
  if (rule.each == kDecided) return Wrong(rule, "each", "a rule cannot depend on what the rules decide");
  if (!rule.each.empty()) {
    const auto list = features.Find(rule.each);
    if (!list.ok()) return Wrong(rule, "each", std::string(list.status().message()));
    if (list->description().type != FeatureType::kItems) return Wrong(rule, "each", "needs a feature that is a list");
    if (!rule.group.empty()) return Wrong(rule, "each", "one tag for each element cannot be one of a group");
    scope.each = *list;
    compiled.each = program_.FeatureIndex(*list);
  }
  Compiler compiler(features, program_);
  const auto compile = [&](std::string_view key, const std::string& source, std::optional<int32_t>& node) {
    if (source.empty()) return absl::OkStatus();
    const auto compiled_node = compiler.Condition(source, scope);
    if (!compiled_node.ok()) return Wrong(rule, key, std::string(compiled_node.status().message()));
    node = *compiled_node;
    return absl::OkStatus();
  };
  if (absl::Status s = compile("when", rule.when, compiled.when); !s.ok()) return s;
  if (absl::Status s = compile("unless", rule.unless, compiled.unless); !s.ok()) return s;
  scope.since = true;
  if (absl::Status s = compile("until", rule.until, compiled.until); !s.ok()) return s;

  compiled.unit = static_cast<int32_t>(units_.size());
  if (!rule.group.empty()) compiled.unit = by_group_.emplace(rule.group, compiled.unit).first->second;
  if (static_cast<size_t>(compiled.unit) == units_.size()) units_.emplace_back();
  units_[static_cast<size_t>(compiled.unit)].push_back(index);
  compiled.rule = std::move(rule);
  rules_.push_back(std::move(compiled));
  return absl::OkStatus();
}

void RuleSet::Index() {
  std::string text;
  std::vector<WatchedUnit> watched(units_.size());
  for (size_t unit = 0; unit < units_.size(); ++unit) {
    const auto number = static_cast<int32_t>(unit);
    bool timed = false;
    for (const int32_t r : units_[unit]) {
      const Compiled& c = rules_[static_cast<size_t>(r)];
      watched[unit].each = c.each;
      for (const auto& node : {c.when, c.unless, c.until}) {
        if (!node) continue;
        watched[unit].conditions.push_back(*node);
        timed = timed || next_change_->Depends(*node);
      }
    }
    all_.push_back(number);
    if (timed) timed_.push_back(number);
  }
  detector_.emplace(program_, watched);
  for (const Compiled& c : rules_) {
    for (const std::string* part :
         {&c.rule.tag, &c.rule.about, &c.rule.group, &c.rule.when, &c.rule.unless, &c.rule.until, &c.rule.each}) {
      absl::StrAppend(&text, part->size(), ":", *part);
    }
  }
  version_ = std::max<uint64_t>(1, XXH3_64bits(text.data(), text.size()));
}

std::string RuleSet::VersionText() const { return absl::StrCat(absl::Hex(version_, absl::kZeroPad16)).substr(0, 12); }

int32_t RuleSet::RuleOf(std::string_view tag) const {
  const auto it = by_tag_.find(std::string(tag.substr(0, tag.find(':'))));
  return it == by_tag_.end() ? -1 : it->second;
}

}  // namespace portrait::rules
