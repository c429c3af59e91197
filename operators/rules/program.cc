#include "operators/rules/program.h"

#include <re2/re2.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace portrait::rules {
namespace {

char LowerOf(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

char CharOf(const Scalar& text, size_t i) { return text.lower ? LowerOf(text.text[i]) : text.text[i]; }

bool SameAt(const Scalar& text, size_t at, const Scalar& part) {
  for (size_t i = 0; i < part.size; ++i) {
    if (CharOf(text, at + i) != CharOf(part, i)) return false;
  }
  return true;
}

int Order(int64_t a, int64_t b) { return a < b ? -1 : a > b ? 1 : 0; }

// By bytes, which is by characters in UTF-8.
int OrderOfTexts(const Scalar& a, const Scalar& b) {
  const size_t common = std::min(a.size, b.size);
  for (size_t i = 0; i < common; ++i) {
    const auto x = static_cast<unsigned char>(CharOf(a, i)), y = static_cast<unsigned char>(CharOf(b, i));
    if (x != y) return x < y ? -1 : 1;
  }
  return Order(a.size, b.size);
}

// A long double holds every int64_t and every double, on x86-64 and on arm64.
long double Exact(const Scalar& number) {
  return number.kind == Kind::kFraction ? static_cast<long double>(number.fraction)
                                        : static_cast<long double>(number.whole);
}

bool HoldsForFractions(Relation relation, long double a, long double b) {
  switch (relation) {
    case Relation::kLess: return a < b;
    case Relation::kAtMost: return a <= b;
    case Relation::kMore: return a > b;
    case Relation::kAtLeast: return a >= b;
    case Relation::kEqual: return a == b;
    case Relation::kOther: return a != b;
  }
  return false;
}

bool Related(Relation relation, const Scalar& a, const Scalar& b) {
  if (a.kind == Kind::kText) return Holds(relation, OrderOfTexts(a, b));
  if (a.kind == Kind::kFraction && b.kind == Kind::kFraction) {
    switch (relation) {
      case Relation::kLess: return a.fraction < b.fraction;
      case Relation::kAtMost: return a.fraction <= b.fraction;
      case Relation::kMore: return a.fraction > b.fraction;
      case Relation::kAtLeast: return a.fraction >= b.fraction;
      case Relation::kEqual: return a.fraction == b.fraction;
      case Relation::kOther: return a.fraction != b.fraction;
    }
  }
  if (a.kind == Kind::kFraction || b.kind == Kind::kFraction) return HoldsForFractions(relation, Exact(a), Exact(b));
  return Holds(relation, Order(a.whole, b.whole));
}

// Whole numbers, times and durations: never beyond what fits.
Scalar WholeArithmetic(Op op, Kind kind, int64_t a, int64_t b) {
  int64_t out = 0;
  bool overflow = false;
  switch (op) {
    case Op::kAdd: overflow = __builtin_add_overflow(a, b, &out); break;
    case Op::kSubtract: overflow = __builtin_sub_overflow(a, b, &out); break;
    case Op::kMultiply: overflow = __builtin_mul_overflow(a, b, &out); break;
    default:
      if (b == 0) return Scalar::Error(Failure::kDivisionByZero);
      overflow = b == -1 && a == std::numeric_limits<int64_t>::min();
      if (!overflow) out = op == Op::kDivide ? a / b : a % b;
  }
  return overflow ? Scalar::Error(Failure::kOverflow) : Scalar::Whole(out, kind);
}

Scalar FractionArithmetic(Op op, double a, double b) {
  switch (op) {
    case Op::kAdd: return Scalar::Fraction(a + b);
    case Op::kSubtract: return Scalar::Fraction(a - b);
    case Op::kMultiply: return Scalar::Fraction(a * b);
    default: return Scalar::Fraction(a / b);  // by zero: infinite, as in CEL
  }
}

// Towards zero; what does not fit is an overflow.
Scalar ToWhole(double value, Kind kind) {
  constexpr double kLimit = 9223372036854775808.0;
  if (!(value > -kLimit && value < kLimit)) return Scalar::Error(Failure::kOverflow);
  return Scalar::Whole(static_cast<int64_t>(value), kind);
}

}  // namespace

bool Holds(Relation relation, int order) {
  switch (relation) {
    case Relation::kLess: return order < 0;
    case Relation::kAtMost: return order <= 0;
    case Relation::kMore: return order > 0;
    case Relation::kAtLeast: return order >= 0;
    case Relation::kEqual: return order == 0;
    case Relation::kOther: return order != 0;
  }
  return false;
}

Relation Mirrored(Relation relation) {
  switch (relation) {
    case Relation::kLess: return Relation::kMore;
    case Relation::kAtMost: return Relation::kAtLeast;
    case Relation::kMore: return Relation::kLess;
    case Relation::kAtLeast: return Relation::kAtMost;
    default: return relation;
  }
}

Scalar ToScalar(const Value& value) {
  switch (value.index()) {
    case 1: return Scalar::Truth(*std::get_if<bool>(&value));
    case 2: return Scalar::Whole(*std::get_if<int64_t>(&value));
    case 3: return Scalar::Fraction(*std::get_if<double>(&value));
    case 4: return Scalar::Text(*std::get_if<std::string_view>(&value));
    case 5: return Scalar::Whole(ToMicros(*std::get_if<Timestamp>(&value)), Kind::kTime);
    case 6: return Scalar::Whole(std::get_if<Duration>(&value)->count(), Kind::kDuration);
    default: return Scalar::Error(Failure::kNoValue);
  }
}

Value ToValue(const Scalar& scalar) {
  switch (scalar.kind) {
    case Kind::kError: return std::monostate{};
    case Kind::kTruth: return scalar.whole != 0;
    case Kind::kWhole: return scalar.whole;
    case Kind::kFraction: return scalar.fraction;
    case Kind::kText: return std::string_view(scalar.text, scalar.size);
    case Kind::kTime: return FromMicros(scalar.whole);
    case Kind::kDuration: return Duration(scalar.whole);
  }
  return std::monostate{};
}

bool LooksThrough(Op op) { return op == Op::kExists || op == Op::kAll || op == Op::kExistsOne || op == Op::kCount; }

std::vector<int32_t> PartsOf(const Program& program, const Node& n) {
  switch (n.op) {
    case Op::kConstant:
    case Op::kNow:
    case Op::kSince:
    case Op::kFeature:
    case Op::kColumn:
    case Op::kItemName:
    case Op::kHasFeature:
    case Op::kHasColumn:
    case Op::kHasSince: return {};
    case Op::kIn: {
      std::vector<int32_t> out(program.elements.begin() + n.b, program.elements.begin() + n.c);
      out.push_back(n.a);
      return out;
    }
    case Op::kInItems:
    case Op::kExists:
    case Op::kAll:
    case Op::kExistsOne:
    case Op::kCount: return n.b < 0 ? std::vector<int32_t>() : std::vector<int32_t>{n.b};
    default: {
      std::vector<int32_t> out;
      for (const int32_t part : {n.a, n.b, n.c}) {
        if (part >= 0) out.push_back(part);
      }
      return out;
    }
  }
}

int32_t FeatureOf(const Node& n) {
  if (n.op == Op::kColumn || n.op == Op::kHasColumn) return n.c;
  const bool of_feature = n.op == Op::kFeature || n.op == Op::kHasFeature || n.op == Op::kInItems;
  return of_feature || LooksThrough(n.op) ? n.a : -1;
}

int32_t Program::FeatureIndex(const FeatureRef& feature) {
  for (size_t i = 0; i < features.size(); ++i) {
    if (&features[i].description() == &feature.description()) return static_cast<int32_t>(i);
  }
  features.push_back(feature);
  return static_cast<int32_t>(features.size()) - 1;
}

int64_t Program::PatternIndex(const std::string& source, std::shared_ptr<const re2::RE2> compiled) {
  const auto same = std::find_if(patterns.begin(), patterns.end(), [&](const auto& p) { return p.source == source; });
  if (same != patterns.end()) return same - patterns.begin();
  patterns.push_back({source, std::move(compiled)});
  return static_cast<int64_t>(patterns.size()) - 1;
}

Scratch& Scratch::OfThisThread() {
  thread_local Scratch scratch;
  return scratch;
}

Evaluation::Evaluation(const Program& program, const void* source, Getter get, ItemsGetter get_items, const Moment& now,
                       Scratch& scratch)
    : program_(program), source_(source), get_(get), get_items_(get_items), now_(now), scratch_(scratch) {
  ++scratch_.round_;
  if (scratch_.values_.size() < static_cast<size_t>(program.memos)) {
    scratch_.values_.resize(static_cast<size_t>(program.memos));
  }
  if (scratch_.items_.size() < program.features.size()) scratch_.items_.resize(program.features.size());
  if (scratch_.changes_.size() < program.nodes.size()) scratch_.changes_.resize(program.nodes.size());
  if (scratch_.changes_of_features_.size() < program.features.size()) {
    scratch_.changes_of_features_.resize(program.features.size());
  }
}

const Items& Evaluation::ItemsOf(int32_t feature) {
  Scratch::KeptItems& kept = scratch_.items_[static_cast<size_t>(feature)];
  if (kept.round != scratch_.round_) {
    kept.items = get_items_(source_, program_.features[static_cast<size_t>(feature)]);
    kept.round = scratch_.round_;
  }
  return kept.items;
}

Scalar Evaluation::Compute(const Node& n) {
  switch (n.op) {
    case Op::kConstant: return n.constant;
    case Op::kNow: return Scalar::Whole(ToMicros(now_.time), Kind::kTime);
    case Op::kSince: return since_ ? Scalar::Whole(ToMicros(*since_), Kind::kTime) : Scalar::Error(Failure::kNoValue);
    case Op::kHasSince: return Scalar::Truth(since_.has_value());
    case Op::kFeature: return ToScalar(get_(source_, program_.features[static_cast<size_t>(n.a)]));
    case Op::kHasFeature: return Scalar::Truth(HasValue(get_(source_, program_.features[static_cast<size_t>(n.a)])));
    case Op::kColumn: return ToScalar(items_[n.a]->columns[static_cast<size_t>(n.b)]);
    case Op::kHasColumn: return Scalar::Truth(HasValue(items_[n.a]->columns[static_cast<size_t>(n.b)]));
    case Op::kItemName: return Scalar::Text(items_[n.a]->name);
    case Op::kNot: {
      const Scalar a = Run(n.a);
      return a.failed() ? a : Scalar::Truth(a.whole == 0);
    }
    case Op::kAnd:
    case Op::kOr: {
      // What decides alone wins over an error on the other side.
      const bool decides = n.op == Op::kOr;
      const Scalar a = Run(n.a);
      if (!a.failed() && (a.whole != 0) == decides) return a;
      const Scalar b = Run(n.b);
      if (!b.failed() && (b.whole != 0) == decides) return b;
      return a.failed() ? a : b;
    }
    case Op::kIf: {
      const Scalar a = Run(n.a);
      return a.failed() ? a : Run(a.whole != 0 ? n.b : n.c);
    }
    case Op::kNegate:
    case Op::kAdd:
    case Op::kSubtract:
    case Op::kMultiply:
    case Op::kDivide:
    case Op::kRemainder: return Arithmetic(n);
    case Op::kCompare: {
      const Scalar a = Run(n.a);
      if (a.failed()) return a;
      const Scalar b = Run(n.b);
      return b.failed() ? b : Scalar::Truth(Related(n.relation, a, b));
    }
    case Op::kIn: {
      const Scalar a = Run(n.a);
      if (a.failed()) return a;
      std::optional<Scalar> error;
      for (int32_t i = n.b; i < n.c; ++i) {
        const Scalar element = Run(program_.elements[static_cast<size_t>(i)]);
        if (element.failed()) {
          error = element;
        } else if (Related(Relation::kEqual, a, element)) {
          return Scalar::Truth(true);
        }
      }
      return error.value_or(Scalar::Truth(false));
    }
    case Op::kToFraction: {
      const Scalar a = Run(n.a);
      return a.kind == Kind::kWhole ? Scalar::Fraction(static_cast<double>(a.whole)) : a;
    }
    case Op::kToWhole: {
      const Scalar a = Run(n.a);
      return a.kind == Kind::kFraction ? ToWhole(a.fraction, Kind::kWhole) : a;
    }
    case Op::kLength: {  // a number of units of `constant` microseconds
      const Scalar a = Run(n.a);
      if (a.failed()) return a;
      if (a.kind == Kind::kWhole) return WholeArithmetic(Op::kMultiply, Kind::kDuration, a.whole, n.constant.whole);
      return ToWhole(a.fraction * static_cast<double>(n.constant.whole), Kind::kDuration);
    }
    case Op::kStartsWith:
    case Op::kEndsWith:
    case Op::kContains:
    case Op::kMatches:
    case Op::kLower:
    case Op::kTextSize: return TextOf(n);
    case Op::kInItems:
    case Op::kExists:
    case Op::kAll:
    case Op::kExistsOne:
    case Op::kCount: return LookThrough(n);
  }
  return Scalar::Error(Failure::kNoValue);
}

Scalar Evaluation::Arithmetic(const Node& n) {
  const Scalar a = Run(n.a);
  if (a.failed()) return a;
  if (n.op == Op::kNegate) {
    return n.kind == Kind::kFraction ? Scalar::Fraction(-a.fraction)
                                     : WholeArithmetic(Op::kSubtract, n.kind, 0, a.whole);
  }
  const Scalar b = Run(n.b);
  if (b.failed()) return b;
  return n.kind == Kind::kFraction ? FractionArithmetic(n.op, a.fraction, b.fraction)
                                   : WholeArithmetic(n.op, n.kind, a.whole, b.whole);
}

Scalar Evaluation::TextOf(const Node& n) {
  Scalar a = Run(n.a);
  if (a.failed()) return a;
  if (n.op == Op::kLower) {
    a.lower = true;
    return a;
  }
  if (n.op == Op::kTextSize) {  // characters, not bytes
    const auto starts = [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; };
    return Scalar::Whole(std::count_if(a.text, a.text + a.size, starts));
  }
  if (n.op == Op::kMatches) {
    std::string lower;  // only where it is asked for
    if (a.lower) {
      for (size_t i = 0; i < a.size; ++i) lower += CharOf(a, i);
    }
    const std::string_view text = a.lower ? std::string_view(lower) : std::string_view(a.text, a.size);
    const Program::Pattern& pattern = program_.patterns[static_cast<size_t>(n.constant.whole)];
    return Scalar::Truth(re2::RE2::PartialMatch({text.data(), text.size()}, *pattern.compiled));
  }
  const Scalar b = Run(n.b);
  if (b.failed()) return b;
  if (b.size > a.size) return Scalar::Truth(false);
  if (n.op == Op::kStartsWith) return Scalar::Truth(SameAt(a, 0, b));
  if (n.op == Op::kEndsWith) return Scalar::Truth(SameAt(a, a.size - b.size, b));
  for (size_t at = 0; at + b.size <= a.size; ++at) {
    if (SameAt(a, at, b)) return Scalar::Truth(true);
  }
  return Scalar::Truth(false);
}

Scalar Evaluation::LookThrough(const Node& n) {
  if (n.op == Op::kInItems) {
    const Scalar name = Run(n.b);
    if (name.failed()) return name;
    for (const Item& item : ItemsOf(n.a)) {
      if (OrderOfTexts(Scalar::Text(item.name), name) == 0) return Scalar::Truth(true);
    }
    return Scalar::Truth(false);
  }
  int64_t found = 0;
  std::optional<Scalar> error;
  const Item* const before = items_[n.c];
  for (const Item& item : ItemsOf(n.a)) {
    items_[n.c] = &item;
    const Scalar value = n.b < 0 ? Scalar::Truth(true) : Run(n.b);
    if (value.failed()) {
      error = value;
    } else {
      found += value.whole != 0;
      if ((n.op == Op::kExists && value.IsTrue()) || (n.op == Op::kAll && value.IsFalse())) {
        items_[n.c] = before;
        return Scalar::Truth(n.op == Op::kExists);
      }
    }
  }
  items_[n.c] = before;
  if (error) return *error;
  switch (n.op) {
    case Op::kExists: return Scalar::Truth(false);
    case Op::kAll: return Scalar::Truth(true);
    case Op::kExistsOne: return Scalar::Truth(found == 1);
    default: return Scalar::Whole(found);
  }
}

}  // namespace portrait::rules
