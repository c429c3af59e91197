#include "pipeline/config/config_node.h"

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <exception>
#include <optional>
#include <set>

#include "absl/strings/str_cat.h"
#include "yaml-cpp/yaml.h"

namespace portrait {
namespace {

bool IsVariableName(std::string_view name) {
  return !name.empty() && std::isdigit(static_cast<unsigned char>(name[0])) == 0 &&
         std::all_of(name.begin(), name.end(), [](unsigned char c) { return std::isalnum(c) != 0 || c == '_'; });
}

// Replaces ${NAME}; nothing when that is not possible. The value of a variable is never part of a message.
std::optional<std::string> WithEnvironment(const std::string& written, int line, const std::string& path,
                                           ConfigProblems& problems) {
  std::string out;
  for (size_t at = 0; at < written.size();) {
    if (written.compare(at, 3, "$${") == 0) {
      out += "${";
      at += 3;
    } else if (written.compare(at, 2, "${") == 0) {
      const size_t end = std::min(written.find('}', at), written.size());
      const std::string name = written.substr(at + 2, end - at - 2);
      if (end == written.size() || !IsVariableName(name)) {
        problems.Add(line, path, absl::StrCat("not a variable; write ${NAME}, or $${ for ${ itself: ", written));
        return std::nullopt;
      }
      const char* value = std::getenv(name.c_str());
      if (value == nullptr) {
        problems.Add(line, path, absl::StrCat("no such environment variable: ", name));
        return std::nullopt;
      }
      out += value;
      at = end + 1;
    } else {
      out += written[at++];
    }
  }
  return out;
}

int LineOf(const YAML::Node& node) { return node.Mark().is_null() ? 0 : node.Mark().line + 1; }

class TreeReader {
 public:
  explicit TreeReader(ConfigProblems& problems) : problems_(problems) {}

  ConfigNode Read(const YAML::Node& from, const std::string& path) {
    ConfigNode node;
    node.line = LineOf(from);
    switch (from.Type()) {
      case YAML::NodeType::Undefined:
      case YAML::NodeType::Null: break;
      case YAML::NodeType::Scalar:
        node.kind = ConfigNode::Kind::kScalar;
        node.written = from.Scalar();
        if (auto text = WithEnvironment(node.written, node.line, path, problems_)) {
          node.text = *std::move(text);
        } else {
          node.usable = false;
        }
        break;
      case YAML::NodeType::Sequence:
        node.kind = ConfigNode::Kind::kList;
        for (const YAML::Node& item : from) node.items.push_back(Read(item, path));
        break;
      case YAML::NodeType::Map: ReadMap(from, path, node); break;
    }
    return node;
  }

 private:
  void ReadMap(const YAML::Node& from, const std::string& path, ConfigNode& node) {
    node.kind = ConfigNode::Kind::kMap;
    std::set<std::string> seen;
    for (const auto& entry : from) {
      const int line = LineOf(entry.first);
      if (!entry.first.IsScalar()) {
        problems_.Add(line, path, "a key must be a plain word");
        continue;
      }
      const std::string& key = entry.first.Scalar();
      const std::string below = path.empty() ? key : absl::StrCat(path, ".", key);
      if (!seen.insert(key).second) {
        problems_.Add(line, below, "given twice");
        continue;
      }
      node.entries.push_back({key, line, Read(entry.second, below)});
    }
  }

  ConfigProblems& problems_;
};

}  // namespace

void ConfigProblems::Add(int line, std::string_view key, std::string_view what) {
  std::string text = file_;
  if (line > 0) absl::StrAppend(&text, ":", line);
  text += ": ";
  if (!key.empty()) text.append(key).append(": ");
  problems_.push_back({line, text.append(what)});
}

std::string ConfigProblems::Text() const {
  std::vector<Problem> sorted = problems_;
  std::stable_sort(sorted.begin(), sorted.end(), [](const Problem& a, const Problem& b) { return a.line < b.line; });
  std::string out;
  for (const Problem& problem : sorted) absl::StrAppend(&out, out.empty() ? "" : "\n", problem.text);
  return out;
}

ConfigNode ReadConfigTree(std::string_view yaml, ConfigProblems& problems) {
  try {
    const std::vector<YAML::Node> documents = YAML::LoadAll(std::string(yaml));
    if (documents.empty()) return {};
    if (documents.size() > 1) problems.Add(LineOf(documents[1]), "", "a second document begins here; one is allowed");
    return TreeReader(problems).Read(documents[0], "");
  } catch (const YAML::Exception& error) {
    problems.Add(error.mark.is_null() ? 0 : error.mark.line + 1, "", absl::StrCat("not valid YAML: ", error.msg));
  } catch (const std::exception& error) {
    problems.Add(0, "", absl::StrCat("not valid YAML: ", error.what()));
  }
  return {};
}

}  // namespace portrait
