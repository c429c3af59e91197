#include "pipeline/tools/rule_comparison.h"

#include <algorithm>
#include <set>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "pipeline/tools/progress_bar.h"
#include "pipeline/tools/result_text.h"

namespace portrait {
namespace {

std::string DayText(int32_t day) {
  return absl::FormatTime("%Y-%m-%d", absl::FromUnixSeconds(int64_t{day} * 86'400), absl::UTCTimeZone());
}

TagComparison::Moves Sum(const std::map<int32_t, TagComparison::Moves>& days) {
  TagComparison::Moves sum;
  for (const auto& [day, moves] : days) sum.came += moves.came, sum.went += moves.went;
  return sum;
}

nlohmann::json DaysJson(const std::map<int32_t, TagComparison::Moves>& days) {
  nlohmann::json out = nlohmann::json::object();
  for (const auto& [day, moves] : days) out[DayText(day)] = {{"came", moves.came}, {"went", moves.went}};
  return out;
}

nlohmann::json ExamplesJson(const std::vector<TagComparison::Example>& examples) {
  nlohmann::json out = nlohmann::json::array();
  for (const auto& example : examples) out.push_back({{"customer", example.customer}, {"why", example.why}});
  return out;
}

}  // namespace

std::string WhyText(const std::vector<v1::Reason>& reasons) {
  std::string out;
  for (const v1::Reason& reason : reasons) {
    const std::string text = ReasonText(reason);
    if (!text.empty()) absl::StrAppend(&out, out.empty() ? "" : "; ", text);
  }
  return out;
}

bool TagComparison::differs() const {
  if (enter > 0 || leave > 0) return true;
  return !std::equal(old_days.begin(), old_days.end(), new_days.begin(), new_days.end(),
                     [](const auto& a, const auto& b) {
                       return a.first == b.first && a.second.came == b.second.came && a.second.went == b.second.went;
                     });
}

void RuleComparison::Add(const std::string& customer, const std::vector<Event>& events, Timestamp until) {
  old_.Live(customer, events, until);
  new_.Live(customer, events, until);
  ++customers_;
  for (const auto& [past, by_day] : {std::pair{&old_, &TagComparison::old_days}, {&new_, &TagComparison::new_days}}) {
    for (const v1::TagChange& change : past->changes()) {
      TagComparison::Moves& moves =
          (tags_[change.tag()].*by_day)[calendar_.At(FromMicros(change.info().event_time_us())).day];
      ++(change.after() ? moves.came : moves.went);
    }
  }
  const std::vector<std::string> before = old_.Held(), after = new_.Held();
  const std::set<std::string> had(before.begin(), before.end()), has(after.begin(), after.end());
  for (const std::string& tag : had) ++tags_[tag].before;
  for (const std::string& tag : has) ++tags_[tag].after;
  differing_ += had != has;
  for (const std::string& tag : has) {
    if (had.contains(tag)) continue;
    TagComparison& comparison = tags_[tag];
    if (++comparison.enter <= kComparisonExamples) comparison.entering.push_back({customer, WhyEnters(tag)});
  }
  for (const std::string& tag : had) {
    if (has.contains(tag)) continue;
    TagComparison& comparison = tags_[tag];
    if (++comparison.leave <= kComparisonExamples) comparison.leaving.push_back({customer, WhyLeaves(tag)});
  }
}

std::string RuleComparison::WhyEnters(const std::string& tag) const {
  const auto standing = new_.Explain(tag);
  return standing.ok() ? WhyText(standing->reasons) : std::string();
}

std::string RuleComparison::WhyLeaves(const std::string& tag) const {
  const auto standing = new_.Explain(tag);
  return standing.ok() ? WhyText(standing->reasons) : std::string("no rule gives this tag any more");
}

std::string RuleComparison::Text(bool by_day) const {
  std::vector<std::pair<std::string, const TagComparison*>> differing;
  size_t same = 0;
  for (const auto& [tag, comparison] : tags_) {
    if (comparison.differs()) {
      differing.emplace_back(tag, &comparison);
    } else {
      ++same;
    }
  }
  std::stable_sort(differing.begin(), differing.end(), [](const auto& a, const auto& b) {
    return a.second->enter + a.second->leave > b.second->enter + b.second->leave;
  });
  std::string out =
      absl::StrCat(LongCount(differing_), " of ", LongCount(customers_), " customers would have other tags; ", same,
                   same == 1 ? " tag is" : " tags are", " the same throughout\n");
  if (differing.empty()) return out;
  size_t width = 3;
  for (const auto& [tag, comparison] : differing) width = std::max(width, tag.size());
  absl::StrAppendFormat(&out, "\n%-*s %9s %9s %9s %9s   %s\n", static_cast<int>(width), "tag", "old", "new", "enter",
                        "leave", "came and went, old -> new");
  for (const auto& [tag, c] : differing) {
    const TagComparison::Moves o = Sum(c->old_days), n = Sum(c->new_days);
    absl::StrAppendFormat(&out, "%-*s %9s %9s %9s %9s   +%s -%s -> +%s -%s\n", static_cast<int>(width), tag,
                          LongCount(c->before), LongCount(c->after), LongCount(c->enter), LongCount(c->leave),
                          LongCount(o.came), LongCount(o.went), LongCount(n.came), LongCount(n.went));
  }
  for (const auto& [tag, c] : differing) {
    if (c->entering.empty() && c->leaving.empty()) continue;
    absl::StrAppend(&out, "\n", tag, "\n");
    for (const auto& e : c->entering) absl::StrAppend(&out, "  enters ", e.customer, ": ", e.why, "\n");
    for (const auto& e : c->leaving) absl::StrAppend(&out, "  leaves ", e.customer, ": ", e.why, "\n");
  }
  if (!by_day) return out;
  for (const auto& [tag, c] : differing) {
    absl::StrAppend(&out, "\n", tag, " by day, old -> new\n");
    std::set<int32_t> all;
    for (const auto* side : {&c->old_days, &c->new_days}) {
      for (const auto& [day, moves] : *side) all.insert(day);
    }
    for (const int32_t day : all) {
      const auto of = [day](const auto& side) {
        const auto it = side.find(day);
        return it == side.end() ? TagComparison::Moves() : it->second;
      };
      const TagComparison::Moves o = of(c->old_days), n = of(c->new_days);
      absl::StrAppendFormat(&out, "  %s  +%d -%d -> +%d -%d\n", DayText(day), o.came, o.went, n.came, n.went);
    }
  }
  return out;
}

nlohmann::json RuleComparison::Json() const {
  nlohmann::json tags = nlohmann::json::object();
  for (const auto& [tag, c] : tags_) {
    tags[tag] = {{"old", c.before},
                 {"new", c.after},
                 {"enter", c.enter},
                 {"leave", c.leave},
                 {"entering", ExamplesJson(c.entering)},
                 {"leaving", ExamplesJson(c.leaving)},
                 {"old_days", DaysJson(c.old_days)},
                 {"new_days", DaysJson(c.new_days)}};
  }
  return {{"customers", customers_}, {"differing", differing_}, {"tags", std::move(tags)}};
}

}  // namespace portrait
