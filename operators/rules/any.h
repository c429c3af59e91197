// A value of CEL whose kind is known only while an expression runs: what trials of expressions reckon with
// (operators/rules/interpreter.h). Conditions of rules have checked kinds and use Scalar.
//
// Copies are cheap: lists and maps are shared and never change.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "absl/time/time.h"

namespace portrait::rules {

struct Any;

struct Nothing {};  // null
struct Bytes {
  std::string content;
};
struct TypeName {
  std::string name;
};
// An error; a value too, as in CEL: it spreads to what uses it.
struct Failed {
  std::string what;
  size_t at = 0;         // where in the expression
  bool missing = false;  // a feature without a value, a key that a map has not: what has() asks for
};

// One key whatever its kind: 1, 1u and 1.0 are the same.
using Key = std::variant<bool, int64_t, uint64_t, std::string>;

struct AnyList;
struct AnyMap;

struct Any {
  using Content = std::variant<Failed, Nothing, bool, int64_t, uint64_t, double, std::string, Bytes, absl::Time,
                               absl::Duration, std::shared_ptr<const AnyList>, std::shared_ptr<const AnyMap>, TypeName>;
  Content content;

  Any() : content(Nothing()) {}
  template <class T>
  Any(T value) : content(std::move(value)) {}  // NOLINT(google-explicit-constructor): a value is an Any

  template <class T>
  const T* As() const {
    return std::get_if<T>(&content);
  }
  const AnyList* list() const;
  const AnyMap* map() const;
  bool failed() const { return content.index() == 0; }
};

struct AnyList {
  std::vector<Any> items;
  int64_t weight = 1;
  bool named = false;  // elements of a feature: found by their names
};
struct AnyMap {
  std::map<Key, std::pair<Any, Any>> entries;  // key as it was written, and value
  int64_t weight = 1;
};

// Their weights are worked out here.
Any ListOf(std::vector<Any> items, bool named = false);
Any MapOf(std::map<Key, std::pair<Any, Any>> entries);

// How much there is of it: what copying, comparing or showing it takes. Lists that share parts count them each time.
int64_t WeightOf(const Any& value);

// Nothing: this kind is no key.
std::optional<Key> KeyOf(const Any& value);

// Numbers of all kinds compare by value, beside a fraction as fractions; values of kinds that do not go together are
// different.
bool Same(const Any& a, const Any& b);

enum class Ordering { kLess, kEqual, kMore, kUnordered, kNotComparable };  // unordered: NaN
Ordering OrderOf(const Any& a, const Any& b);

// As CEL's type() says it: "int", "google.protobuf.Timestamp".
std::string_view TypeOf(const Any& value);

// Times from the year 1 to 9999 and lengths of at most 10 000 years, as in CEL; others are errors.
Any TimeOrFailure(absl::Time time);
Any LengthOrFailure(absl::Duration length);

// "2026-01-31T00:00:00.5Z", "90.5s"
std::string TextOfTime(absl::Time time);
std::string TextOfLength(absl::Duration length);

}  // namespace portrait::rules
