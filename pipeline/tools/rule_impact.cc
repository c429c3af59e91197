#include "pipeline/tools/rule_impact.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "pipeline/control/rule_editions.h"
#include "pipeline/tools/progress_bar.h"
#include "pipeline/tools/rule_comparison.h"

namespace portrait {
namespace {

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
      shadow_(ShadowVersionOf(in_force) == version_),
      calendar_(zone) {}

void RuleImpact::Changes::Add(size_t, std::string_view, const google::protobuf::Message& result) {
  if (result.GetDescriptor() != v1::TagChange::descriptor()) return;
  tags.push_back(static_cast<const v1::TagChange&>(result));
}

void RuleImpact::Count(const TagsOfChain& tags, const RowState& row, uint64_t TagImpact::* side) {
  if (tags.op == nullptr) return;
  for (const auto& tag : row.states.As<v1::state::Tags>(tags.slot).held()) ++(tags_[TagFamily(tag.name())].*side);
}

void RuleImpact::CountShadow(const RowState& row) {
  for (const auto& count : row.states.As<v1::state::Tags>(now_.slot).shadow().counts()) {
    TagImpact& tag = tags_[count.tag()];
    tag.entries += count.entries();
    tag.exits += count.exits();
  }
}

uint64_t RuleImpact::entries() const {
  return std::accumulate(tags_.begin(), tags_.end(), uint64_t{0},
                         [](uint64_t n, const auto& t) { return n + t.second.entries; });
}

uint64_t RuleImpact::exits() const {
  return std::accumulate(tags_.begin(), tags_.end(), uint64_t{0},
                         [](uint64_t n, const auto& t) { return n + t.second.exits; });
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
  if (shadow_) CountShadow(row);
  if (to_come_.Reconsiders(now, customer, row, calendar_)) {
    to_come_.Switch(cause, now, customer, row, calendar_, changes);
  }
  Count(then_, row, &TagImpact::then);
  if (absl::Status s = to_come_.Damage(row); !s.ok()) return s;
  changing_ += changes.tags.empty() ? 0 : 1;
  for (const v1::TagChange& change : changes.tags) {
    TagImpact& tag = tags_[TagFamily(change.tag())];
    ++(change.after() ? tag.come : tag.go);
    auto& examples = change.after() ? tag.coming : tag.going;
    if (examples.size() >= kImpactExamples) continue;
    examples.push_back({std::string(customer), change.tag(),
                        WhyText({change.info().reasons().begin(), change.info().reasons().end()})});
  }
  return absl::OkStatus();
}

std::string RuleImpact::Table(const std::vector<std::pair<std::string, const TagImpact*>>& tags) const {
  size_t width = 3;
  for (const auto& [tag, impact] : tags) width = std::max(width, tag.size());
  const auto line = [&](const std::string& tag, std::vector<std::string> cells) {
    std::string out = absl::StrFormat("%-*s", static_cast<int>(width), tag);
    if (!shadow_) cells.resize(4);
    for (const std::string& cell : cells) absl::StrAppendFormat(&out, " %9s", cell);
    return out + "\n";
  };
  std::string out = "\n" + line("tag", {"now", "then", "come", "go", "entries", "exits"});
  for (const auto& [tag, i] : tags) {
    out += line(tag, {LongCount(i->now), LongCount(i->then), LongCount(i->come), LongCount(i->go),
                      LongCount(i->entries), LongCount(i->exits)});
  }
  return out;
}

std::string RuleImpact::Text() const {
  std::vector<std::pair<std::string, const TagImpact*>> differing;
  for (const auto& [tag, impact] : tags_) {
    if (impact.come + impact.go + impact.entries + impact.exits > 0) differing.emplace_back(tag, &impact);
  }
  std::stable_sort(differing.begin(), differing.end(), [](const auto& a, const auto& b) {
    return a.second->come + a.second->go > b.second->come + b.second->go;
  });
  const size_t same = tags_.size() - differing.size();
  std::string out = absl::StrCat(LongCount(changing_), " of ", LongCount(customers_), " customers change; ", same,
                                 same == 1 ? " tag stays as it is\n" : " tags stay as they are\n");
  if (differing.empty()) return out;
  out += Table(differing);
  for (const auto& [tag, i] : differing) {
    if (i->come + i->go == 0) continue;
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
    if (shadow_) tags[tag].update({{"entries", i.entries}, {"exits", i.exits}});
  }
  return {{"customers", customers_}, {"changing", changing_}, {"tags", std::move(tags)}};
}

}  // namespace portrait
