#include "operators/rules/explanation.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"
#include "operators/value.h"

namespace portrait::rules {
namespace {

// What holds where the relation does not.
Relation Opposite(Relation relation) {
  switch (relation) {
    case Relation::kLess: return Relation::kAtLeast;
    case Relation::kAtMost: return Relation::kMore;
    case Relation::kMore: return Relation::kAtMost;
    case Relation::kAtLeast: return Relation::kLess;
    case Relation::kEqual: return Relation::kOther;
    case Relation::kOther: return Relation::kEqual;
  }
  return relation;
}

std::string_view SignOf(Relation relation) {
  switch (relation) {
    case Relation::kLess: return "<";
    case Relation::kAtMost: return "<=";
    case Relation::kMore: return ">";
    case Relation::kAtLeast: return ">=";
    case Relation::kEqual: return "==";
    case Relation::kOther: return "!=";
  }
  return "";
}

std::string_view WordsOf(Relation relation, Kind kind) {
  const bool time = kind == Kind::kTime;
  switch (relation) {
    case Relation::kLess: return time ? "before" : "less than";
    case Relation::kAtMost: return time ? "not after" : "at most";
    case Relation::kMore: return time ? "after" : "more than";
    case Relation::kAtLeast: return time ? "not before" : "at least";
    case Relation::kEqual: return "equal to";
    case Relation::kOther: return "other than";
  }
  return "";
}

class Explainer {
 public:
  explicit Explainer(Evaluation& evaluation) : evaluation_(evaluation) {}

  void Collect(int32_t index) {
    if (reasons_.size() == kMostReasons) return;
    const Node& n = NodeAt(index);
    switch (n.op) {
      case Op::kNot: return Collect(n.a);
      case Op::kAnd:
      case Op::kOr: {
        const Scalar whole = evaluation_.Run(index);
        for (const int32_t side : {n.a, n.b}) {
          const Scalar value = evaluation_.Run(side);
          const bool alike = whole.failed() ? value.failed() : !value.failed() && value.whole == whole.whole;
          if (alike) Collect(side);
        }
        return;
      }
      case Op::kIf: {
        const Scalar condition = evaluation_.Run(n.a);
        Collect(n.a);
        if (!condition.failed()) Collect(condition.whole != 0 ? n.b : n.c);
        return;
      }
      case Op::kCompare: return Comparison(n);
      case Op::kConstant: return;
      default: return Fact(index);
    }
  }

  std::vector<v1::Reason> Take() { return std::move(reasons_); }

 private:
  const Node& NodeAt(int32_t index) const { return evaluation_.program().nodes[static_cast<size_t>(index)]; }
  const FeatureDescription& FeatureAt(int32_t index) const {
    return evaluation_.program().features[static_cast<size_t>(index)].description();
  }

  // The first feature that a part reads.
  const FeatureDescription* FeatureIn(int32_t index) const {
    if (index < 0) return nullptr;
    const Node& n = NodeAt(index);
    switch (n.op) {
      case Op::kFeature:
      case Op::kHasFeature:
      case Op::kInItems:
      case Op::kExists:
      case Op::kAll:
      case Op::kExistsOne:
      case Op::kCount: return &FeatureAt(n.a);
      case Op::kIn: return FeatureIn(n.a);
      case Op::kColumn:
      case Op::kHasColumn: return &FeatureAt(n.c);
      case Op::kConstant:
      case Op::kNow:
      case Op::kSince:
      case Op::kItemName:
      case Op::kHasSince: return nullptr;
      default:
        for (const int32_t part : {n.a, n.b, n.c}) {
          if (const FeatureDescription* found = FeatureIn(part)) return found;
        }
        return nullptr;
    }
  }

  void Add(const FeatureDescription* feature, const Value& value, std::string_view comparison, const Value& threshold,
           std::string text) {
    v1::Reason reason;
    if (feature != nullptr) reason.set_feature(feature->name);
    *reason.mutable_value() = ToProto(value);
    reason.set_comparison(std::string(comparison));
    if (HasValue(threshold)) *reason.mutable_threshold() = ToProto(threshold);
    reason.set_text(std::move(text));
    const std::string content = reason.SerializeAsString();
    const bool known = std::any_of(reasons_.begin(), reasons_.end(),
                                   [&](const v1::Reason& r) { return r.SerializeAsString() == content; });
    if (!known) reasons_.push_back(std::move(reason));
  }

  // What the value of a side is called: the meaning of its feature, or of what it does with it.
  std::string NameOf(int32_t index, const FeatureDescription& feature) const {
    const Node& n = NodeAt(index);
    const std::string& meaning = feature.meaning.empty() ? feature.name : feature.meaning;
    if (n.op == Op::kFeature) return meaning;
    if (n.op == Op::kColumn) {
      const FeatureColumn& column = feature.columns[static_cast<size_t>(n.b)];
      const Item* const item = evaluation_.ItemAt(n.a);
      return absl::StrCat(item == nullptr ? std::string() : absl::StrCat(std::string(item->name), ": "),
                          column.meaning.empty() ? column.name : column.meaning);
    }
    if (n.op == Op::kSubtract && n.kind == Kind::kDuration && NodeAt(n.a).op == Op::kNow &&
        NodeAt(n.b).op == Op::kFeature) {
      return absl::StrCat("Time since: ", meaning);
    }
    return absl::StrCat("By ", feature.name);
  }

  void Comparison(const Node& n) {
    int32_t side = n.a, other = n.b;
    Relation relation = n.relation;
    const FeatureDescription* feature = FeatureIn(side);
    if (feature == nullptr && FeatureIn(other) != nullptr) {
      std::swap(side, other);
      relation = Mirrored(relation);
      feature = FeatureIn(side);
    }
    const Scalar value = evaluation_.Run(side), threshold = evaluation_.Run(other);
    if (feature == nullptr) return;
    if (value.failed() || threshold.failed()) {
      return Add(value.failed() ? feature : FeatureIn(other), {}, "", {},
                 absl::StrCat(NameOf(side, *feature), ": there is no value"));
    }
    const bool holds = evaluation_.Run(IndexOf(n)).IsTrue();
    if (!holds) relation = Opposite(relation);
    Add(feature, ToValue(value), SignOf(relation), ToValue(threshold),
        absl::StrCat(NameOf(side, *feature), ": ", ToText(ToValue(value)), ", ",
                     std::string(WordsOf(relation, value.kind)), " ", ToText(ToValue(threshold))));
  }

  int32_t IndexOf(const Node& n) const { return static_cast<int32_t>(&n - evaluation_.program().nodes.data()); }

  // A truth that is no comparison.
  void Fact(int32_t index) {
    const FeatureDescription* feature = FeatureIn(index);
    if (feature == nullptr) return;
    const Scalar value = evaluation_.Run(index);
    const std::string& meaning = feature->meaning.empty() ? feature->name : feature->meaning;
    const std::string outcome = value.failed() ? "there is no value" : value.whole != 0 ? "yes" : "no";
    std::string text;
    switch (NodeAt(index).op) {
      case Op::kFeature: text = absl::StrCat(meaning, ": ", outcome); break;
      case Op::kHasFeature:
        text = absl::StrCat(meaning, value.whole != 0 ? ": there is a value" : ": there is no value");
        break;
      default: text = absl::StrCat("By ", feature->name, ": ", outcome);
    }
    Add(feature, ToValue(value), "", {}, std::move(text));
  }

  Evaluation& evaluation_;
  std::vector<v1::Reason> reasons_;
};

}  // namespace

std::vector<v1::Reason> Explain(Evaluation& evaluation, int32_t node) {
  Explainer explainer(evaluation);
  explainer.Collect(node);
  return explainer.Take();
}

}  // namespace portrait::rules
