#include "pipeline/tools/rule_impact.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "pipeline/control/rule_editions.h"
#include "pipeline/tools/progress_bar.h"
#include "pipeline/tools/rule_comparison.h"

namespace portrait {
namespace {

// "interest:*" of "interest:shoes": a rule may give as many tags as there are categories.
std::string KeyOf(const std::string& tag) {
  const size_t colon = tag.find(':');
  return colon == std::string::npos ? tag : tag.substr(0, colon) + ":*";
}

nlohmann::json ExamplesJson(const std::vector<TagImpact::Example>& examples) {
  nlohmann::json out = nlohmann::json::array();
  for (const auto& e : examples) out.push_back({{"customer", e.customer}, {"tag", e.tag}, {"why", e.why}});
  return out;
}

void AppendExamples(std::string& out, std::string_view verb, const std::string& key,
                    const std::vector<TagImpact::Example>& examples) {
  for (const auto& e : examples) {
    absl::StrAppend(&out, "  ", std::string(verb), " ", e.customer, e.tag == key ? "" : " (" + e.tag + ")", ": ", e.why,
                    "\n");
  }
}

}  // namespace

RuleImpact::RuleImpact(const Chain& in_force, const Chain& to_come, absl::TimeZone zone)
    : in_force_(in_force),
      to_come_(to_come),
      now_(in_force),
      then_(to_come),
      version_(RulesVersionOf(to_come)),
      calendar_(zone) {}

void RuleImpact::Changes::Add(size_t, std::string_view, const google::protobuf::Message& result) {
  if (result.GetDescriptor() != v1::TagChange::descriptor()) return;
  tags.push_back(static_cast<const v1::TagChange&>(result));
}

void RuleImpact::Count(const TagsOfChain& tags, const RowState& row, uint64_t TagImpact::* side) {
  if (tags.op == nullptr) return;
  for (const auto& tag : row.states.As<v1::state::Tags>(tags.slot).held()) ++(tags_[KeyOf(tag.name())].*side);
}

absl::Status RuleImpact::Add(std::string_view customer, std::string_view stored, Timestamp now) {
  RowState row;
  if (const auto number = in_force_.Decode(stored, row); !number.ok()) return number.status();
  if (row.gone) return absl::OkStatus();
  ++customers_;
  Changes before, changes;
  in_force_.FireTimers(now, customer, row, calendar_, before);
  // Where a sweep is still under way, the row may have been judged by rules before those in force.
  const SwitchCause cause{version_, 0};
  if (in_force_.Reconsiders(now, customer, row, calendar_)) {
    in_force_.Switch(cause, now, customer, row, calendar_, before);
  }
  Count(now_, row, &TagImpact::now);
  if (to_come_.Reconsiders(now, customer, row, calendar_)) {
    to_come_.Switch(cause, now, customer, row, calendar_, changes);
  }
  Count(then_, row, &TagImpact::then);
  if (absl::Status s = to_come_.Damage(row); !s.ok()) return s;
  changing_ += changes.tags.empty() ? 0 : 1;
  for (const v1::TagChange& change : changes.tags) {
    TagImpact& tag = tags_[KeyOf(change.tag())];
    ++(change.after() ? tag.come : tag.go);
    auto& examples = change.after() ? tag.coming : tag.going;
    if (examples.size() >= kImpactExamples) continue;
    examples.push_back({std::string(customer), change.tag(),
                        WhyText({change.info().reasons().begin(), change.info().reasons().end()})});
  }
  return absl::OkStatus();
}

std::string RuleImpact::Text() const {
  std::vector<std::pair<std::string, const TagImpact*>> differing;
  for (const auto& [tag, impact] : tags_) {
    if (impact.come + impact.go > 0) differing.emplace_back(tag, &impact);
  }
  std::stable_sort(differing.begin(), differing.end(), [](const auto& a, const auto& b) {
    return a.second->come + a.second->go > b.second->come + b.second->go;
  });
  const size_t same = tags_.size() - differing.size();
  std::string out = absl::StrCat(LongCount(changing_), " of ", LongCount(customers_), " customers change; ", same,
                                 same == 1 ? " tag stays as it is\n" : " tags stay as they are\n");
  if (differing.empty()) return out;
  size_t width = 3;
  for (const auto& [tag, impact] : differing) width = std::max(width, tag.size());
  absl::StrAppendFormat(&out, "\n%-*s %9s %9s %9s %9s\n", static_cast<int>(width), "tag", "now", "then", "come", "go");
  for (const auto& [tag, i] : differing) {
    absl::StrAppendFormat(&out, "%-*s %9s %9s %9s %9s\n", static_cast<int>(width), tag, LongCount(i->now),
                          LongCount(i->then), LongCount(i->come), LongCount(i->go));
  }
  for (const auto& [tag, i] : differing) {
    absl::StrAppend(&out, "\n", tag, "\n");
    AppendExamples(out, "comes to", tag, i->coming);
    AppendExamples(out, "goes from", tag, i->going);
  }
  return out;
}

nlohmann::json RuleImpact::Json() const {
  nlohmann::json tags = nlohmann::json::object();
  for (const auto& [tag, i] : tags_) {
    tags[tag] = {{"now", i.now},
                 {"then", i.then},
                 {"come", i.come},
                 {"go", i.go},
                 {"coming", ExamplesJson(i.coming)},
                 {"going", ExamplesJson(i.going)}};
  }
  return {{"customers", customers_}, {"changing", changing_}, {"tags", std::move(tags)}};
}

}  // namespace portrait
