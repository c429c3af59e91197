// Conditions as they run: one program for all conditions of a rule set, evaluated for one customer at one moment.
//
//   Evaluation evaluation(program, context, moment, Scratch::OfThisThread());
//   if (evaluation.Holds(condition)) …
//
// Parts that are equal are one part: conditions that share a comparison or a feature compute it once for each
// Evaluation. Nothing is allocated while evaluating, except by features that are lists. Errors are values, as in CEL: a
// feature without a value, a division by zero and an overflow spread to what uses them, but `false && error` is false
// and `true || error` is true, whichever stands first. A condition whose value is an error does not hold.
//
// A Program is constant once compiled (operators/rules/compiler.h); then safe from any thread. It must outlive its
// Evaluations.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "operators/features.h"
#include "operators/time.h"
#include "operators/value.h"

namespace re2 {
class RE2;
}

namespace portrait::rules {

// As the moment at which something changes: it does not. Later than any other.
inline constexpr Timestamp kNever = Timestamp::max();

enum class Kind : uint8_t { kError, kTruth, kWhole, kFraction, kText, kTime, kDuration };
enum class Failure : uint8_t { kNoValue, kDivisionByZero, kOverflow };

// One value, as small as two registers. A text points to the row or to the program.
struct Scalar {
  Kind kind = Kind::kError;
  Failure failure = Failure::kNoValue;
  bool lower = false;  // of a text: its ASCII letters count as lower case
  uint32_t size = 0;   // of a text
  union {
    int64_t whole = 0;  // also a truth, and microseconds of a time or duration
    double fraction;
    const char* text;
  };

  static Scalar Error(Failure failure) {
    Scalar out;
    out.failure = failure;
    return out;
  }
  static Scalar Whole(int64_t value, Kind kind = Kind::kWhole) {
    Scalar out;
    out.kind = kind;
    out.whole = value;
    return out;
  }
  static Scalar Truth(bool value) { return Whole(value ? 1 : 0, Kind::kTruth); }
  static Scalar Fraction(double value) {
    Scalar out;
    out.kind = Kind::kFraction;
    out.fraction = value;
    return out;
  }
  static Scalar Text(std::string_view value) {
    Scalar out;
    out.kind = Kind::kText;
    out.size = static_cast<uint32_t>(value.size());
    out.text = value.data();
    return out;
  }
  bool failed() const { return kind == Kind::kError; }
  bool IsTrue() const { return kind == Kind::kTruth && whole != 0; }
  bool IsFalse() const { return kind == Kind::kTruth && whole == 0; }
};

Scalar ToScalar(const Value& value);
// For explanations. The text of a lower-cased text is as it was written.
Value ToValue(const Scalar& scalar);

// clang-format off
enum class Op : uint8_t {
  kConstant, kNow, kSince, kFeature, kColumn, kItemName, kHasFeature, kHasColumn, kHasSince,
  kNot, kAnd, kOr, kIf,
  kNegate, kAdd, kSubtract, kMultiply, kDivide, kRemainder,  // by the kind of the node
  kCompare, kIn, kInItems,
  kToFraction, kToWhole, kLength,
  kStartsWith, kEndsWith, kContains, kMatches, kLower, kTextSize,
  kExists, kAll, kExistsOne, kCount,
};
// clang-format on

enum class Relation : uint8_t { kLess, kAtMost, kMore, kAtLeast, kEqual, kOther };

// Whether it holds for two values that compare like this: below, equal or above 0. Not for NaN.
bool Holds(Relation relation, int order);
// What holds with the sides exchanged.
Relation Mirrored(Relation relation);

inline constexpr int kLoops = 4;  // lists looked through within one another, the item of `each` included

struct Node {
  Op op = Op::kConstant;
  Kind kind = Kind::kError;
  Relation relation = Relation::kEqual;
  bool local = false;  // depends on an item or on `since`: not the same for all of an Evaluation
  int32_t a = -1;      // operands: nodes; of features: which; of columns: loop, column, list
  int32_t b = -1;
  int32_t c = -1;
  int32_t memo = -1;  // of a part with several users: where its value is kept
  Scalar constant;
};

struct Program {
  std::vector<Node> nodes;
  std::vector<int32_t> elements;  // of lists in `in`: b to c of the node
  std::vector<FeatureRef> features;
  std::deque<std::string> texts;  // what constants point to
  struct Pattern {
    std::string source;
    std::shared_ptr<const re2::RE2> compiled;
  };
  std::vector<Pattern> patterns;  // of kMatches: which is its constant
  int32_t memos = 0;
  absl::flat_hash_map<std::string, int32_t> known;  // for the compiler: nodes by their content

  int32_t FeatureIndex(const FeatureRef& feature);
  int64_t PatternIndex(const std::string& source, std::shared_ptr<const re2::RE2> compiled);
};

// Whether it is a loop over a list: exists, all and their like.
bool LooksThrough(Op op);
// The nodes that a node is made of.
std::vector<int32_t> PartsOf(const Program& program, const Node& n);
// Which of the program's features a node reads itself, not by its parts; -1: none.
int32_t FeatureOf(const Node& n);

// Room to evaluate in, so that nothing is allocated. One at a time for each thread.
class Scratch {
 public:
  static Scratch& OfThisThread();

 private:
  friend class Evaluation;
  struct Kept {
    uint64_t round = 0;
    Scalar value;
  };
  struct KeptItems {
    uint64_t round = 0;
    Items items;
  };
  // Of a node, or of a feature: when it changes by time alone (NextChange).
  struct KeptChange {
    uint64_t round = 0;
    Timestamp at = kNever;
    bool within_day = false;
  };
  uint64_t round_ = 0;
  std::vector<KeptChange> changes_, changes_of_features_;
  std::vector<Kept> values_;
  std::vector<KeptItems> items_;
};

// At most one on a Scratch at a time.
class Evaluation {
 public:
  // Source has Get(FeatureRef) and GetItems(FeatureRef): a Context or a FeatureReader. It must outlive this.
  template <class Source>
  Evaluation(const Program& program, const Source& source, const Moment& now, Scratch& scratch)
      : Evaluation(
            program, &source,
            [](const void* from, const FeatureRef& f) { return static_cast<const Source*>(from)->Get(f); },
            [](const void* from, const FeatureRef& f) { return static_cast<const Source*>(from)->GetItems(f); }, now,
            scratch) {}

  Scalar Run(int32_t node) {
    const Node& n = program_.nodes[static_cast<size_t>(node)];
    if (n.op == Op::kConstant) return n.constant;
    if (n.memo < 0) return Compute(n);
    Scratch::Kept& kept = scratch_.values_[static_cast<size_t>(n.memo)];
    if (kept.round == scratch_.round_) return kept.value;
    const Scalar value = Compute(n);
    kept.round = scratch_.round_;
    kept.value = value;
    return value;
  }
  bool Holds(int32_t node) { return Run(node).IsTrue(); }

  // When a node that is not local changes by time alone, or within the day, worked out once; `find` does that.
  template <class Find>
  Timestamp ChangeOf(int32_t node, bool within_day, Find find) {
    return Once(scratch_.changes_[static_cast<size_t>(node)], within_day, find);
  }
  template <class Find>
  Timestamp ChangeOfFeature(int32_t feature, Find find) {
    return Once(scratch_.changes_of_features_[static_cast<size_t>(feature)], false, find);
  }

  // The list of a feature, got once.
  const Items& ItemsOf(int32_t feature);

  // The value of a feature, whether the program has it or not.
  Value Read(const FeatureRef& feature) const { return get_(source_, feature); }

  const Item* ItemAt(int32_t loop) const { return items_[loop]; }
  void SetItem(int loop, const Item* item) { items_[loop] = item; }
  // When the tag in question came; nothing while it is not held.
  void SetSince(std::optional<Timestamp> since) { since_ = since; }

  const Program& program() const { return program_; }
  const Moment& now() const { return now_; }

 private:
  using Getter = Value (*)(const void*, const FeatureRef&);
  using ItemsGetter = Items (*)(const void*, const FeatureRef&);
  Evaluation(const Program& program, const void* source, Getter get, ItemsGetter get_items, const Moment& now,
             Scratch& scratch);

  template <class Find>
  Timestamp Once(Scratch::KeptChange& kept, bool within_day, Find find) {
    if (kept.round == scratch_.round_ && kept.within_day == within_day) return kept.at;
    const Timestamp at = find();
    kept.round = scratch_.round_;
    kept.at = at;
    kept.within_day = within_day;
    return at;
  }
  Scalar Compute(const Node& n);
  Scalar Arithmetic(const Node& n);
  Scalar LookThrough(const Node& n);
  Scalar TextOf(const Node& n);

  const Program& program_;
  const void* source_;
  Getter get_;
  ItemsGetter get_items_;
  Moment now_;
  Scratch& scratch_;
  std::optional<Timestamp> since_;
  const Item* items_[kLoops] = {};
};

}  // namespace portrait::rules
