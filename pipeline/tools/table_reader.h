// Rows of a table in a text file: CSV, columns parted by blanks, or one JSON object a line. Nothing is lost silently: a
// line that is no row comes with its number and what is wrong with it.
//
//   auto table = TableReader::Open("sales.csv", {}, {"CustomerID", "InvoiceDate"});
//   for (TableRow row; (*table)->Next(row);) {
//     if (!row.problem.empty()) Count(row.problem, row.line);
//     else Use(row.values[0], row.values[1]);
//   }
#pragma once

#include <csv.h>

#include <cstdint>
#include <deque>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "pipeline/tools/line_reader.h"

namespace portrait {

enum class TableFormat { kCsv, kWhitespace, kNdjson };

struct TableOptions {
  TableFormat format = TableFormat::kCsv;
  char delimiter = ',';              // of CSV
  bool header = true;                // the first line names the columns; never with NDJSON
  std::vector<std::string> columns;  // names, in place of those of the header
  TextEncoding encoding = TextEncoding::kUtf8;
};

struct TableRow {
  int64_t line = 0;                                // where it begins
  std::vector<std::optional<std::string>> values;  // of the columns asked for, in that order
  std::string problem;                             // a code such as ragged; empty: none
  std::string detail;                              // what is wrong, in words
  std::string text;  // of a row with a problem: as it is in the file, at most kShown bytes
};

// One thread.
class TableReader {
 public:
  static constexpr size_t kShown = 1000;
  static constexpr int64_t kRowLines = 1000;  // a quoted field over more lines than this has lost its closing quote

  // Reads the header. NotFound: no such file, or a column asked for is not there (the message names those that are).
  // `wanted` of NDJSON are paths with dots: properties.total.
  static absl::StatusOr<std::unique_ptr<TableReader>> Open(const std::filesystem::path& path, TableOptions options,
                                                           std::vector<std::string> wanted);
  ~TableReader();
  TableReader(const TableReader&) = delete;
  TableReader& operator=(const TableReader&) = delete;

  // False at the end, or after an error of reading (status). Empty lines are skipped.
  bool Next(TableRow& row);

  const absl::Status& status() const { return lines_->status(); }
  uint64_t bytes_read() const { return lines_->bytes_read(); }
  uint64_t bytes_total() const { return lines_->bytes_total(); }

 private:
  struct Fields {
    int64_t line = 0;
    std::vector<std::string> fields;
    std::string problem, detail, text;
  };

  TableReader(std::unique_ptr<LineReader> lines, TableOptions options, std::vector<std::string> wanted);

  absl::Status ReadHeader(const std::filesystem::path& path);
  bool NextFields(Fields& fields);
  bool NextCsv(Fields& fields);
  void FeedCsv(const Line& line);
  void AbandonQuote();
  void Pick(Fields fields, TableRow& row) const;
  void PickJson(const Line& line, TableRow& row) const;
  static void OnField(void* bytes, size_t size, void* self);
  static void OnRow(int end, void* self);

  std::unique_ptr<LineReader> lines_;
  TableOptions options_;
  std::vector<std::string> wanted_;
  std::vector<size_t> places_;  // of the wanted columns
  size_t width_ = 0;
  // CSV
  csv_parser parser_{};
  std::deque<Fields> complete_;
  Fields partial_;
  int64_t partial_lines_ = 0;
  bool finished_ = false;
};

}  // namespace portrait
