#include "pipeline/tools/mapping.h"

#include <array>
#include <fstream>
#include <functional>
#include <sstream>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "pipeline/config/config_node.h"

namespace portrait {

namespace {

using Kind = ConfigNode::Kind;

struct TestName {
  std::string_view name;
  RowCondition::Test test;
  bool takes_operand;
};

// Longer ones first where one begins with another.
constexpr std::array kTests = {
    TestName{" does not start with ", RowCondition::Test::kStartsNot, true},
    TestName{" starts with ", RowCondition::Test::kStarts, true},
    TestName{" is not empty", RowCondition::Test::kNotEmpty, false},
    TestName{" is empty", RowCondition::Test::kEmpty, false},
    TestName{" <= ", RowCondition::Test::kLessOrEqual, true},
    TestName{" >= ", RowCondition::Test::kGreaterOrEqual, true},
    TestName{" != ", RowCondition::Test::kNotEqual, true},
    TestName{" < ", RowCondition::Test::kLess, true},
    TestName{" > ", RowCondition::Test::kGreater, true},
    TestName{" = ", RowCondition::Test::kEqual, true},
};

std::string Trimmed(std::string_view text) {
  return std::string(absl::StripAsciiWhitespace(absl::string_view(text.data(), text.size())));
}

// Reads one document into a mapping and collects what is wrong.
class MappingReader {
 public:
  MappingReader(ConfigProblems& problems, Mapping& mapping) : problems_(problems), mapping_(mapping) {}

  void Read(const ConfigNode& root) {
    if (root.kind == Kind::kNothing) return problems_.Add(0, "", "the file is empty");
    Entries(root, "", [this](const ConfigNode::Entry& entry) {
      const std::string& key = entry.key;
      const ConfigNode& value = entry.value;
      if (key == "table") return Entries(value, "table", [this](const auto& inner) { return ReadTable(inner); });
      if (key == "decimal_mark") return ReadMark(entry);
      if (key == "customer") return Text(entry, mapping_.customer);
      if (key == "time") return ReadTime(entry);
      if (key == "event") return ReadEvent(entry);
      if (key == "event_id") return Text(entry, mapping_.event_id);
      if (key == "group") return Text(entry, mapping_.group);
      if (key == "fields") return Entries(value, "fields", [this](const auto& inner) { return ReadField(inner); });
      if (key == "where") return ReadConditions(entry);
      return false;
    });
  }

 private:
  using EntryReader = std::function<bool(const ConfigNode::Entry&)>;

  // True always: the entry is known, whatever is wrong with it.
  bool Entries(const ConfigNode& node, std::string_view name, const EntryReader& read) {
    if (node.kind != Kind::kMap) problems_.Add(node.line, name, "needs keys and values");
    for (const ConfigNode::Entry& entry : node.entries) {
      if (!read(entry)) problems_.Add(entry.line, entry.key, "no such setting");
    }
    return true;
  }

  bool Text(const ConfigNode::Entry& entry, std::string& to) {
    if (entry.value.kind != Kind::kScalar || entry.value.text.empty()) {
      problems_.Add(entry.line, entry.key, "needs a value");
    } else {
      to = entry.value.text;
    }
    return true;
  }

  bool TextList(const ConfigNode::Entry& entry, std::vector<std::string>& to) {
    if (entry.value.kind != Kind::kList) problems_.Add(entry.line, entry.key, "needs a list: [a, b]");
    for (const ConfigNode& item : entry.value.items) to.push_back(item.text);
    return true;
  }

  // The value of one of several names.
  template <class Value>
  bool Choice(const ConfigNode::Entry& entry, std::initializer_list<std::pair<std::string_view, Value>> choices,
              Value& to) {
    std::string names;
    for (const auto& [name, value] : choices) {
      if (entry.value.text == name) {
        to = value;
        return true;
      }
      absl::StrAppend(&names, names.empty() ? "" : ", ", absl::string_view(name.data(), name.size()));
    }
    problems_.Add(entry.line, entry.key, absl::StrCat("is none of ", names, ": ", entry.value.text));
    return true;
  }

  bool ReadTable(const ConfigNode::Entry& entry) {
    TableOptions& table = mapping_.table;
    if (entry.key == "format") {
      return Choice<TableFormat>(
          entry,
          {{"csv", TableFormat::kCsv}, {"whitespace", TableFormat::kWhitespace}, {"ndjson", TableFormat::kNdjson}},
          table.format);
    }
    if (entry.key == "encoding") {
      return Choice<TextEncoding>(entry, {{"utf-8", TextEncoding::kUtf8}, {"latin-1", TextEncoding::kLatin1}},
                                  table.encoding);
    }
    if (entry.key == "header") return Choice<bool>(entry, {{"true", true}, {"false", false}}, table.header);
    if (entry.key == "columns") return TextList(entry, table.columns);
    if (entry.key != "delimiter") return false;
    const std::string& text = entry.value.text;
    if (text == "tab" || text == "\\t") {
      table.delimiter = '\t';
    } else if (text.size() == 1) {
      table.delimiter = text[0];
    } else {
      problems_.Add(entry.line, entry.key, absl::StrCat("needs one character, or tab: ", text));
    }
    return true;
  }

  bool ReadMark(const ConfigNode::Entry& entry) {
    return Choice<char>(entry, {{".", '.'}, {",", ','}}, mapping_.decimal_mark);
  }

  bool ReadTime(const ConfigNode::Entry& entry) {
    if (entry.value.kind == Kind::kScalar) return Text(entry, mapping_.time.column);
    return Entries(entry.value, "time", [this](const ConfigNode::Entry& inner) {
      if (inner.key == "column") return Text(inner, mapping_.time.column);
      if (inner.key == "format") return Text(inner, mapping_.time.format);
      if (inner.key != "zone") return false;
      if (!absl::LoadTimeZone(inner.value.text, &mapping_.time.zone)) {
        problems_.Add(inner.line, "zone", absl::StrCat("no such time zone: ", inner.value.text));
      }
      return true;
    });
  }

  std::optional<EventKind> Named(int line, const std::string& name) {
    const auto kind = EventKindNamed(name);
    if (!kind) problems_.Add(line, "event", absl::StrCat("no such kind of event (see event.proto): ", name));
    return kind;
  }

  bool ReadEvent(const ConfigNode::Entry& entry) {
    if (entry.value.kind == Kind::kScalar) {
      mapping_.event = Named(entry.line, entry.value.text).value_or(Event::BODY_NOT_SET);
      return true;
    }
    return Entries(entry.value, "event", [this](const ConfigNode::Entry& inner) {
      if (inner.key == "column") return Text(inner, mapping_.event_column);
      if (inner.key != "names") return false;
      return Entries(inner.value, "names", [this](const ConfigNode::Entry& name) {
        if (const auto kind = Named(name.line, name.value.text)) mapping_.event_names[name.key] = *kind;
        return true;
      });
    });
  }

  bool ReadField(const ConfigNode::Entry& entry) {
    FieldMapping field{.field = entry.key, .source = {}};
    if (entry.value.kind == Kind::kScalar) {
      Text(entry, field.source.text);
    } else {
      Entries(entry.value, entry.key, [&](const ConfigNode::Entry& inner) {
        if (inner.key == "column") return Text(inner, field.source.text);
        if (inner.key == "constant")
          return field.source.kind = ValueSource::Kind::kConstant, Text(inner, field.source.text);
        if (inner.key == "multiply") {
          return field.source.kind = ValueSource::Kind::kProduct, TextList(inner, field.source.factors);
        }
        return false;
      });
    }
    mapping_.fields.push_back(std::move(field));
    return true;
  }

  bool ReadConditions(const ConfigNode::Entry& entry) {
    std::vector<std::string> texts;
    TextList(entry, texts);
    for (const std::string& text : texts) {
      auto condition = ParseCondition(text);
      if (condition.ok()) {
        mapping_.where.push_back(*std::move(condition));
      } else {
        const absl::string_view message = condition.status().message();
        problems_.Add(entry.line, "where", {message.data(), message.size()});
      }
    }
    return true;
  }

  ConfigProblems& problems_;
  Mapping& mapping_;
};

}  // namespace

absl::StatusOr<RowCondition> ParseCondition(std::string_view text) {
  const std::string padded = absl::StrCat(absl::string_view(text.data(), text.size()), " ");
  for (const TestName& test : kTests) {
    const size_t at = padded.find(test.name);
    if (at == std::string::npos || at == 0) continue;
    RowCondition condition{.column = Trimmed(std::string_view(padded).substr(0, at)),
                           .test = test.test,
                           .operand = {},
                           .text = Trimmed(text)};
    condition.operand = Trimmed(std::string_view(padded).substr(at + test.name.size()));
    const bool has_operand = !condition.operand.empty();
    if (condition.column.empty() || has_operand != test.takes_operand) break;
    return condition;
  }
  return absl::InvalidArgumentError(
      absl::StrCat("no condition such as \"Quantity > 0\" (=, !=, <, <=, >, >=, starts with, does not start with, is "
                   "empty, is not empty): ",
                   std::string(text)));
}

ValueSource ParseValueSource(std::string_view text) {
  if (text.starts_with('=')) return {ValueSource::Kind::kConstant, std::string(text.substr(1)), {}};
  if (text.find('*') == std::string_view::npos) return {ValueSource::Kind::kColumn, std::string(text), {}};
  ValueSource source{ValueSource::Kind::kProduct, {}, {}};
  for (const absl::string_view factor : absl::StrSplit(absl::string_view(text.data(), text.size()), '*')) {
    source.factors.emplace_back(absl::StripAsciiWhitespace(factor));
  }
  return source;
}

absl::Status CheckMapping(const Mapping& mapping) {
  if (mapping.customer.empty()) return absl::InvalidArgumentError("customer: names no column");
  if (mapping.time.column.empty()) return absl::InvalidArgumentError("time: names no column");
  if (mapping.event == Event::BODY_NOT_SET && mapping.event_column.empty()) {
    return absl::InvalidArgumentError(
        "event: needs a kind of event, such as order_completed, or a column that says it");
  }
  if (mapping.table.format == TableFormat::kNdjson && !mapping.table.columns.empty()) {
    return absl::InvalidArgumentError("table: columns are named in each line of ndjson");
  }
  if (mapping.table.format == TableFormat::kCsv && mapping.table.delimiter == '"') {
    return absl::InvalidArgumentError("table: the delimiter cannot be the quote");
  }
  return absl::OkStatus();
}

absl::StatusOr<Mapping> ParseMapping(std::string_view yaml, std::string_view name) {
  ConfigProblems problems(name);
  Mapping mapping;
  const ConfigNode root = ReadConfigTree(yaml, problems);
  if (problems.empty()) MappingReader(problems, mapping).Read(root);
  if (problems.empty()) {
    if (const absl::Status status = CheckMapping(mapping); !status.ok()) {
      problems.Add(0, "", {status.message().data(), status.message().size()});
    }
  }
  if (!problems.empty()) return absl::InvalidArgumentError(problems.Text());
  return mapping;
}

absl::StatusOr<Mapping> LoadMapping(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  if (file) text << file.rdbuf();
  if (!file || file.bad()) return absl::InvalidArgumentError(absl::StrCat("cannot read this mapping: ", path.string()));
  return ParseMapping(text.str(), path.string());
}

}  // namespace portrait
