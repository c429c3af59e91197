// The names of conditions: features, now, since, the items of lists and their parts. See operators/rules/compiler.h.
#include "absl/strings/str_cat.h"
#include "operators/nearest_name.h"
#include "operators/rules/compiler.h"
#include "operators/rules/event_fields.h"
#include "operators/rules/kinds.h"

namespace portrait::rules {

namespace {

using Form = Expression::Form;

// Names that a feature has beside its own.
std::string_view FeatureMeantBy(std::string_view name) {
  if (name == "consent.marketing") return "person.marketing_allowed";
  if (name == "consent.analytics") return "person.analytics_allowed";
  return name;
}

}  // namespace

std::string Compiler::PathOf(const Expression& e) {
  if (e.form == Form::kName) return e.text;
  if (e.form != Form::kField) return "";
  const std::string before = PathOf(*e.parts[0]);
  return before.empty() ? "" : absl::StrCat(before, ".", e.text);
}

std::optional<size_t> Compiler::LoopNamed(std::string_view name) const {
  for (size_t i = loops_.size(); i-- > 0;) {
    if (!loops_[i].name.empty() && loops_[i].name == name) return i;
  }
  return std::nullopt;
}

Compiler::Checked Compiler::Name(const Expression& e) {
  Node node;
  if (e.text == "now" && scope_.fields_of) {
    return Fail(e, "a filter looks at one event, and there is no `now` in it; the window says how far back it looks");
  }
  if (scope_.fields_of) return Feature(e, e.text);
  if (e.text == "now") {
    node.op = Op::kNow;
    node.kind = Kind::kTime;
    return Make(node);
  }
  if (e.text == "since") {
    if (!scope_.since) return Fail(e, "`since` (when the tag came) is known only in `until`");
    node.op = Op::kSince;
    node.kind = Kind::kTime;
    node.local = true;
    return Make(node);
  }
  if (LoopNamed(e.text)) {
    return LeftOut(e, absl::StrCat("take a part of it, such as ", e.text, ".name"));
  }
  if (e.text == "item") return Fail(e, "`item` is known only in a rule with `each`");
  return Feature(e, e.text);
}

Compiler::Checked Compiler::Field(const Expression& e) {
  const std::string path = PathOf(e);
  if (path.empty()) return Fail(e, "only features and items have parts");
  if (scope_.fields_of) return Feature(e, path);
  const size_t dot = path.find('.');
  if (const auto loop = LoopNamed(path.substr(0, dot))) return Column(e, *loop, path.substr(dot + 1));
  if (path.compare(0, dot, "item") == 0) return Fail(e, "`item` is known only in a rule with `each`");
  return Feature(e, path);
}

Compiler::Checked Compiler::Feature(const Expression& e, const std::string& name) {
  auto feature = scope_.fields_of ? FindField(features_, name) : features_.Find(name);
  if (!feature.ok() && !scope_.fields_of && FeatureMeantBy(name) != name) {
    feature = features_.Find(FeatureMeantBy(name));
  }
  if (!feature.ok() && scope_.fields_of) return Fail(e, NoField(*scope_.fields_of, name));
  if (!feature.ok()) return Fail(e, std::string(feature.status().message()));
  const FeatureDescription& about = feature->description();
  if (!scope_.decided.empty() && about.name == scope_.decided) {
    return Fail(
        e, absl::StrCat("a rule cannot depend on what the rules decide, which would go round in a circle: ", name));
  }
  if (about.type == FeatureType::kItems) {
    Typed list;
    list.items = program_.FeatureIndex(*feature);
    return list;
  }
  return OfFeature(*feature);
}

// Of one that is no list.
Compiler::Checked Compiler::OfFeature(const FeatureRef& feature) {
  const FeatureDescription& about = feature.description();
  Node node;
  node.op = Op::kFeature;
  node.kind = KindOf(about.type);
  node.a = program_.FeatureIndex(feature);
  Checked out = Make(node);
  if (IsNumber(node.kind)) {
    out->unit = about.unit;
    out->measure = about.unit == "currency"                                     ? Measure::kMoney
                   : about.unit == "income_currency"                            ? Measure::kIncome
                   : about.unit == "days" && about.type == FeatureType::kNumber ? Measure::kDays
                   : about.unit == "1" || about.unit.empty()                    ? Measure::kNone
                                                                                : Measure::kCount;
  }
  return out;
}

Compiler::Checked Compiler::Column(const Expression& e, size_t loop, const std::string& name) {
  Node node;
  node.a = static_cast<int32_t>(loop);
  node.local = true;
  if (name == "name") {
    node.op = Op::kItemName;
    node.kind = Kind::kText;
    return Make(node);
  }
  const FeatureDescription& list = program_.features[static_cast<size_t>(loops_[loop].list)].description();
  const auto& columns = list.columns;
  std::vector<std::string_view> names = {"name"};
  for (size_t i = 0; i < columns.size(); ++i) {
    names.push_back(columns[i].name);
    if (columns[i].name != name) continue;
    node.op = Op::kColumn;
    node.kind = KindOf(columns[i].type);
    node.b = static_cast<int32_t>(i);
    node.c = loops_[loop].list;
    Checked out = Make(node);
    out->unit = columns[i].unit;
    if (IsNumber(node.kind)) {
      out->measure = columns[i].unit == "currency" ? Measure::kMoney
                     : columns[i].unit == "1"      ? Measure::kNone
                                                   : Measure::kCount;
    }
    return out;
  }
  return Fail(e, absl::StrCat("an element of ", list.name, " has no ", name, DidYouMean(name, names)));
}

}  // namespace portrait::rules
