// The functions of CEL on values of any kind, and arithmetic. See operators/rules/interpreter.h.
#include <re2/re2.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <optional>
#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "operators/rules/interpreter.h"
#include "operators/rules/regular_expression.h"

namespace portrait::rules {
namespace {

using Arguments = std::vector<Any>;

constexpr double kTwoTo63 = 9223372036854775808.0;

struct Function {
  std::string_view name;
  enum class Way { kCall, kMethod, kBoth } way;
  size_t arguments;
  Any (*compute)(const Arguments& arguments);  // an error of the kind NoSuchOverload is made by the caller
};

// What a function says to kinds that it does not take.
Any NotTaken() { return Failed{""}; }

Any Size(const Arguments& x) {
  if (const auto* text = x[0].As<std::string>()) {
    return static_cast<int64_t>(std::count_if(text->begin(), text->end(), [](char c) { return (c & 0xC0) != 0x80; }));
  }
  if (const auto* bytes = x[0].As<Bytes>()) return static_cast<int64_t>(bytes->content.size());
  if (const AnyList* list = x[0].list()) return static_cast<int64_t>(list->items.size());
  if (const AnyMap* map = x[0].map()) return static_cast<int64_t>(map->entries.size());
  return NotTaken();
}

template <class Test>
Any OfTexts(const Arguments& x, Test test) {
  const auto *text = x[0].As<std::string>(), *part = x[1].As<std::string>();
  return text == nullptr || part == nullptr ? NotTaken() : Any(test(*text, *part));
}

Any StartsWith(const Arguments& x) {
  return OfTexts(x, [](const auto& text, const auto& part) { return text.compare(0, part.size(), part) == 0; });
}

Any EndsWith(const Arguments& x) {
  return OfTexts(x, [](const auto& text, const auto& part) {
    return text.size() >= part.size() && text.compare(text.size() - part.size(), part.size(), part) == 0;
  });
}

Any Contains(const Arguments& x) {
  return OfTexts(x, [](const auto& text, const auto& part) { return text.find(part) != std::string::npos; });
}

Any Matches(const Arguments& x) {
  const auto *text = x[0].As<std::string>(), *pattern = x[1].As<std::string>();
  if (text == nullptr || pattern == nullptr) return NotTaken();
  const auto made = MakeRegularExpression(*pattern);
  if (!made.ok()) return Failed{std::string(made.status().message())};
  return RE2::PartialMatch(*text, **made);
}

Any Lower(const Arguments& x) {
  const auto* text = x[0].As<std::string>();
  return text == nullptr ? NotTaken() : Any(absl::AsciiStrToLower(*text));
}

Any Upper(const Arguments& x) {
  const auto* text = x[0].As<std::string>();
  return text == nullptr ? NotTaken() : Any(absl::AsciiStrToUpper(*text));
}

Any Type(const Arguments& x) { return TypeName{std::string(TypeOf(x[0]))}; }

Any Dyn(const Arguments& x) { return x[0]; }

template <class T>
Any NumberFrom(const std::string& text) {
  T value{};
  const char* const end = text.data() + text.size();
  const char* const begin = text.data() + (text.size() > 1 && text[0] == '+' && text[1] != '-' ? 1 : 0);
  const auto read = std::from_chars(begin, end, value);
  if (read.ptr != end || text.empty()) return Failed{"not a number"};
  if (read.ec != std::errc()) return Failed{"a number out of range"};
  return value;
}

Any Int(const Arguments& x) {
  if (x[0].As<int64_t>() != nullptr) return x[0];
  if (const auto* text = x[0].As<std::string>()) return NumberFrom<int64_t>(*text);
  if (const auto* time = x[0].As<absl::Time>()) return absl::ToUnixSeconds(*time);
  if (const auto* number = x[0].As<uint64_t>()) {
    if (*number > static_cast<uint64_t>(std::numeric_limits<int64_t>::max())) return Failed{"overflow"};
    return static_cast<int64_t>(*number);
  }
  const auto* fraction = x[0].As<double>();
  if (fraction == nullptr) return NotTaken();
  if (!(*fraction > -kTwoTo63 && *fraction < kTwoTo63)) return Failed{"overflow"};
  return static_cast<int64_t>(*fraction);
}

Any Uint(const Arguments& x) {
  if (x[0].As<uint64_t>() != nullptr) return x[0];
  if (const auto* text = x[0].As<std::string>()) return NumberFrom<uint64_t>(*text);
  if (const auto* number = x[0].As<int64_t>()) {
    if (*number < 0) return Failed{"overflow"};
    return static_cast<uint64_t>(*number);
  }
  const auto* fraction = x[0].As<double>();
  if (fraction == nullptr) return NotTaken();
  if (!(*fraction > -1 && *fraction < 2 * kTwoTo63)) return Failed{"overflow"};
  return static_cast<uint64_t>(*fraction);
}

Any Double(const Arguments& x) {
  if (x[0].As<double>() != nullptr) return x[0];
  if (const auto* number = x[0].As<int64_t>()) return static_cast<double>(*number);
  if (const auto* number = x[0].As<uint64_t>()) return static_cast<double>(*number);
  const auto* text = x[0].As<std::string>();
  return text == nullptr ? NotTaken() : NumberFrom<double>(*text);
}

Any Bool(const Arguments& x) {
  if (x[0].As<bool>() != nullptr) return x[0];
  const auto* text = x[0].As<std::string>();
  if (text == nullptr) return NotTaken();
  for (const char* yes : {"1", "t", "true", "T", "TRUE", "True"}) {
    if (*text == yes) return true;
  }
  for (const char* no : {"0", "f", "false", "F", "FALSE", "False"}) {
    if (*text == no) return false;
  }
  return Failed{"neither true nor false"};
}

// As few digits as tell it from every other number.
std::string TextOfFraction(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  char digits[32];
  return {digits, std::to_chars(std::begin(digits), std::end(digits), value).ptr};
}

bool IsUtf8(const std::string& text) {
  for (size_t i = 0; i < text.size();) {
    const auto first = static_cast<unsigned char>(text[i]);
    const size_t length = first < 0x80 ? 1 : first >> 5 == 6 ? 2 : first >> 4 == 14 ? 3 : first >> 3 == 30 ? 4 : 0;
    if (length == 0 || i + length > text.size()) return false;
    uint32_t code = length == 1 ? first : first & (0x7FU >> length);
    for (size_t j = 1; j < length; ++j) {
      const auto next = static_cast<unsigned char>(text[i + j]);
      if (next >> 6 != 2) return false;
      code = code << 6 | (next & 0x3F);
    }
    constexpr uint32_t kLeast[] = {0, 0, 0x80, 0x800, 0x10000};
    if (code < kLeast[length] || code > 0x10FFFF || (code >= 0xD800 && code < 0xE000)) return false;
    i += length;
  }
  return true;
}

Any String(const Arguments& x) {
  if (x[0].As<std::string>() != nullptr) return x[0];
  if (const auto* truth = x[0].As<bool>()) return std::string(*truth ? "true" : "false");
  if (const auto* number = x[0].As<int64_t>()) return absl::StrCat(*number);
  if (const auto* number = x[0].As<uint64_t>()) return absl::StrCat(*number);
  if (const auto* fraction = x[0].As<double>()) return TextOfFraction(*fraction);
  if (const auto* time = x[0].As<absl::Time>()) return TextOfTime(*time);
  if (const auto* length = x[0].As<absl::Duration>()) return TextOfLength(*length);
  const auto* bytes = x[0].As<Bytes>();
  if (bytes == nullptr) return NotTaken();
  return IsUtf8(bytes->content) ? Any(bytes->content) : Any(Failed{"these bytes are no text in UTF-8"});
}

Any ToBytes(const Arguments& x) {
  if (x[0].As<Bytes>() != nullptr) return x[0];
  const auto* text = x[0].As<std::string>();
  return text == nullptr ? NotTaken() : Any(Bytes{*text});
}

Any ToLength(const Arguments& x) {
  if (x[0].As<absl::Duration>() != nullptr) return x[0];
  const auto* text = x[0].As<std::string>();
  if (text == nullptr) return NotTaken();
  absl::Duration length;
  if (!absl::ParseDuration(*text, &length) || text->find("inf") != std::string::npos) {
    return Failed{"not a length of time; write it as in \"36h\" or \"1h30m\""};
  }
  return LengthOrFailure(length);
}

Any ToTime(const Arguments& x) {
  if (x[0].As<absl::Time>() != nullptr) return x[0];
  if (const auto* number = x[0].As<int64_t>()) return TimeOrFailure(absl::FromUnixSeconds(*number));
  const auto* text = x[0].As<std::string>();
  if (text == nullptr) return NotTaken();
  absl::Time time;
  std::string why;
  // Abseil would take blanks around it.
  const bool blank = text->empty() || absl::ascii_isspace(static_cast<unsigned char>(text->front())) ||
                     absl::ascii_isspace(static_cast<unsigned char>(text->back()));
  if (blank || !absl::ParseTime(absl::RFC3339_full, *text, &time, &why)) {
    return Failed{"not a point in time; write it as in \"2026-01-31T00:00:00Z\""};
  }
  return TimeOrFailure(time);
}

Any Units(const Arguments& x, absl::Duration unit) {
  if (const auto* whole = x[0].As<int64_t>()) return LengthOrFailure(unit * *whole);
  const auto* fraction = x[0].As<double>();
  return fraction == nullptr ? NotTaken() : LengthOrFailure(unit * *fraction);
}
Any Days(const Arguments& x) { return Units(x, absl::Hours(24)); }
Any Hours(const Arguments& x) { return Units(x, absl::Hours(1)); }
Any Minutes(const Arguments& x) { return Units(x, absl::Minutes(1)); }
Any Seconds(const Arguments& x) { return Units(x, absl::Seconds(1)); }

constexpr auto kCall = Function::Way::kCall, kMethod = Function::Way::kMethod, kBoth = Function::Way::kBoth;
constexpr Function kInterpreted[] = {{"size", kBoth, 1, Size},
                                     {"startsWith", kMethod, 2, StartsWith},
                                     {"endsWith", kMethod, 2, EndsWith},
                                     {"contains", kMethod, 2, Contains},
                                     {"matches", kBoth, 2, Matches},
                                     {"lowerAscii", kMethod, 1, Lower},
                                     {"upperAscii", kMethod, 1, Upper},
                                     {"type", kCall, 1, Type},
                                     {"dyn", kCall, 1, Dyn},
                                     {"int", kCall, 1, Int},
                                     {"uint", kCall, 1, Uint},
                                     {"double", kCall, 1, Double},
                                     {"bool", kCall, 1, Bool},
                                     {"string", kCall, 1, String},
                                     {"bytes", kCall, 1, ToBytes},
                                     {"duration", kCall, 1, ToLength},
                                     {"timestamp", kCall, 1, ToTime},
                                     {"days", kCall, 1, Days},
                                     {"hours", kCall, 1, Hours},
                                     {"minutes", kCall, 1, Minutes},
                                     {"seconds", kCall, 1, Seconds}};

// Nothing: overflow.
template <class T>
std::optional<T> Whole(char sign, T a, T b) {
  T out = 0;
  bool over = false;
  switch (sign) {
    case '+': over = __builtin_add_overflow(a, b, &out); break;
    case '-': over = __builtin_sub_overflow(a, b, &out); break;
    case '*': over = __builtin_mul_overflow(a, b, &out); break;
    default:
      over = std::numeric_limits<T>::is_signed && a == std::numeric_limits<T>::min() && b == static_cast<T>(-1);
      if (!over) out = sign == '/' ? a / b : a % b;
  }
  return over ? std::nullopt : std::optional<T>(out);
}

template <class T>
Any Whole(char sign, const Any& a, const Any& b) {
  const T x = *a.As<T>(), y = *b.As<T>();
  if ((sign == '/' || sign == '%') && y == 0) return Failed{"division by zero"};
  const auto out = Whole<T>(sign, x, y);
  return out ? Any(*out) : Any(Failed{"overflow"});
}

Any Fractions(char sign, double a, double b) {
  switch (sign) {
    case '+': return a + b;
    case '-': return a - b;
    case '*': return a * b;
    default: return a / b;
  }
}

std::optional<Any> Joined(const Any& a, const Any& b) {
  const auto *text = a.As<std::string>(), *more = b.As<std::string>();
  if (text != nullptr && more != nullptr) return Any(absl::StrCat(*text, *more));
  const auto *bytes = a.As<Bytes>(), *more_bytes = b.As<Bytes>();
  if (bytes != nullptr && more_bytes != nullptr) return Any(Bytes{absl::StrCat(bytes->content, more_bytes->content)});
  const AnyList *list = a.list(), *more_items = b.list();
  if (list == nullptr || more_items == nullptr) return std::nullopt;
  std::vector<Any> items = list->items;
  items.insert(items.end(), more_items->items.begin(), more_items->items.end());
  return ListOf(std::move(items));
}

// Nothing: not of times and lengths.
std::optional<Any> Times(char sign, const Any& a, const Any& b) {
  const auto *time = a.As<absl::Time>(), *other_time = b.As<absl::Time>();
  const auto *length = a.As<absl::Duration>(), *other_length = b.As<absl::Duration>();
  if (sign == '-') {
    if (time != nullptr && other_time != nullptr) return LengthOrFailure(*time - *other_time);
    if (time != nullptr && other_length != nullptr) return TimeOrFailure(*time - *other_length);
    if (length != nullptr && other_length != nullptr) return LengthOrFailure(*length - *other_length);
  } else if (sign == '+') {
    if (time != nullptr && other_length != nullptr) return TimeOrFailure(*time + *other_length);
    if (length != nullptr && other_time != nullptr) return TimeOrFailure(*other_time + *length);
    if (length != nullptr && other_length != nullptr) return LengthOrFailure(*length + *other_length);
  }
  return std::nullopt;
}

}  // namespace

std::vector<std::string_view> FunctionNames() {
  std::vector<std::string_view> out = {"has", "all", "exists", "exists_one", "filter", "map"};
  for (const Function& function : kInterpreted) out.push_back(function.name);
  return out;
}

std::optional<Any> CallFunction(const FunctionCall& call) {
  const auto* const function = std::find_if(std::begin(kInterpreted), std::end(kInterpreted),
                                            [&](const Function& known) { return known.name == call.name; });
  if (function == std::end(kInterpreted)) return std::nullopt;
  if ((call.method && function->way == kCall) || (!call.method && function->way == kMethod) ||
      call.arguments.size() != function->arguments) {
    return NoSuchOverload(call.name, call.arguments);
  }
  Any value = function->compute(call.arguments);
  const auto* failure = value.As<Failed>();
  return failure != nullptr && failure->what.empty() ? NoSuchOverload(call.name, call.arguments) : std::move(value);
}

Any Reckon(char sign, const Any& a, const Any& b) {
  if (a.As<int64_t>() != nullptr && b.As<int64_t>() != nullptr) return Whole<int64_t>(sign, a, b);
  if (a.As<uint64_t>() != nullptr && b.As<uint64_t>() != nullptr) return Whole<uint64_t>(sign, a, b);
  const auto *x = a.As<double>(), *y = b.As<double>();
  if (x != nullptr && y != nullptr && sign != '%') return Fractions(sign, *x, *y);
  if (auto out = Times(sign, a, b)) return *std::move(out);
  if (sign == '+') {
    if (auto out = Joined(a, b)) return *std::move(out);
  }
  return NoSuchOverload(std::string(1, sign), {a, b});
}

Any Negative(const Any& value) {
  if (const auto* fraction = value.As<double>()) return -*fraction;
  if (const auto* length = value.As<absl::Duration>()) return LengthOrFailure(-*length);
  if (value.As<int64_t>() != nullptr) return Whole<int64_t>('-', Any(int64_t{0}), value);
  return NoSuchOverload("-", {value});
}

}  // namespace portrait::rules
