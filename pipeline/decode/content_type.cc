#include "pipeline/decode/content_type.h"

#include <optional>
#include <string_view>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "operators/rejection_codes.h"
#include "pipeline/absl_view.h"

namespace portrait {
namespace {

bool IsAnyOf(absl::string_view text, std::initializer_list<absl::string_view> names) {
  for (const absl::string_view name : names) {
    if (absl::EqualsIgnoreCase(text, name)) return true;
  }
  return false;
}

std::optional<std::string_view> ContentType(const Record& record) {
  std::optional<std::string_view> type;
  for (const HeaderView& header : record.headers) {
    if (header.value && absl::EqualsIgnoreCase(AbslView(header.name), "content-type")) type = header.value;
  }
  return type;
}

// Whether every charset among the parameters (";charset=utf-8") is one that JSON may have.
bool IsReadableCharset(absl::string_view parameters) {
  for (absl::string_view parameter : absl::StrSplit(parameters, ';')) {
    std::pair<absl::string_view, absl::string_view> pair = absl::StrSplit(parameter, absl::MaxSplits('=', 1));
    if (!absl::EqualsIgnoreCase(absl::StripAsciiWhitespace(pair.first), "charset")) continue;
    absl::string_view charset = absl::StripAsciiWhitespace(pair.second);
    if (absl::ConsumePrefix(&charset, "\"")) absl::ConsumeSuffix(&charset, "\"");
    if (!IsAnyOf(charset, {"utf-8", "utf8", "us-ascii", "ascii"})) return false;
  }
  return true;
}

}  // namespace

std::variant<WireFormat, Rejection> FormatOf(const Record& record, WireFormat otherwise) {
  const auto header = ContentType(record);
  if (!header) return otherwise;
  const size_t end = header->find(';');
  const absl::string_view type = absl::StripAsciiWhitespace(AbslView(header->substr(0, end)));
  const absl::string_view parameters = end == std::string_view::npos ? "" : AbslView(header->substr(end + 1));
  if (IsAnyOf(type, {"application/x-protobuf", "application/protobuf", "application/vnd.google.protobuf"})) {
    return WireFormat::kProtobuf;
  }
  if (IsAnyOf(type, {"application/json", "text/json"}) && IsReadableCharset(parameters)) return WireFormat::kJson;
  return Reject(RejectionCode::kUnknownContentType, absl::StrCat("no such content type: ", Quoted(*header)));
}

}  // namespace portrait
