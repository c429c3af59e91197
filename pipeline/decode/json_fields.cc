#include "pipeline/decode/json_fields.h"

#include <charconv>
#include <cmath>
#include <limits>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "pipeline/decode/iso_time.h"

namespace portrait {
namespace {

using simdjson::dom::element;

// The first that is there, or null.
const Field* First(FieldReader::Candidates candidates) {
  for (const Field& field : candidates) {
    if (field.value) return &field;
  }
  return nullptr;
}

std::optional<std::string_view> TextOf(const element& value) {
  std::string_view text;
  if (value.get(text)) return std::nullopt;
  return text;
}

std::string_view WithoutBlanks(std::string_view text) {
  const absl::string_view stripped = absl::StripAsciiWhitespace(absl::string_view(text.data(), text.size()));
  return {stripped.data(), stripped.size()};
}

// The whole text as a finite number.
std::optional<double> ParseNumber(std::string_view text) {
  text = WithoutBlanks(text);
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || !std::isfinite(number)) return std::nullopt;
  return number;
}

// A number that fits into 64 bits, rounded to the nearest.
std::optional<int64_t> Round(double number) {
  if (!(std::abs(number) < 9.2e18)) return std::nullopt;
  return std::llround(number);
}

std::optional<int64_t> EpochTime(double number) {
  const double size = std::abs(number);
  if (size < 1e11) return Round(number * 1e6);
  if (size < 1e14) return Round(number * 1e3);
  if (size < 1e17) return Round(number);
  return Round(number / 1e3);
}

// The same in whole numbers, which stay exact.
std::optional<int64_t> EpochTime(int64_t number) {
  const uint64_t size = number < 0 ? 0 - static_cast<uint64_t>(number) : static_cast<uint64_t>(number);
  if (size < 100'000'000'000) return number * 1'000'000;
  if (size < 100'000'000'000'000) return number * 1'000;
  if (size < 100'000'000'000'000'000) return number;
  return number / 1'000;
}

bool IsAnyOf(std::string_view text, std::initializer_list<std::string_view> names) {
  for (const std::string_view name : names) {
    if (text == name) return true;
  }
  return false;
}

}  // namespace

void Fields::Collect(simdjson::dom::object object) {
  for (const auto [name, value] : object) {
    if (value.is_null()) continue;
    const std::optional<Key> key = KeyNamed(name);
    if (!key) continue;
    uint16_t& at = at_[static_cast<size_t>(*key)];
    if (at == 0) {
      values_.push_back(value);
      at = static_cast<uint16_t>(values_.size());
    } else {
      values_[at - 1] = value;
    }
  }
}

std::nullopt_t FieldReader::WrongType(const Field& field, std::string_view wanted) {
  if (!failed()) {
    const std::string shown = simdjson::minify(*field.value);
    Fail(RejectionCode::kBadField,
         absl::StrCat(std::string(KeyName(field.key)), " is not ", std::string(wanted), ": ", Quoted(shown)));
  }
  return std::nullopt;
}

std::string_view FieldReader::Text(Candidates candidates) {
  for (const Field& field : candidates) {
    if (!field.value) continue;
    if (const auto text = TextOf(*field.value)) {
      if (text->empty()) continue;
      return *text;
    }
    int64_t whole = 0;
    if (field.value->get(whole)) {
      WrongType(field, "a text");
      continue;
    }
    char* const end = std::to_chars(digits_.data(), digits_.data() + digits_.size(), whole).ptr;
    return {digits_.data(), static_cast<size_t>(end - digits_.data())};
  }
  return {};
}

std::optional<double> FieldReader::Number(Candidates candidates) {
  const Field* field = First(candidates);
  if (field == nullptr) return std::nullopt;
  double number = 0;
  if (!field->value->get(number)) return number;
  const auto text = TextOf(*field->value);
  const auto parsed = text ? ParseNumber(*text) : std::nullopt;
  return parsed ? parsed : WrongType(*field, "a number");
}

std::optional<int64_t> FieldReader::Whole(Candidates candidates) {
  const Field* field = First(candidates);
  if (field == nullptr) return std::nullopt;
  int64_t whole = 0;
  if (!field->value->get(whole)) return whole;
  double number = 0;
  if (field->value->get(number)) {
    const auto text = TextOf(*field->value);
    const auto parsed = text ? ParseNumber(*text) : std::nullopt;
    if (!parsed) return WrongType(*field, "a whole number");
    number = *parsed;
  }
  const auto rounded = Round(number);
  if (!rounded || static_cast<double>(*rounded) != number) return WrongType(*field, "a whole number");
  return rounded;
}

std::optional<int64_t> FieldReader::Amount(Candidates candidates) {
  const Field* field = First(candidates);
  if (field == nullptr) return std::nullopt;
  int64_t whole = 0, micros = 0;
  if (!field->value->get(whole) && !__builtin_mul_overflow(whole, int64_t{1'000'000}, &micros)) return micros;
  double number = 0;
  if (field->value->get(number)) {
    const auto text = TextOf(*field->value);
    if (!text) return WrongType(*field, "an amount");
    const auto parsed = ParseNumber(*text);
    if (!parsed) {
      Fail(RejectionCode::kBadAmount, absl::StrCat(std::string(KeyName(field->key)), " is no number: ", Quoted(*text)));
      return std::nullopt;
    }
    number = *parsed;
  }
  const auto rounded = Round(number * 1e6);
  if (!rounded) {
    Fail(RejectionCode::kAbsurdAmount, absl::StrCat(std::string(KeyName(field->key)), " is too large: ", number));
  }
  return rounded;
}

std::optional<int64_t> FieldReader::Time(Candidates candidates) {
  const Field* field = First(candidates);
  if (field == nullptr) return std::nullopt;
  std::optional<int64_t> time;
  int64_t whole = 0;
  double number = 0;
  if (const auto text = TextOf(*field->value)) {
    time = ParseIsoTime(WithoutBlanks(*text));
  } else if (!field->value->get(whole)) {
    time = EpochTime(whole);
  } else if (!field->value->get(number)) {
    time = EpochTime(number);
  } else {
    return WrongType(*field, "a time");
  }
  if (!time) {
    const std::string shown = simdjson::minify(*field->value);
    Fail(RejectionCode::kBadTime, absl::StrCat(std::string(KeyName(field->key)), " is no time: ", Quoted(shown)));
  }
  return time;
}

std::optional<bool> FieldReader::Choice(Candidates candidates) {
  const Field* field = First(candidates);
  if (field == nullptr) return std::nullopt;
  bool choice = false;
  if (!field->value->get(choice)) return choice;
  if (const auto text = TextOf(*field->value)) {
    const PlainName plain(*text);
    if (IsAnyOf(plain.view(), {"granted", "yes", "true", "optin", "allow", "allowed"})) return true;
    if (IsAnyOf(plain.view(), {"denied", "no", "false", "optout", "deny"})) return false;
    if (text->empty() || plain.view() == "unknown") return std::nullopt;
  }
  return WrongType(*field, "granted or denied");
}

Fields FieldReader::Object(Candidates candidates) {
  Fields fields;
  if (const Field* field = First(candidates)) {
    simdjson::dom::object object;
    if (field->value->get(object)) {
      WrongType(*field, "an object");
    } else {
      fields.Collect(object);
    }
  }
  return fields;
}

std::optional<simdjson::dom::array> FieldReader::Array(Candidates candidates) {
  const Field* field = First(candidates);
  if (field == nullptr) return std::nullopt;
  simdjson::dom::array array;
  if (field->value->get(array)) return WrongType(*field, "an array");
  return array;
}

}  // namespace portrait
