#include "pipeline/config/rule_file.h"

#include <algorithm>
#include <cctype>
#include <exception>
#include <map>
#include <set>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "operators/nearest_name.h"
#include "operators/rules/compiler.h"
#include "operators/rules/expression.h"
#include "yaml-cpp/yaml.h"

namespace portrait {
namespace {

constexpr size_t kMostProblems = 20;
constexpr size_t kTagBytes = 64;
constexpr size_t kAboutBytes = 500;
const std::vector<std::string_view> kKeys = {"tag", "about", "group", "when", "unless", "until", "each"};

struct Text {
  std::string content;
  size_t at = 0;  // where in the file
};

bool IsBlank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

// The byte of a text at a line and a column, both from 1, the column in characters.
size_t OffsetOf(std::string_view text, int line, int column) {
  size_t at = 0;
  for (; line > 1; --line) at = std::min(text.find('\n', at), text.size() - 1) + 1;
  for (; column > 1 && at < text.size(); --column) {
    do ++at;
    while (at < text.size() && (static_cast<unsigned char>(text[at]) & 0xC0) == 0x80);
  }
  return std::min(at, text.size());
}

class RuleReader {
 public:
  RuleReader(std::string_view name, std::string_view yaml, const FeatureRegistry& features)
      : name_(name), yaml_(yaml), features_(features), windows_(features), compiler_(features, program_) {}

  absl::StatusOr<RuleFile> Read() {
    if (yaml_.size() > kRuleFileBytes) {
      return absl::InvalidArgumentError(absl::StrCat(std::string(name_), ":1:1: a rule file is too long; at most ",
                                                     kRuleFileBytes, " bytes: ", yaml_.size()));
    }
    try {
      const std::vector<YAML::Node> documents = YAML::LoadAll(std::string(yaml_));
      if (documents.size() > 1) {
        Problem(AtMark(documents[1].Mark()), "one document only");
      } else if (documents.empty() || documents[0].IsNull()) {
        Problem(0, "there are no rules; a list of them is wanted, each with `tag` and `when`");
      } else {
        ReadList(documents[0]);
      }
    } catch (const YAML::Exception& error) {
      Problem(AtMark(error.mark), absl::StrCat("not YAML: ", error.msg,
                                               "; a condition with : # or quotes at its "
                                               "beginning is to be put in quotes itself"));
    }
    if (count_ == 0) {
      out_.steps = program_.nodes.size();
      out_.features = program_.features.size();
      out_.windows = windows_.Kept();
      return std::move(out_);
    }
    if (count_ > kMostProblems) absl::StrAppend(&problems_, "\nand ", count_ - kMostProblems, " more");
    return absl::InvalidArgumentError(problems_);
  }

 private:
  void Problem(size_t at, std::string_view what) {
    if (++count_ > kMostProblems) return;
    absl::StrAppend(&problems_, problems_.empty() ? "" : "\n", std::string(name_), ":",
                    std::string(rules::MistakeAt(yaml_, at, what).message()));
  }

  // yaml-cpp counts columns in bytes.
  size_t AtMark(const YAML::Mark& mark) const {
    if (mark.is_null()) return 0;
    return std::min(OffsetOf(yaml_, mark.line + 1, 1) + static_cast<size_t>(mark.column), yaml_.size());
  }

  void ReadList(const YAML::Node& list) {
    if (!list.IsSequence()) return Problem(AtMark(list.Mark()), "a list of rules is wanted: - tag: …");
    if (list.size() > rules::kMostRules) {
      return Problem(AtMark(list[rules::kMostRules].Mark()),
                     absl::StrCat("too many rules; at most ", rules::kMostRules, ": ", list.size()));
    }
    for (const YAML::Node& rule : list) ReadRule(rule);
    if (count_ == 0) CheckWhens();
  }

  void ReadRule(const YAML::Node& node) {
    const size_t at = AtMark(node.Mark());
    if (!node.IsMap()) return Problem(at, "a rule is wanted: tag: … and when: …");
    std::map<std::string, Text, std::less<>> given;
    const size_t before = count_;
    for (const auto& entry : node) ReadEntry(entry.first, entry.second, given);
    if (count_ == before && given.count("tag") == 0) Problem(at, "a rule lacks `tag`");
    if (count_ != before) return;
    CheckTag(given["tag"]);
    if (given.count("group") > 0) CheckName(given["group"], "group");
    if (given.count("group") > 0 && given.count("each") > 0) {
      Problem(given["group"].at,
              "a rule with `each` cannot be in a group: a customer has one tag of a group, not several");
    }
    if (given["about"].content.size() > kAboutBytes) {
      Problem(given["about"].at, absl::StrCat("too long; at most ", kAboutBytes, " bytes"));
    }
    rules::Scope scope;
    scope.decided = rules::kDecided;
    scope.windows = &windows_;
    if (const Text& each = given["each"]; !each.content.empty() && !CheckEach(each, scope)) return;
    if (given.count("when") > 0) CheckCondition(given["when"], scope);
    if (given.count("unless") > 0) CheckCondition(given["unless"], scope);
    scope.since = true;
    if (given.count("until") > 0) CheckCondition(given["until"], scope);
    out_.rules.push_back({.tag = given["tag"].content,
                          .about = given["about"].content,
                          .group = given["group"].content,
                          .when = given["when"].content,
                          .unless = given["unless"].content,
                          .until = given["until"].content,
                          .each = given["each"].content});
    places_.push_back(at);
  }

  // Every rule has a `when` but the last of each group, which takes everybody who is left.
  void CheckWhens() {
    std::map<std::string, size_t, std::less<>> last;
    for (size_t i = 0; i < out_.rules.size(); ++i) last[out_.rules[i].group] = i;
    for (size_t i = 0; i < out_.rules.size(); ++i) {
      const rules::Rule& rule = out_.rules[i];
      if (rule.group.empty() || last[rule.group] != i) {
        if (rule.when.empty()) Problem(places_[i], "a rule lacks `when`");
      } else if (!rule.when.empty() || !rule.unless.empty() || !rule.until.empty()) {
        Problem(places_[i],
                absl::StrCat("the last rule of a group takes everybody who is left, so it has no condition: ", "group ",
                             rule.group));
      }
    }
  }

  void ReadEntry(const YAML::Node& key, const YAML::Node& value, std::map<std::string, Text, std::less<>>& given) {
    const std::string name = key.IsScalar() ? key.Scalar() : "";
    const size_t at = AtMark(value.Mark());
    if (std::find(kKeys.begin(), kKeys.end(), name) == kKeys.end()) {
      return Problem(AtMark(key.Mark()), absl::StrCat("no such key: ", name, DidYouMean(name, kKeys)));
    }
    // A plain text that begins with ! is a tag of YAML's own.
    if (value.Tag().size() > 1 && value.Tag()[0] == '!') {
      return Problem(at, "YAML takes ! at the beginning for itself; put it in quotes");
    }
    if (!value.IsScalar() || value.Scalar().empty()) {
      return Problem(value.IsNull() ? AtMark(key.Mark()) : at, absl::StrCat("`", name, "` needs a text"));
    }
    if (!given.emplace(name, Text{value.Scalar(), at}).second) {
      Problem(AtMark(key.Mark()), absl::StrCat("given twice: ", name));
    }
  }

  void CheckName(const Text& text, std::string_view what) {
    const std::string& name = text.content;
    const bool good = name.size() <= kTagBytes && std::islower(static_cast<unsigned char>(name[0])) != 0 &&
                      std::all_of(name.begin(), name.end(), [](unsigned char c) {
                        return std::islower(c) != 0 || std::isdigit(c) != 0 || c == '_' || c == '-' || c == '.';
                      });
    if (!good) {
      Problem(text.at, absl::StrCat("not the name of a ", std::string(what),
                                    "; small letters, digits, _ - and . after a letter, at most ", kTagBytes, ": ",
                                    name.substr(0, kTagBytes)));
    }
  }

  void CheckTag(const Text& tag) {
    const std::string& name = tag.content;
    CheckName(tag, "tag");
    const auto [known, fresh] = tags_.emplace(name, tag.at);
    if (!fresh) {
      Problem(tag.at, absl::StrCat("two rules for one tag; the first is in line ",
                                   rules::PlaceOf(yaml_, known->second).line, ": ", name));
    }
  }

  bool CheckEach(const Text& each, rules::Scope& scope) {
    const auto feature = features_.Find(each.content);
    if (!feature.ok()) return Problem(each.at, std::string(feature.status().message())), false;
    if (each.content == rules::kDecided) {
      return Problem(each.at, absl::StrCat("a rule cannot depend on what the rules decide: ", each.content)), false;
    }
    if (feature->description().type != FeatureType::kItems) {
      return Problem(each.at, absl::StrCat("`each` needs a feature that is a list: ", each.content)), false;
    }
    scope.each = *feature;
    return true;
  }

  void CheckCondition(const Text& condition, const rules::Scope& scope) {
    const auto node = compiler_.Condition(condition.content, scope);
    if (node.ok()) return;
    // "line:column: what", and two lines that show the place.
    std::string what(node.status().message());
    what = what.substr(0, what.find('\n'));
    const size_t first = what.find(':'), second = what.find(": ", first + 1);
    int line = 1, column = 1;
    const bool placed = second != std::string::npos && absl::SimpleAtoi(what.substr(0, first), &line) &&
                        absl::SimpleAtoi(what.substr(first + 1, second - first - 1), &column);
    if (placed) what.erase(0, second + 2);
    Problem(InFile(condition, placed ? OffsetOf(condition.content, line, column) : 0), what);
  }

  // Where in the file a byte of a text is: both are followed, with blanks of any kind for blanks. Texts with escapes,
  // of which that cannot be said, have the place where they begin.
  size_t InFile(const Text& text, size_t offset) const {
    size_t at = text.at;
    if (at < yaml_.size() && (yaml_[at] == '\'' || yaml_[at] == '"')) ++at;
    if (at < yaml_.size() && (yaml_[at] == '|' || yaml_[at] == '>')) at = yaml_.find('\n', at);
    for (size_t i = 0; i <= offset && i <= text.content.size(); ++i) {
      if (i < text.content.size() && IsBlank(text.content[i])) continue;
      while (at < yaml_.size() && IsBlank(yaml_[at])) ++at;
      if (i == offset || i == text.content.size()) return std::min(at, yaml_.size());
      if (at >= yaml_.size() || yaml_[at] != text.content[i]) return text.at;
      ++at;
    }
    return std::min(at, yaml_.size());
  }

  std::string_view name_, yaml_;
  const FeatureRegistry& features_;
  rules::Program program_;
  rules::EventWindows windows_;
  rules::Compiler compiler_;
  std::map<std::string, size_t> tags_;  // by name: where
  std::vector<size_t> places_;          // of the rules
  RuleFile out_;
  std::string problems_;
  size_t count_ = 0;
};

}  // namespace

absl::StatusOr<RuleFile> ReadRules(std::string_view name, std::string_view yaml, const FeatureRegistry& features) {
  return RuleReader(name, yaml, features).Read();
}

}  // namespace portrait
