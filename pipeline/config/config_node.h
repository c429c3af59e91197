// A configuration file as a tree that remembers lines, with the environment filled in. Keeps yaml-cpp and its
// exceptions to itself.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace portrait {

// All errors of one file, in the order of its lines.
class ConfigProblems {
 public:
  explicit ConfigProblems(std::string_view file) : file_(file) {}

  // "file:line: key: what". A key or line that there is none for is left out (empty, 0).
  void Add(int line, std::string_view key, std::string_view what);
  bool empty() const { return problems_.empty(); }
  // One a line.
  std::string Text() const;

 private:
  struct Problem {
    int line;
    std::string text;
  };
  std::string file_;
  std::vector<Problem> problems_;
};

struct ConfigNode {
  enum class Kind { kNothing, kScalar, kList, kMap };
  struct Entry;

  Kind kind = Kind::kNothing;
  bool usable = true;   // false: a problem has been reported already, such as a variable that does not exist
  int line = 0;         // counted from 1
  std::string text;     // of a scalar, ${NAME} replaced from the environment
  std::string written;  // of a scalar, as in the file: what messages may show
  std::vector<ConfigNode> items;
  std::vector<Entry> entries;  // in the order of the file

  bool from_environment() const { return text != written; }
};

struct ConfigNode::Entry {
  std::string key;
  int line = 0;
  ConfigNode value;
};

// Reads one YAML document. Broken YAML, a second document, a key given twice in one map, and ${NAME} of a variable that
// does not exist are problems. $${ stands for ${.
ConfigNode ReadConfigTree(std::string_view yaml, ConfigProblems& problems);

}  // namespace portrait
