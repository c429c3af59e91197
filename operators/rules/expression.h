// The text of a condition as a tree: the syntax of CEL without messages (docs/rules.md), parsed and not yet checked.
//
//   absl::StatusOr<std::unique_ptr<Expression>> tree = ParseExpression("purchases.spend > 100.0 && has(person.city)");
//
// Bounded: a text of at most kExpressionBytes, nested at most kExpressionDepth deep; more is an error. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace portrait::rules {

inline constexpr size_t kExpressionBytes = 16 * 1024;
inline constexpr size_t kExpressionDepth = 64;

struct Expression {
  enum class Form {
    kWhole,        // 3
    kUnsigned,     // 3u; the bits are in `whole`
    kFraction,     // 3.5
    kText,         // "shoes"
    kBytes,        // b"shoes"
    kTruth,        // true
    kNull,         // null
    kName,         // now
    kField,        // parts[0].text
    kCall,         // text(parts...)
    kMethod,       // parts[0].text(parts[1]...)
    kIndex,        // parts[0][parts[1]]
    kList,         // [parts...]
    kMap,          // {parts[0]: parts[1], ...}
    kUnary,        // text is ! or -
    kBinary,       // text is the operator
    kConditional,  // parts[0] ? parts[1] : parts[2]
  };
  Form form = Form::kTruth;
  std::string text;  // a name, an operator, or the content of a text literal
  int64_t whole = 0;
  double fraction = 0;
  bool truth = false;
  size_t begin = 0;  // where in the source: bytes
  size_t end = 0;
  std::vector<std::unique_ptr<Expression>> parts;
};

// InvalidArgument, as MistakeAt makes it.
absl::StatusOr<std::unique_ptr<Expression>> ParseExpression(std::string_view source);

// An error that points at a place:
//   2:14: a value is missing
//     now - first >
//                  ^
// Lines and columns count from 1, columns in characters. The line and the column are also given by PlaceOf.
absl::Status MistakeAt(std::string_view source, size_t offset, std::string_view what);

struct Place {
  int line = 1;
  int column = 1;
};
Place PlaceOf(std::string_view source, size_t offset);

}  // namespace portrait::rules
