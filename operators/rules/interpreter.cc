#include "operators/rules/interpreter.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "operators/nearest_name.h"

namespace portrait::rules {
namespace {

using Form = Expression::Form;

constexpr std::string_view kTypes[] = {"bool",
                                       "int",
                                       "uint",
                                       "double",
                                       "string",
                                       "bytes",
                                       "list",
                                       "map",
                                       "null_type",
                                       "type",
                                       "google.protobuf.Timestamp",
                                       "google.protobuf.Duration"};

bool IsMacro(const Expression& e) {
  if (e.form != Form::kMethod || e.parts.size() < 2 || e.parts[1]->form != Form::kName) return false;
  if (e.text == "map") return e.parts.size() == 3 || e.parts.size() == 4;
  return e.parts.size() == 3 && (e.text == "all" || e.text == "exists" || e.text == "exists_one" ||
                                 e.text == "existsOne" || e.text == "filter");
}

void AddNames(const Expression& e, std::vector<std::string>& bound, std::set<std::string>& out) {
  const std::string dotted = DottedName(e);
  if (!dotted.empty()) {
    const std::string first = dotted.substr(0, dotted.find('.'));
    if (std::find(bound.begin(), bound.end(), first) == bound.end()) out.insert(dotted);
    return;
  }
  if (IsMacro(e)) {
    AddNames(*e.parts[0], bound, out);
    bound.push_back(e.parts[1]->text);
    for (size_t i = 2; i < e.parts.size(); ++i) AddNames(*e.parts[i], bound, out);
    bound.pop_back();
    return;
  }
  for (const auto& part : e.parts) AddNames(*part, bound, out);
}

// A number that stands in the text, such as 3 or -3.
const int64_t* WrittenWhole(const Expression& e) { return e.form == Form::kWhole ? &e.whole : nullptr; }

class Interpreter {
 public:
  explicit Interpreter(const Names& names) : names_(names) {}

  Any Of(const Expression& e) {
    if (--steps_ < 0) return Failed{absl::StrCat("takes too long: more than ", kMostSteps, " steps"), e.begin};
    Any value = Compute(e);
    steps_ -= WeightOf(value) / 64;
    if (WeightOf(value) > kMostSteps) return Failed{"a value grows too large", e.begin};
    if (auto* failure = std::get_if<Failed>(&value.content); failure != nullptr && failure->at == 0) {
      failure->at = e.begin;
    }
    return value;
  }

 private:
  Any Compute(const Expression& e) {
    switch (e.form) {
      case Form::kWhole: return e.whole;
      case Form::kUnsigned: return static_cast<uint64_t>(e.whole);
      case Form::kFraction: return e.fraction;
      case Form::kText: return e.text;
      case Form::kBytes: return Bytes{e.text};
      case Form::kTruth: return e.truth;
      case Form::kNull: return Nothing();
      case Form::kName:
      case Form::kField: return Named(e);
      case Form::kCall: return Call(e);
      case Form::kMethod: return Method(e);
      case Form::kIndex: return Index(e);
      case Form::kList: return List(e);
      case Form::kMap: return Map(e);
      case Form::kUnary: return Unary(e);
      case Form::kBinary: return Binary(e);
      case Form::kConditional: return Conditional(e);
    }
    return Failed{"not known"};
  }

  // a.b.c: the longest beginning that is a name; what follows are fields of its value.
  Any Named(const Expression& e) {
    const std::string dotted = DottedName(e);
    if (dotted.empty()) return Field(Of(*e.parts[0]), e.text);
    const std::string first = dotted.substr(0, dotted.find('.'));
    for (auto it = bound_.rbegin(); it != bound_.rend(); ++it) {
      if (it->first == first) return e.form == Form::kName ? it->second : Field(Of(*e.parts[0]), e.text);
    }
    if (auto value = names_.Find(dotted)) return *std::move(value);
    if (std::find(std::begin(kTypes), std::end(kTypes), dotted) != std::end(kTypes)) return TypeName{dotted};
    if (e.form == Form::kField && IsKnown(*e.parts[0])) return Field(Of(*e.parts[0]), e.text);
    return Failed{names_.Unknown(dotted)};
  }

  bool IsKnown(const Expression& e) const {
    if (names_.Find(DottedName(e))) return true;
    return e.form == Form::kField && IsKnown(*e.parts[0]);
  }

  static Any Field(const Any& of, const std::string& name) {
    if (of.failed()) return of;
    const AnyMap* map = of.map();
    if (map == nullptr) return Failed{absl::StrCat("no such overload: field ", name, " of ", std::string(TypeOf(of)))};
    const auto it = map->entries.find(Key(name));
    if (it == map->entries.end()) return Failed{absl::StrCat("no such key: ", name), 0, true};
    return it->second.second;
  }

  Any Call(const Expression& e) {
    if (e.text == "has") return Has(e);
    return Function(e, false);
  }

  Any Has(const Expression& e) {
    if (e.parts.size() != 1 || (e.parts[0]->form != Form::kField && e.parts[0]->form != Form::kName)) {
      return Failed{"has() asks for a field: has(a.b)"};
    }
    const Any value = Of(*e.parts[0]);
    if (const auto* failure = value.As<Failed>()) return failure->missing ? Any(false) : value;
    return true;
  }

  Any Method(const Expression& e) {
    if (IsMacro(e)) return Macro(e);
    return Function(e, true);
  }

  Any Function(const Expression& e, bool method) {
    std::vector<Any> arguments;
    for (const auto& part : e.parts) {
      arguments.push_back(Of(*part));
      if (arguments.back().failed()) return arguments.back();
      steps_ -= WeightOf(arguments.back()) / 8;  // it may be looked through
    }
    const FunctionCall call{e.text, method, arguments};
    if (auto value = CallFunction(call)) return *std::move(value);
    if (auto value = PartOfTime(call)) return *std::move(value);
    return Failed{absl::StrCat("no such function: ", e.text, DidYouMean(e.text, FunctionNames()))};
  }

  Any Macro(const Expression& e) {
    const Any range = Of(*e.parts[0]);
    if (range.failed()) return range;
    std::vector<Any> items;
    if (const AnyList* list = range.list()) {
      items = list->items;
    } else if (const AnyMap* map = range.map()) {
      for (const auto& [key, entry] : map->entries) items.push_back(entry.first);
    } else {
      return NoSuchOverload(e.text, {range});
    }
    steps_ -= static_cast<int64_t>(items.size()) / 8;
    bound_.emplace_back(e.parts[1]->text, Any());
    Any out = e.text == "all" || e.text == "exists" ? Quantified(e, items, e.text == "exists")
              : e.text == "map"                     ? Mapped(e, items)
                                                    : Chosen(e, std::move(items));
    bound_.pop_back();
    return out;
  }

  // Whether one is (`decisive` true), or all are (false). One that decides wins over errors before it.
  Any Quantified(const Expression& e, const std::vector<Any>& items, bool decisive) {
    std::optional<Any> error;
    for (const Any& item : items) {
      bound_.back().second = item;
      Any value = Of(*e.parts[2]);
      const auto* truth = value.As<bool>();
      if (truth != nullptr && *truth == decisive) return decisive;
      if (truth == nullptr && !error) error = value.failed() ? std::move(value) : Any(NoSuchOverload(e.text, {value}));
      if (steps_ < 0) break;
    }
    return error.value_or(Any(!decisive));
  }

  Any Mapped(const Expression& e, const std::vector<Any>& items) {
    std::vector<Any> out;
    for (const Any& item : items) {
      bound_.back().second = item;
      if (e.parts.size() == 4) {
        const Any wanted = Of(*e.parts[2]);
        if (wanted.failed()) return wanted;
        if (wanted.As<bool>() == nullptr) return NoSuchOverload(e.text, {wanted});
        if (!*wanted.As<bool>()) continue;
      }
      out.push_back(Of(*e.parts.back()));
      if (out.back().failed()) return out.back();
    }
    return ListOf(std::move(out));
  }

  // filter and exists_one
  Any Chosen(const Expression& e, std::vector<Any> items) {
    std::vector<Any> out;
    for (Any& item : items) {
      bound_.back().second = item;
      const Any wanted = Of(*e.parts[2]);
      if (wanted.failed()) return wanted;
      if (wanted.As<bool>() == nullptr) return NoSuchOverload(e.text, {wanted});
      if (*wanted.As<bool>()) out.push_back(std::move(item));
    }
    if (e.text != "filter") return out.size() == 1;
    return ListOf(std::move(out));
  }

  Any Index(const Expression& e) {
    const Any of = Of(*e.parts[0]);
    if (of.failed()) return of;
    const Any at = Of(*e.parts[1]);
    if (at.failed()) return at;
    if (const AnyMap* map = of.map()) {
      const auto key = KeyOf(at);
      if (!key) return NoSuchOverload("[]", {of, at});
      const auto it = map->entries.find(*key);
      return it == map->entries.end() ? Any(Failed{"no such key", e.parts[1]->begin, true}) : it->second.second;
    }
    const AnyList* list = of.list();
    const auto key = KeyOf(at);
    if (list == nullptr || !key || key->index() == 0 || key->index() == 3) return NoSuchOverload("[]", {of, at});
    const auto* index = std::get_if<int64_t>(&*key);
    if (index == nullptr || *index < 0 || static_cast<size_t>(*index) >= list->items.size()) {
      return Failed{absl::StrCat("no such element; the list has ", list->items.size()), e.parts[1]->begin};
    }
    return list->items[static_cast<size_t>(*index)];
  }

  Any List(const Expression& e) {
    std::vector<Any> items;
    for (const auto& part : e.parts) {
      items.push_back(Of(*part));
      if (items.back().failed()) return items.back();
    }
    return ListOf(std::move(items));
  }

  Any Map(const Expression& e) {
    std::map<Key, std::pair<Any, Any>> entries;
    for (size_t i = 0; i + 1 < e.parts.size(); i += 2) {
      Any key = Of(*e.parts[i]);
      if (key.failed()) return key;
      const auto as_key = key.As<double>() != nullptr ? std::nullopt : KeyOf(key);
      if (!as_key) {
        return Failed{absl::StrCat("not a key of a map: ", std::string(TypeOf(key))), e.parts[i]->begin};
      }
      Any value = Of(*e.parts[i + 1]);
      if (value.failed()) return value;
      if (!entries.emplace(*as_key, std::make_pair(std::move(key), std::move(value))).second) {
        return Failed{"a key stands twice in a map", e.parts[i]->begin};
      }
    }
    return MapOf(std::move(entries));
  }

  Any Unary(const Expression& e) {
    const Any operand = Of(*e.parts[0]);
    if (operand.failed()) return operand;
    if (e.text == "-") return Negative(operand);
    const auto* truth = operand.As<bool>();
    return truth == nullptr ? Any(NoSuchOverload("!", {operand})) : Any(!*truth);
  }

  Any Conditional(const Expression& e) {
    const Any condition = Of(*e.parts[0]);
    if (condition.failed()) return condition;
    const auto* truth = condition.As<bool>();
    if (truth == nullptr) return NoSuchOverload("?:", {condition});
    return Of(*e.parts[*truth ? 1 : 2]);
  }

  // What decides alone wins over everything on the other side, whichever stands first.
  Any Logic(const Expression& e, bool decisive) {
    std::optional<Any> error;
    for (const auto& part : e.parts) {
      Any value = Of(*part);
      const auto* truth = value.As<bool>();
      if (truth != nullptr && *truth == decisive) return decisive;
      if (truth == nullptr && !error) error = value.failed() ? std::move(value) : Any(NoSuchOverload(e.text, {value}));
    }
    return error.value_or(Any(!decisive));
  }

  Any Binary(const Expression& e) {
    if (e.text == "&&" || e.text == "||") return Logic(e, e.text == "||");
    Any a = Of(*e.parts[0]);
    if (a.failed()) return a;
    if (e.text == "in" && e.parts[1]->form == Form::kList) return InList(a, *e.parts[1]);
    Any b = Of(*e.parts[1]);
    if (b.failed()) return b;
    if (e.text == "in") return In(a, b);
    if (e.text == "==" || e.text == "!=") {
      steps_ -= std::min(WeightOf(a), WeightOf(b));
      return Same(a, b) == (e.text == "==");
    }
    if (e.text[0] == '<' || e.text[0] == '>') return Compare(e.text, a, b);
    // A whole number that is written where a fraction is meant is taken as one.
    if (const auto* whole = WrittenWhole(*e.parts[0]); whole != nullptr && b.As<double>() != nullptr) {
      a = static_cast<double>(*whole);
    }
    if (const auto* whole = WrittenWhole(*e.parts[1]); whole != nullptr && a.As<double>() != nullptr) {
      b = static_cast<double>(*whole);
    }
    if (a.As<double>() != nullptr && e.text == "%") return NoSuchOverload("%", {a, b});
    steps_ -= (WeightOf(a) + WeightOf(b)) / 8;
    return Reckon(e.text[0], a, b);
  }

  static Any Compare(const std::string& sign, const Any& a, const Any& b) {
    const Ordering order = OrderOf(a, b);
    if (order == Ordering::kNotComparable) return NoSuchOverload(sign, {a, b});
    if (order == Ordering::kUnordered) return false;
    if (order == Ordering::kEqual) return sign.size() == 2;
    return (order == Ordering::kLess) == (sign[0] == '<');
  }

  // An element that is an error does no harm where another one is equal.
  Any InList(const Any& a, const Expression& list) {
    std::optional<Any> error;
    for (const auto& part : list.parts) {
      Any element = Of(*part);
      if (element.failed()) {
        error = std::move(element);
      } else if (Same(a, element)) {
        return true;
      }
    }
    return error.value_or(Any(false));
  }

  Any In(const Any& a, const Any& b) {
    steps_ -= WeightOf(b);
    if (const AnyMap* map = b.map()) {
      const auto key = KeyOf(a);
      return key && map->entries.count(*key) > 0;
    }
    const AnyList* list = b.list();
    if (list == nullptr) return NoSuchOverload("in", {a, b});
    if (!list->named || a.As<std::string>() == nullptr) {
      return std::any_of(list->items.begin(), list->items.end(), [&](const Any& item) { return Same(a, item); });
    }
    return std::any_of(list->items.begin(), list->items.end(),
                       [&](const Any& item) { return Same(a, Field(item, "name")); });
  }

  const Names& names_;
  std::vector<std::pair<std::string, Any>> bound_;  // elements of macros, the innermost last
  int64_t steps_ = kMostSteps;
};

}  // namespace

std::string DottedName(const Expression& e) {
  if (e.form == Form::kName) return e.text;
  if (e.form != Form::kField) return "";
  const std::string before = DottedName(*e.parts[0]);
  return before.empty() ? "" : absl::StrCat(before, ".", e.text);
}

Any Interpret(const Expression& tree, const Names& names) { return Interpreter(names).Of(tree); }

std::set<std::string> NamesIn(const Expression& tree) {
  std::set<std::string> out;
  std::vector<std::string> bound;
  AddNames(tree, bound, out);
  return out;
}

Failed NoSuchOverload(std::string_view name, const std::vector<Any>& arguments) {
  std::string kinds;
  for (const Any& argument : arguments) {
    absl::StrAppend(&kinds, kinds.empty() ? "" : ", ", std::string(TypeOf(argument)));
  }
  return Failed{absl::StrCat("no such overload: ", std::string(name), "(", kinds, ")")};
}

}  // namespace portrait::rules
