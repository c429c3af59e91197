#include "operators/rules/normal_text.h"

#include <array>
#include <charconv>
#include <cstddef>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"

namespace portrait::rules {
namespace {

using Form = Expression::Form;

// How closely it binds: what binds less than what it stands in is put in brackets.
int Binding(const Expression& e) {
  switch (e.form) {
    case Form::kConditional: return 0;
    case Form::kUnary: return 6;
    case Form::kBinary: break;
    default: return 7;
  }
  if (e.text == "||") return 1;
  if (e.text == "&&") return 2;
  if (e.text == "+" || e.text == "-") return 4;
  if (e.text == "*" || e.text == "/" || e.text == "%") return 5;
  return 3;
}

std::string Part(const Expression& e, int least) {
  std::string text = NormalText(e);
  return Binding(e) < least ? absl::StrCat("(", text, ")") : text;
}

std::string Parts(const Expression& e, size_t from) {
  std::string out;
  for (size_t i = from; i < e.parts.size(); ++i) {
    absl::StrAppend(&out, i == from ? "" : ", ", NormalText(*e.parts[i]));
  }
  return out;
}

std::string Quoted(const std::string& text) { return absl::StrCat("\"", absl::Utf8SafeCEscape(text), "\""); }

// The shortest that is read as the same number, and is no whole one.
std::string FractionText(double value) {
  std::array<char, 32> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
  std::string text(digits.data(), end);
  if (text.find_first_of(".e") == std::string::npos) text += ".0";
  return text;
}

std::string MapText(const Expression& e) {
  std::string out;
  for (size_t i = 0; i + 1 < e.parts.size(); i += 2) {
    absl::StrAppend(&out, i == 0 ? "" : ", ", NormalText(*e.parts[i]), ": ", NormalText(*e.parts[i + 1]));
  }
  return absl::StrCat("{", out, "}");
}

// Rows of && and || are trees of any shape that mean the same: written without brackets.
std::string BinaryText(const Expression& e) {
  const int binding = Binding(e);
  const bool any_shape = e.text == "&&" || e.text == "||";
  return absl::StrCat(Part(*e.parts[0], binding), " ", e.text, " ",
                      Part(*e.parts[1], any_shape ? binding : binding + 1));
}

}  // namespace

std::string NormalText(const Expression& e) {
  switch (e.form) {
    case Form::kWhole: return absl::StrCat(e.whole);
    case Form::kUnsigned: return absl::StrCat(static_cast<uint64_t>(e.whole), "u");
    case Form::kFraction: return FractionText(e.fraction);
    case Form::kText: return Quoted(e.text);
    case Form::kBytes: return absl::StrCat("b", "\"", absl::CHexEscape(e.text), "\"");
    case Form::kTruth: return e.truth ? "true" : "false";
    case Form::kNull: return "null";
    case Form::kName: return e.text;
    case Form::kField: return absl::StrCat(Part(*e.parts[0], 7), ".", e.text);
    case Form::kCall: return absl::StrCat(e.text, "(", Parts(e, 0), ")");
    case Form::kMethod: return absl::StrCat(Part(*e.parts[0], 7), ".", e.text, "(", Parts(e, 1), ")");
    case Form::kIndex: return absl::StrCat(Part(*e.parts[0], 7), "[", NormalText(*e.parts[1]), "]");
    case Form::kList: return absl::StrCat("[", Parts(e, 0), "]");
    case Form::kMap: return MapText(e);
    case Form::kUnary: return absl::StrCat(e.text, Part(*e.parts[0], 6));
    case Form::kBinary: return BinaryText(e);
    case Form::kConditional:
      return absl::StrCat(Part(*e.parts[0], 1), " ? ", Part(*e.parts[1], 1), " : ", Part(*e.parts[2], 0));
  }
  return "";
}

}  // namespace portrait::rules
