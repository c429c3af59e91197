// How the columns of a table become events: a YAML file, or the same by hand. docs/tools.md explains it.
//
//   table: {format: csv, delimiter: ";"}
//   event: order_completed
//   customer: CustomerID
//   time: {column: InvoiceDate, format: "%Y-%m-%d %H:%M:%S", zone: Europe/London}
//   group: InvoiceNo                                  # rows of one invoice are one event
//   fields:                                           # of the event, by their names in event.proto
//     order_id: InvoiceNo
//     total: {multiply: [Quantity, UnitPrice]}
//     currency: {constant: GBP}
//     products.product_id: StockCode
//   where: [Quantity > 0, CustomerID is not empty]
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "operators/event.h"
#include "pipeline/tools/table_reader.h"

namespace portrait {

// Where a value comes from: a column, a constant, or the product of columns and numbers.
struct ValueSource {
  enum class Kind { kColumn, kConstant, kProduct };
  Kind kind = Kind::kColumn;
  std::string text;                  // the column, or the constant
  std::vector<std::string> factors;  // columns, or numbers
};

struct FieldMapping {
  std::string field;  // order_id, total, products.quantity: a field of the event's body; money without _micros
  ValueSource source;
};

// Leaves a row out unless it holds. "Quantity > 0", "Country = France", "InvoiceNo starts with C", "Id is not empty".
struct RowCondition {
  enum class Test {
    kEqual,
    kNotEqual,
    kLess,
    kLessOrEqual,
    kGreater,
    kGreaterOrEqual,
    kStarts,
    kStartsNot,
    kEmpty,
    kNotEmpty
  };
  std::string column;
  Test test = Test::kEqual;
  std::string operand;
  std::string text;  // as it was written
};

struct TimeMapping {
  std::string column;
  std::string format = "iso8601";             // or unix, unix_ms, unix_us, or as strptime: %Y-%m-%d
  absl::TimeZone zone = absl::UTCTimeZone();  // of times that name none
};

struct Mapping {
  TableOptions table;
  char decimal_mark = '.';
  std::string customer;
  TimeMapping time;
  EventKind event = Event::BODY_NOT_SET;  // of every row, unless a column says it:
  std::string event_column;
  std::map<std::string, EventKind> event_names;  // what the column may hold; names of event.proto always may
  std::string event_id;                          // column; empty: file and line
  std::string group;                             // column; following rows that are equal there are one event
  std::vector<FieldMapping> fields;
  std::vector<RowCondition> where;
};

// InvalidArgument with the name of the file and, where there is one, the line; every error, one a line.
absl::StatusOr<Mapping> LoadMapping(const std::filesystem::path& path);
absl::StatusOr<Mapping> ParseMapping(std::string_view yaml, std::string_view name);

// A mapping by hand: InvalidArgument says what is missing or unknown.
absl::Status CheckMapping(const Mapping& mapping);

// "Quantity > 0".
absl::StatusOr<RowCondition> ParseCondition(std::string_view text);

// "Quantity*UnitPrice" a product, "=GBP" a constant, anything else a column: for the command line.
ValueSource ParseValueSource(std::string_view text);

}  // namespace portrait
