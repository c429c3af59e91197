#include "operators/rules/expression.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <optional>
#include <tao/pegtl.hpp>
#include <tao/pegtl/contrib/parse_tree.hpp>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace portrait::rules {
namespace {

namespace grammar {
// clang-format off
using namespace tao::pegtl;

struct comment : seq<two<'/'>, until<eolf>> {};
struct blank_space : star<sor<space, comment>> {};
template <class Rule> struct token : seq<Rule, blank_space> {};
template <char C> struct mark : token<one<C>> {};

struct reserved : seq<sor<TAO_PEGTL_STRING("true"), TAO_PEGTL_STRING("false"), TAO_PEGTL_STRING("null"),
                          TAO_PEGTL_STRING("in")>,
                      not_at<identifier_other>> {};
struct name : seq<not_at<reserved>, identifier> {};
struct truth : seq<sor<TAO_PEGTL_STRING("true"), TAO_PEGTL_STRING("false")>, not_at<identifier_other>> {};

struct exponent : seq<one<'e', 'E'>, opt<one<'+', '-'>>, plus<digit>> {};
struct fraction : sor<seq<star<digit>, one<'.'>, plus<digit>, opt<exponent>>, seq<plus<digit>, exponent>> {};
struct whole : seq<sor<seq<one<'0'>, one<'x', 'X'>, plus<xdigit>>, plus<digit>>, opt<one<'u', 'U'>>> {};
struct number : seq<sor<fraction, whole>, not_at<identifier_other>> {};

struct unclosed : failure {};  // only there for its message
struct in_text : sor<seq<one<'\\'>, any>, not_one<'\n', '\r', '\\'>> {};
struct in_long_text : sor<seq<one<'\\'>, any>, not_one<'\\'>> {};
template <char Q> struct quoted : seq<one<Q>, sor<until<one<Q>, in_text>, unclosed>> {};
template <char Q> struct long_quoted : seq<rep<3, one<Q>>, sor<until<rep<3, one<Q>>, in_long_text>, unclosed>> {};
template <char Q> struct raw_quoted : seq<one<Q>, sor<until<one<Q>, not_one<'\n', '\r'>>, unclosed>> {};
template <char Q> struct raw_long_quoted : seq<rep<3, one<Q>>, sor<until<rep<3, one<Q>>, any>, unclosed>> {};
struct quote_ahead : at<one<'"', '\''>> {};
struct raw_prefix : seq<sor<seq<one<'r', 'R'>, opt<one<'b', 'B'>>>, seq<one<'b', 'B'>, one<'r', 'R'>>>, quote_ahead> {};
struct raw_text : seq<raw_prefix,
                      sor<raw_long_quoted<'"'>, raw_long_quoted<'\''>, raw_quoted<'"'>, raw_quoted<'\''>>> {};
struct plain_text : seq<opt<one<'b', 'B'>>, quote_ahead,
                        sor<long_quoted<'"'>, long_quoted<'\''>, quoted<'"'>, quoted<'\''>>> {};
struct text : sor<raw_text, plain_text> {};
struct nothing_literal : seq<TAO_PEGTL_STRING("null"), not_at<identifier_other>> {};

struct conditional;
struct closing_parenthesis : mark<')'> {};
struct closing_bracket : mark<']'> {};
struct list_end : closing_bracket {};
struct call_end : closing_parenthesis {};
struct values : list<conditional, mark<','>> {};
struct arguments : seq<mark<'('>, sor<mark<')'>, seq<values, call_end>>> {};
struct comma_before_more : seq<mark<','>, not_at<one<']', '}'>>> {};
struct elements : seq<conditional, star<comma_before_more, conditional>, opt<mark<','>>> {};
struct list_literal : seq<mark<'['>, sor<mark<']'>, seq<elements, list_end>>> {};
struct key_end : mark<':'> {};
struct map_end : mark<'}'> {};
struct entry : seq<conditional, key_end, conditional> {};
struct entries : seq<entry, star<comma_before_more, entry>, opt<mark<','>>> {};
struct map_literal : seq<mark<'{'>, sor<mark<'}'>, seq<entries, map_end>>> {};
struct parenthesis : seq<mark<'('>, conditional, closing_parenthesis> {};
struct call : seq<token<name>, at<one<'('>>, arguments> {};
struct no_value : failure {};  // only there for its message
struct primary : sor<token<number>, token<text>, token<truth>, token<nothing_literal>, call, token<name>, parenthesis,
                     list_literal, map_literal, no_value> {};
struct field_name : name {};
struct field : seq<mark<'.'>, token<field_name>, opt<arguments>> {};
struct index : seq<mark<'['>, conditional, closing_bracket> {};
struct member : seq<primary, star<sor<field, index>>> {};
struct sign : one<'!', '-'> {};
struct unary : seq<star<token<sign>>, member> {};
struct times : one<'*', '/', '%'> {};
struct product : list<unary, token<times>> {};
struct plus_minus : one<'+', '-'> {};
struct sum : list<product, token<plus_minus>> {};
struct relation_sign : sor<TAO_PEGTL_STRING("<="), TAO_PEGTL_STRING(">="), TAO_PEGTL_STRING("=="),
                           TAO_PEGTL_STRING("!="), one<'<', '>'>,
                           seq<TAO_PEGTL_STRING("in"), not_at<identifier_other>>> {};
struct relation : list<sum, token<relation_sign>> {};
struct conjunction : list<relation, token<two<'&'>>> {};
struct disjunction : list<conjunction, token<two<'|'>>> {};
struct otherwise : mark<':'> {};
struct conditional : seq<disjunction, opt<mark<'?'>, conditional, otherwise, conditional>> {};
struct end_of_text : eof {};
struct source : seq<blank_space, conditional, end_of_text> {};

struct mistakes {
  template <class Rule> static constexpr const char* message = nullptr;
};
template <> constexpr const char* mistakes::message<no_value> =
    "a value is missing here: a name, a number, a text or (";
template <> constexpr const char* mistakes::message<field_name> = "a name is missing after the dot";
template <> constexpr const char* mistakes::message<closing_parenthesis> = "a ) is missing";
template <> constexpr const char* mistakes::message<call_end> = "a , or ) is missing";
template <> constexpr const char* mistakes::message<list_end> = "a , or ] is missing";
template <> constexpr const char* mistakes::message<otherwise> = "a : is missing: condition ? one : other";
template <> constexpr const char* mistakes::message<end_of_text> =
    "the condition should end here, or an operator is missing";
template <> constexpr const char* mistakes::message<unclosed> = "a text lacks its closing quote";
template <> constexpr const char* mistakes::message<closing_bracket> = "a ] is missing";
template <> constexpr const char* mistakes::message<key_end> = "a : is missing after the key";
template <> constexpr const char* mistakes::message<map_end> = "a , or } is missing";
template <class Rule> using control = must_if<mistakes, normal, false>::control<Rule>;

template <class Rule>
using kept = parse_tree::selector<
    Rule,
    parse_tree::store_content::on<name, field_name, truth, nothing_literal, number, text, sign, times, plus_minus,
                                  relation_sign, call, field, index, arguments, list_literal, map_literal>,
    parse_tree::fold_one::on<conditional, disjunction, conjunction, relation, sum, product, unary, member>>;
// clang-format on
}  // namespace grammar

using Node = tao::pegtl::parse_tree::node;
using Form = Expression::Form;
using Result = absl::StatusOr<std::unique_ptr<Expression>>;

void AppendUtf8(uint32_t code, std::string& out) {
  if (code < 0x80) {
    out += static_cast<char>(code);
  } else if (code < 0x800) {
    out += static_cast<char>(0xC0 | (code >> 6));
    out += static_cast<char>(0x80 | (code & 0x3F));
  } else if (code >= 0x10000) {
    out += static_cast<char>(0xF0 | (code >> 18));
    out += static_cast<char>(0x80 | ((code >> 12) & 0x3F));
    out += static_cast<char>(0x80 | ((code >> 6) & 0x3F));
    out += static_cast<char>(0x80 | (code & 0x3F));
  } else {
    out += static_cast<char>(0xE0 | (code >> 12));
    out += static_cast<char>(0x80 | ((code >> 6) & 0x3F));
    out += static_cast<char>(0x80 | (code & 0x3F));
  }
}

// Turns nodes of the grammar into expressions.
class TreeBuilder {
 public:
  explicit TreeBuilder(std::string_view source) : source_(source) {}

  Result Build(const Node& node, size_t depth = 0) {
    if (depth > kMostLevels) return MistakeAt(source_, Begin(node), "too many operators in one condition");
    if (node.is_type<grammar::number>()) return Number(node, false);
    if (node.is_type<grammar::text>()) return Text(node);
    if (node.is_type<grammar::truth>()) {
      auto out = Make(Form::kTruth, node);
      out->truth = node.string_view() == "true";
      return out;
    }
    if (node.is_type<grammar::nothing_literal>()) return Make(Form::kNull, node);
    if (node.is_type<grammar::name>()) {
      auto out = Make(Form::kName, node);
      out->text = node.string();
      return out;
    }
    if (node.is_type<grammar::call>()) {
      auto out = Make(Form::kCall, node);
      out->text = node.children[0]->string();
      return WithArguments(std::move(out), *node.children[1], depth);
    }
    if (node.is_type<grammar::list_literal>()) return WithArguments(Make(Form::kList, node), node, depth);
    if (node.is_type<grammar::map_literal>()) return WithArguments(Make(Form::kMap, node), node, depth);
    if (node.is_type<grammar::member>()) return Member(node, depth);
    if (node.is_type<grammar::unary>()) return Unary(node, 0, depth);
    if (node.is_type<grammar::conditional>()) return Conditional(node, depth);
    if (node.is_type<grammar::disjunction>()) return Chain(node, "||", depth);
    if (node.is_type<grammar::conjunction>()) return Chain(node, "&&", depth);
    return Operators(node, depth);
  }

 private:
  static constexpr size_t kMostLevels = 512;

  static size_t Begin(const Node& node) { return node.m_begin.byte; }
  static std::unique_ptr<Expression> Make(Form form, const Node& node) {
    auto out = std::make_unique<Expression>();
    out->form = form;
    out->begin = node.m_begin.byte;
    out->end = node.m_end.byte;
    return out;
  }
  static std::unique_ptr<Expression> Join(Form form, std::string text, std::unique_ptr<Expression> left,
                                          std::unique_ptr<Expression> right) {
    auto out = std::make_unique<Expression>();
    out->form = form;
    out->text = std::move(text);
    out->begin = left->begin;
    out->end = right->end;
    out->parts.push_back(std::move(left));
    out->parts.push_back(std::move(right));
    return out;
  }

  Result Number(const Node& node, bool negative) {
    const std::string text = (negative ? "-" : "") + node.string();
    if (text.back() == 'u' || text.back() == 'U') return Unsigned(node);
    const bool hex = text.find('x') != std::string::npos || text.find('X') != std::string::npos;
    if (!hex && text.find_first_of(".eE") != std::string::npos) {
      auto out = Make(Form::kFraction, node);
      if (!absl::SimpleAtod(text, &out->fraction) || std::isinf(out->fraction)) {
        return MistakeAt(source_, Begin(node), "a number is too large; the largest is 1.7976931348623157e308");
      }
      return out;
    }
    auto out = Make(Form::kWhole, node);
    uint64_t magnitude = 0;
    const std::string digits = hex ? node.string().substr(2) : node.string();
    const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), magnitude, hex ? 16 : 10);
    const uint64_t most = uint64_t{std::numeric_limits<int64_t>::max()} + (negative ? 1 : 0);
    if (read.ec != std::errc() || magnitude > most) {
      return MistakeAt(source_, Begin(node), "a whole number is too large; the largest is 9223372036854775807");
    }
    out->whole = static_cast<int64_t>(negative ? 0 - magnitude : magnitude);
    return out;
  }

  Result Unsigned(const Node& node) {
    auto out = Make(Form::kUnsigned, node);
    std::string digits = node.string();
    digits.pop_back();
    const bool hex = digits.find_first_of("xX") != std::string::npos;
    if (hex) digits.erase(0, 2);
    uint64_t value = 0;
    const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), value, hex ? 16 : 10);
    if (read.ec != std::errc()) {
      return MistakeAt(source_, Begin(node), "an unsigned number is too large; the largest is 18446744073709551615u");
    }
    out->whole = static_cast<int64_t>(value);
    return out;
  }

  Result Text(const Node& node) {
    std::string_view raw = node.string_view();
    bool literal = false, bytes = false;
    for (; raw[0] != '"' && raw[0] != '\''; raw.remove_prefix(1))
      (raw[0] == 'r' || raw[0] == 'R' ? literal : bytes) = true;
    const size_t quotes = raw.size() >= 6 && raw[1] == raw[0] && raw[2] == raw[0] ? 3 : 1;
    raw = raw.substr(quotes, raw.size() - 2 * quotes);
    auto out = Make(bytes ? Form::kBytes : Form::kText, node);
    for (size_t i = 0; i < raw.size(); ++i) {
      if (literal || raw[i] != '\\') {
        out->text += raw[i];
      } else if (!Escape(raw, i, bytes, out->text)) {
        const auto at = static_cast<size_t>(raw.data() - source_.data()) + i;
        return MistakeAt(
            source_, at,
            "no such escape; there are \\a \\b \\f \\n \\r \\t \\v \\\\ \\? \\\" \\' \\` \\xFF \\377, and in a text "
            "\\uXXXX \\UXXXXXXXX");
      }
    }
    return out;
  }

  // Reads the escape that begins at raw[i] and leaves i at its last character; false, with i where it was: none.
  static bool Escape(std::string_view raw, size_t& i, bool bytes, std::string& out) {
    constexpr std::string_view kLetters = "abfnrtv\\?\"'`";
    constexpr std::string_view kMeanings = "\a\b\f\n\r\t\v\\?\"'`";
    const char kind = raw[i + 1];
    if (const size_t simple = kLetters.find(kind); simple != std::string_view::npos) {
      out += kMeanings[simple];
      ++i;
      return true;
    }
    const bool octal = kind >= '0' && kind <= '3';
    const bool unicode = kind == 'u' || kind == 'U';
    if (!octal && kind != 'x' && kind != 'X' && (!unicode || bytes)) return false;
    const size_t digits = octal ? 3 : kind == 'u' ? 4 : kind == 'U' ? 8 : 2, from = i + (octal ? 1 : 2);
    if (raw.size() < from + digits) return false;
    uint32_t code = 0;
    const char* const end = raw.data() + from + digits;
    if (std::from_chars(raw.data() + from, end, code, octal ? 8 : 16).ptr != end) return false;
    if (code > 0x10FFFF || (code >= 0xD800 && code < 0xE000)) return false;
    if (bytes) {
      out += static_cast<char>(code);
    } else {
      AppendUtf8(code, out);
    }
    i = from + digits - 1;
    return true;
  }

  Result WithArguments(std::unique_ptr<Expression> to, const Node& arguments, size_t depth) {
    for (const auto& child : arguments.children) {
      Result part = Build(*child, depth + 1);
      if (!part.ok()) return part;
      to->parts.push_back(*std::move(part));
    }
    return to;
  }

  Result Member(const Node& node, size_t depth) {
    Result target = Build(*node.children[0], depth + 1);
    for (size_t i = 1; i < node.children.size() && target.ok(); ++i) {
      const Node& field = *node.children[i];
      if (depth + i > kMostLevels) return MistakeAt(source_, Begin(field), "too many operators in one condition");
      if (field.is_type<grammar::index>()) {
        auto out = Make(Form::kIndex, field);
        out->begin = (*target)->begin;
        out->parts.push_back(*std::move(target));
        target = WithArguments(std::move(out), field, depth);
        continue;
      }
      auto out = Make(field.children.size() > 1 ? Form::kMethod : Form::kField, field);
      out->text = field.children[0]->string();
      out->begin = (*target)->begin;
      out->parts.push_back(*std::move(target));
      target =
          field.children.size() > 1 ? WithArguments(std::move(out), *field.children[1], depth) : Result(std::move(out));
    }
    return target;
  }

  Result Unary(const Node& node, size_t at, size_t depth) {
    if (depth > kMostLevels) return MistakeAt(source_, Begin(node), "too many operators in one condition");
    const Node& child = *node.children[at];
    if (at + 1 == node.children.size()) return Build(child, depth + 1);
    const bool minus = child.string_view() == "-";
    if (minus && at + 2 == node.children.size() && node.children[at + 1]->is_type<grammar::number>() &&
        node.children[at + 1]->string_view().find_first_of("uU") == std::string_view::npos) {
      Result number = Number(*node.children[at + 1], true);
      if (number.ok()) (*number)->begin = Begin(child);
      return number;
    }
    Result operand = Unary(node, at + 1, depth + 1);
    if (!operand.ok()) return operand;
    auto out = Make(Form::kUnary, child);
    out->text = child.string();
    out->end = (*operand)->end;
    out->parts.push_back(*std::move(operand));
    return out;
  }

  Result Conditional(const Node& node, size_t depth) {
    auto out = Make(Form::kConditional, node);
    return WithArguments(std::move(out), node, depth);
  }

  // Of equals, halved, so that a long row of alternatives is no deep tree.
  Result Chain(const Node& node, const char* sign, size_t depth) {
    return Half(node, sign, 0, node.children.size(), depth);
  }
  Result Half(const Node& node, const char* sign, size_t from, size_t to, size_t depth) {
    if (to - from == 1) return Build(*node.children[from], depth + 1);
    const size_t middle = from + (to - from + 1) / 2;
    Result left = Half(node, sign, from, middle, depth);
    if (!left.ok()) return left;
    Result right = Half(node, sign, middle, to, depth);
    if (!right.ok()) return right;
    return Join(Form::kBinary, sign, *std::move(left), *std::move(right));
  }

  // operand, sign, operand, sign, operand ...
  Result Operators(const Node& node, size_t depth) {
    Result left = Build(*node.children[0], depth + 1);
    for (size_t i = 1; i + 1 < node.children.size() && left.ok(); i += 2) {
      if (depth + i > kMostLevels) {
        return MistakeAt(source_, Begin(*node.children[i]), "too many operators in one condition");
      }
      Result right = Build(*node.children[i + 1], depth + 1);
      if (!right.ok()) return right;
      left = Join(Form::kBinary, node.children[i]->string(), *std::move(left), *std::move(right));
    }
    return left;
  }

  std::string_view source_;
};

// Brackets nested too deep would overflow the parser's stack, so they are counted first. Those inside texts count, too.
std::optional<size_t> TooDeepAt(std::string_view source) {
  size_t depth = 0, signs = 0;
  for (size_t i = 0; i < source.size(); ++i) {
    const char c = source[i];
    if (c == '(' || c == '[' || c == '{') ++depth;
    if ((c == ')' || c == ']' || c == '}') && depth > 0) --depth;
    signs += c == '?';
    if (depth > kExpressionDepth || signs > kExpressionDepth) return i;
  }
  return std::nullopt;
}

}  // namespace

Place PlaceOf(std::string_view source, size_t offset) {
  Place place;
  offset = std::min(offset, source.size());
  for (size_t i = 0; i < offset; ++i) {
    if (source[i] == '\n') {
      ++place.line;
      place.column = 1;
    } else if ((static_cast<unsigned char>(source[i]) & 0xC0) != 0x80) {
      ++place.column;
    }
  }
  return place;
}

absl::Status MistakeAt(std::string_view source, size_t offset, std::string_view what) {
  offset = std::min(offset, source.size());
  const Place place = PlaceOf(source, offset);
  size_t from = offset == 0 ? std::string_view::npos : source.rfind('\n', offset - 1);
  from = from == std::string_view::npos ? 0 : from + 1;
  std::string_view line = source.substr(from, source.find('\n', offset) - from);
  // Of a long line, what lies around the place.
  constexpr size_t kShown = 100;
  size_t caret = offset - from;
  if (caret > kShown) {
    size_t cut = caret - kShown / 2;
    while (cut < caret && (static_cast<unsigned char>(line[cut]) & 0xC0) == 0x80) ++cut;
    line.remove_prefix(cut);
    caret -= cut;
  }
  size_t length = std::min(line.size(), caret + kShown);
  while (length < line.size() && (static_cast<unsigned char>(line[length]) & 0xC0) == 0x80) ++length;
  line = line.substr(0, length);
  std::string under;
  for (size_t i = 0; i < caret; ++i) {
    if (i >= line.size() || (static_cast<unsigned char>(line[i]) & 0xC0) != 0x80) under += ' ';
  }
  return absl::InvalidArgumentError(absl::StrCat(place.line, ":", place.column, ": ", std::string(what), "\n  ",
                                                 std::string(line), "\n  ", under, "^"));
}

Result ParseExpression(std::string_view source) {
  if (source.size() > kExpressionBytes) {
    return absl::InvalidArgumentError(
        absl::StrCat("1:1: a condition is too long; at most ", kExpressionBytes, " bytes: ", source.size()));
  }
  if (const auto at = TooDeepAt(source)) return MistakeAt(source, *at, "nested too deeply");
  tao::pegtl::memory_input input(source.data(), source.data() + source.size(), "");
  try {
    const auto tree =
        tao::pegtl::parse_tree::parse<grammar::source, grammar::kept, tao::pegtl::nothing, grammar::control>(input);
    if (tree == nullptr || tree->children.empty()) return MistakeAt(source, 0, "not a condition");
    return TreeBuilder(source).Build(*tree->children[0]);
  } catch (const tao::pegtl::parse_error& error) {
    return MistakeAt(source, error.positions().front().byte, error.message());
  }
}

}  // namespace portrait::rules
