#include "pipeline/tools/table_reader.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"

namespace portrait {

namespace {

std::string Shown(std::string_view text) { return std::string(text.substr(0, TableReader::kShown)); }

bool IsBlank(std::string_view text) { return text.find_first_not_of(" \t\r") == std::string_view::npos; }

std::vector<std::string> SplitAtBlanks(std::string_view text) {
  return absl::StrSplit(absl::string_view(text.data(), text.size()), absl::ByAnyChar(" \t\r"), absl::SkipEmpty());
}

// The value at a path with dots. A key that has dots itself is found too.
const nlohmann::json* FindPath(const nlohmann::json& object, std::string_view path) {
  if (!object.is_object()) return nullptr;
  if (const auto whole = object.find(std::string(path)); whole != object.end()) return &*whole;
  const size_t dot = path.find('.');
  if (dot == std::string_view::npos) return nullptr;
  const auto inner = object.find(std::string(path.substr(0, dot)));
  return inner == object.end() ? nullptr : FindPath(*inner, path.substr(dot + 1));
}

}  // namespace

absl::StatusOr<std::unique_ptr<TableReader>> TableReader::Open(const std::filesystem::path& path, TableOptions options,
                                                               std::vector<std::string> wanted) {
  auto lines = LineReader::Open(path, options.encoding);
  if (!lines.ok()) return lines.status();
  std::unique_ptr<TableReader> reader(new TableReader(*std::move(lines), std::move(options), std::move(wanted)));
  if (absl::Status status = reader->ReadHeader(path); !status.ok()) return status;
  return reader;
}

TableReader::TableReader(std::unique_ptr<LineReader> lines, TableOptions options, std::vector<std::string> wanted)
    : lines_(std::move(lines)), options_(std::move(options)), wanted_(std::move(wanted)) {
  csv_init(&parser_, 0);
  csv_set_delim(&parser_, static_cast<unsigned char>(options_.delimiter));
}

TableReader::~TableReader() { csv_free(&parser_); }

absl::Status TableReader::ReadHeader(const std::filesystem::path& path) {
  if (options_.format == TableFormat::kNdjson) return absl::OkStatus();
  std::vector<std::string> names = options_.columns;
  if (options_.header) {
    Fields fields;
    if (!NextFields(fields))
      return absl::InvalidArgumentError(absl::StrCat("no line with the names of the columns: ", path.string()));
    if (names.empty()) names = fields.fields;
  }
  width_ = names.size();
  if (width_ == 0) return absl::InvalidArgumentError("without a header the columns must be named: columns");
  for (const std::string& wanted : wanted_) {
    const auto found = std::find(names.begin(), names.end(), wanted);
    if (found == names.end()) {
      return absl::NotFoundError(absl::StrCat("no such column: ", wanted, "; there are: ", absl::StrJoin(names, ", ")));
    }
    places_.push_back(static_cast<size_t>(found - names.begin()));
  }
  return absl::OkStatus();
}

bool TableReader::Next(TableRow& row) {
  row = TableRow();
  if (options_.format == TableFormat::kNdjson) {
    for (Line line; lines_->Next(line);) {
      if (IsBlank(line.text)) continue;
      PickJson(line, row);
      return true;
    }
    return false;
  }
  Fields fields;
  if (!NextFields(fields)) return false;
  Pick(std::move(fields), row);
  return true;
}

bool TableReader::NextFields(Fields& fields) {
  if (options_.format == TableFormat::kCsv) return NextCsv(fields);
  for (Line line; lines_->Next(line);) {
    if (IsBlank(line.text)) continue;
    fields = {.line = line.number, .fields = SplitAtBlanks(line.text)};
    if (line.too_long)
      fields.problem = "too_long", fields.detail = "the line is longer than 4 MiB", fields.fields.clear();
    fields.text = Shown(line.text);
    return true;
  }
  return false;
}

bool TableReader::NextCsv(Fields& fields) {
  while (complete_.empty() && !finished_) {
    Line line;
    if (lines_->Next(line)) {
      FeedCsv(line);
      continue;
    }
    finished_ = true;
    if (partial_lines_ > 0 && parser_.quoted != 0) {
      AbandonQuote();
    } else {
      csv_fini(&parser_, OnField, OnRow, this);
    }
  }
  if (complete_.empty()) return false;
  fields = std::move(complete_.front());
  complete_.pop_front();
  return true;
}

void TableReader::FeedCsv(const Line& line) {
  if (partial_lines_++ == 0) partial_.line = line.number;
  if (partial_.text.size() < kShown)
    absl::StrAppend(&partial_.text, partial_.text.empty() ? "" : "\n", Shown(line.text));
  const size_t before = complete_.size();
  csv_parse(&parser_, line.text.data(), line.text.size(), OnField, OnRow, this);
  csv_parse(&parser_, "\n", 1, OnField, OnRow, this);
  if (line.too_long && complete_.size() > before) {
    complete_.back().problem = "too_long";
    complete_.back().detail = "the line is longer than 4 MiB";
  }
  const bool empty = partial_.fields.empty() && parser_.pstate == 0;  // nothing of a next row has been seen
  if (complete_.size() > before || empty) {
    partial_ = Fields();
    partial_lines_ = 0;
  } else if (partial_lines_ > kRowLines) {
    AbandonQuote();
  }
}

// A quote is open and nothing closes it: what has come is one bad row, and reading goes on after it.
void TableReader::AbandonQuote() {
  partial_.problem = "open_quote";
  partial_.detail = absl::StrCat("a quote is not closed within ", partial_lines_, " lines");
  complete_.push_back(std::move(partial_));
  partial_ = Fields();
  partial_lines_ = 0;
  csv_free(&parser_);
  csv_init(&parser_, 0);
  csv_set_delim(&parser_, static_cast<unsigned char>(options_.delimiter));
}

void TableReader::OnField(void* bytes, size_t size, void* self) {
  static_cast<TableReader*>(self)->partial_.fields.emplace_back(static_cast<const char*>(bytes), size);
}

void TableReader::OnRow(int, void* self) {
  auto& reader = *static_cast<TableReader*>(self);
  const Fields head = {.line = reader.partial_.line, .text = reader.partial_.text};
  reader.complete_.push_back(std::move(reader.partial_));
  reader.partial_ = head;  // a lone CR may end several rows on one line
}

void TableReader::Pick(Fields fields, TableRow& row) const {
  row.line = fields.line;
  row.problem = std::move(fields.problem);
  row.detail = std::move(fields.detail);
  if (row.problem.empty() && fields.fields.size() != width_) {
    row.problem = "ragged";
    row.detail = absl::StrCat(fields.fields.size(), " fields in place of ", width_);
  }
  if (!row.problem.empty()) {
    row.text = std::move(fields.text);
    return;
  }
  for (const size_t place : places_) row.values.emplace_back(std::move(fields.fields[place]));
  // A column may be asked for twice.
  for (size_t i = 0; i < places_.size(); ++i) {
    const size_t first = static_cast<size_t>(std::find(places_.begin(), places_.end(), places_[i]) - places_.begin());
    if (first < i) row.values[i] = row.values[first];
  }
}

void TableReader::PickJson(const Line& line, TableRow& row) const {
  row.line = line.number;
  const nlohmann::json object = nlohmann::json::parse(line.text, nullptr, false);
  if (line.too_long) {
    row.problem = "too_long", row.detail = "the line is longer than 4 MiB";
  } else if (object.is_discarded()) {
    row.problem = "bad_json", row.detail = "the line is no JSON";
  } else if (!object.is_object()) {
    row.problem = "bad_json", row.detail = "the line is no JSON object";
  }
  if (!row.problem.empty()) {
    row.text = Shown(line.text);
    return;
  }
  for (const std::string& wanted : wanted_) {
    const nlohmann::json* value = FindPath(object, wanted);
    if (value == nullptr || value->is_null()) {
      row.values.emplace_back();
    } else {
      row.values.emplace_back(value->is_string() ? value->get<std::string>() : value->dump());
    }
  }
}

}  // namespace portrait
