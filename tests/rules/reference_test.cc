// Random conditions on random values: the compiled program, the interpreter of trials and a plain walk over the tree,
// written without a look at each other, must agree.
#include <algorithm>
#include <catch2/catch_get_random_seed.hpp>
#include <catch2/catch_test_macros.hpp>
#include <cmath>
#include <limits>
#include <random>
#include <string>
#include <variant>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "operators/rules/expression.h"
#include "operators/rules/interpreter.h"
#include "tests/rules/some_features.h"

namespace portrait::rules {
namespace {

using Form = Expression::Form;
__extension__ using Int128 = __int128;

struct NoResult {};
struct Instant {
  int64_t us;
};
struct Length {
  int64_t us;
};
using Plain = std::variant<NoResult, bool, int64_t, double, std::string, Instant, Length>;

// The plain walk. Everything is found out while walking; nothing is shared, folded or kept.
class Walk {
 public:
  Walk(const SomeFeatures& features, int64_t now_us) : features_(features), now_us_(now_us) {}

  Plain Of(const Expression& e) {
    switch (e.form) {
      case Form::kWhole: return e.whole;
      case Form::kFraction: return e.fraction;
      case Form::kText: return e.text;
      case Form::kTruth: return e.truth;
      case Form::kName: return Instant{now_us_};  // only `now` is generated
      case Form::kField: return Field(e);
      case Form::kUnary: return Unary(e);
      case Form::kBinary: return Binary(e);
      case Form::kConditional: {
        const Plain c = Of(*e.parts[0]);
        if (!std::holds_alternative<bool>(c)) return NoResult{};
        return Of(*e.parts[std::get<bool>(c) ? 1 : 2]);
      }
      case Form::kCall: return Call(e);
      case Form::kMethod: return Method(e);
      case Form::kUnsigned:
      case Form::kBytes:
      case Form::kNull:
      case Form::kIndex:
      case Form::kMap:
      case Form::kList: return NoResult{};  // not generated
    }
    return NoResult{};
  }

 private:
  static Plain FromValue(const Value& v) {
    if (const auto* b = std::get_if<bool>(&v)) return *b;
    if (const auto* i = std::get_if<int64_t>(&v)) return *i;
    if (const auto* d = std::get_if<double>(&v)) return *d;
    if (const auto* t = std::get_if<std::string_view>(&v)) return std::string(*t);
    if (const auto* t = std::get_if<Timestamp>(&v)) return Instant{ToMicros(*t)};
    if (const auto* t = std::get_if<Duration>(&v)) return Length{t->count()};
    return NoResult{};
  }

  Plain Field(const Expression& e) {
    const std::string root = e.parts[0]->text;
    for (auto it = bound_.rbegin(); it != bound_.rend(); ++it) {
      if (it->first != root) continue;
      if (e.text == "name") return it->second->name;
      return FromValue(e.text == "score"   ? it->second->score
                       : e.text == "views" ? it->second->views
                                           : it->second->last);
    }
    const auto it = features_.values.find(root + "." + e.text);
    return it == features_.values.end() ? Plain(NoResult{}) : FromValue(it->second);
  }

  Plain Unary(const Expression& e) {
    const Plain x = Of(*e.parts[0]);
    if (e.text == "!") return std::holds_alternative<bool>(x) ? Plain(!std::get<bool>(x)) : Plain(NoResult{});
    if (const auto* d = std::get_if<double>(&x)) return -*d;
    const auto* i = std::get_if<int64_t>(&x);
    if (i == nullptr || *i == std::numeric_limits<int64_t>::min()) return NoResult{};
    return -*i;
  }

  static Plain Checked(Int128 value, int like) {
    if (value > std::numeric_limits<int64_t>::max() || value < std::numeric_limits<int64_t>::min()) return NoResult{};
    const auto v = static_cast<int64_t>(value);
    return like == 0 ? Plain(v) : like == 1 ? Plain(Instant{v}) : Plain(Length{v});
  }

  static bool AsDouble(const Plain& x, double& out) {
    if (const auto* d = std::get_if<double>(&x)) return out = *d, true;
    if (const auto* i = std::get_if<int64_t>(&x)) return out = static_cast<double>(*i), true;
    return false;
  }

  // -1, 0, 1, or 2 for what has no order.
  static int Order(const Plain& a, const Plain& b) {
    const auto three = [](const auto& x, const auto& y) { return x < y ? -1 : y < x ? 1 : x == y ? 0 : 2; };
    if (a.index() == b.index()) {
      if (const auto* x = std::get_if<bool>(&a)) return three(*x, std::get<bool>(b));
      if (const auto* x = std::get_if<int64_t>(&a)) return three(*x, std::get<int64_t>(b));
      if (const auto* x = std::get_if<std::string>(&a)) return three(*x, std::get<std::string>(b));
      if (const auto* x = std::get_if<Instant>(&a)) return three(x->us, std::get<Instant>(b).us);
      if (const auto* x = std::get_if<Length>(&a)) return three(x->us, std::get<Length>(b).us);
    }
    double x = 0, y = 0;
    if (AsDouble(a, x) && AsDouble(b, y)) return three(x, y);
    return 2;
  }

  Plain Logic(const Expression& e, bool decisive) {
    const Plain a = Of(*e.parts[0]), b = Of(*e.parts[1]);
    for (const Plain* x : {&a, &b}) {
      if (const auto* truth = std::get_if<bool>(x); truth != nullptr && *truth == decisive) return decisive;
    }
    if (std::holds_alternative<NoResult>(a) || std::holds_alternative<NoResult>(b)) return NoResult{};
    return !decisive;
  }

  Plain Binary(const Expression& e) {
    if (e.text == "&&") return Logic(e, false);
    if (e.text == "||") return Logic(e, true);
    const Plain a = Of(*e.parts[0]);
    if (std::holds_alternative<NoResult>(a)) return a;
    if (e.text == "in") return In(a, *e.parts[1]);
    const Plain b = Of(*e.parts[1]);
    if (std::holds_alternative<NoResult>(b)) return b;
    if (e.text == "==") return Order(a, b) == 0;
    if (e.text == "!=") return Order(a, b) != 0;
    if (e.text == "<") return Order(a, b) == -1;
    if (e.text == ">") return Order(a, b) == 1;
    if (e.text == "<=") return Order(a, b) == -1 || Order(a, b) == 0;
    if (e.text == ">=") return Order(a, b) == 1 || Order(a, b) == 0;
    return Reckon(e.text[0], a, b);
  }

  Plain In(const Plain& a, const Expression& list) {
    if (list.form != Form::kList) {
      return std::any_of(features_.interests.begin(), features_.interests.end(),
                         [&](const auto& i) { return i.name == std::get<std::string>(a); });
    }
    bool failed = false;
    for (const auto& part : list.parts) {
      const Plain b = Of(*part);
      if (std::holds_alternative<NoResult>(b)) {
        failed = true;
      } else if (Order(a, b) == 0) {
        return true;
      }
    }
    return failed ? Plain(NoResult{}) : Plain(false);
  }

  static Plain Reckon(char sign, const Plain& a, const Plain& b) {
    if (a.index() != b.index() || std::holds_alternative<double>(a)) {
      double x = 0, y = 0;
      if (AsDouble(a, x) && AsDouble(b, y))
        return sign == '+' ? x + y : sign == '-' ? x - y : sign == '*' ? x * y : x / y;
    }
    if (const auto* x = std::get_if<int64_t>(&a)) {
      const Int128 p = *x, q = std::get<int64_t>(b);
      if (sign == '+') return Checked(p + q, 0);
      if (sign == '-') return Checked(p - q, 0);
      if (sign == '*') return Checked(p * q, 0);
      if (q == 0 || (q == -1 && p == std::numeric_limits<int64_t>::min())) return NoResult{};
      return Checked(sign == '/' ? p / q : p % q, 0);
    }
    const auto us = [](const Plain& v) -> Int128 {
      return std::holds_alternative<Instant>(v) ? std::get<Instant>(v).us : std::get<Length>(v).us;
    };
    const bool first_time = std::holds_alternative<Instant>(a), second_time = std::holds_alternative<Instant>(b);
    const Int128 out = sign == '+' ? us(a) + us(b) : us(a) - us(b);
    return Checked(out, first_time != second_time ? 1 : 2);
  }

  Plain Call(const Expression& e) {
    const Expression& argument = *e.parts[0];
    if (e.text == "has") return !std::holds_alternative<NoResult>(Of(argument));
    if (e.text == "size") {
      if (argument.form == Form::kMethod && argument.text == "filter") return Count(argument, 'n');
      if (argument.form == Form::kField && argument.text == "interests") {
        return static_cast<int64_t>(features_.interests.size());
      }
      const Plain text = Of(argument);
      if (std::holds_alternative<NoResult>(text)) return text;
      return static_cast<int64_t>(std::get<std::string>(text).size());  // only ASCII is generated
    }
    const Plain x = Of(argument);
    if (std::holds_alternative<NoResult>(x)) return x;
    if (e.text == "double") return static_cast<double>(std::get<int64_t>(x));
    const int64_t unit = e.text == "days" ? 86'400'000'000 : 3'600'000'000;
    return Checked(static_cast<Int128>(std::get<int64_t>(x)) * unit, 2);
  }

  Plain Count(const Expression& e, char what) {
    int64_t yes = 0, no = 0, failed = 0;
    for (const auto& item : features_.interests) {
      bound_.emplace_back(e.parts[1]->text, &item);
      const Plain x = Of(*e.parts[2]);
      bound_.pop_back();
      if (const auto* truth = std::get_if<bool>(&x)) {
        ++(*truth ? yes : no);
      } else {
        ++failed;
      }
    }
    if (what == 'e' && yes > 0) return true;
    if (what == 'a' && no > 0) return false;
    if (failed > 0) return NoResult{};
    if (what == 'e') return false;
    if (what == 'a') return true;
    if (what == '1') return yes == 1;
    return yes;
  }

  Plain Method(const Expression& e) {
    if (e.text == "exists") return Count(e, 'e');
    if (e.text == "all") return Count(e, 'a');
    if (e.text == "exists_one") return Count(e, '1');
    const Plain a = Of(*e.parts[0]);
    if (std::holds_alternative<NoResult>(a)) return a;
    std::string x = std::get<std::string>(a);
    if (e.text == "lowerAscii") {
      for (char& c : x) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
      return x;
    }
    const Plain b = Of(*e.parts[1]);
    if (std::holds_alternative<NoResult>(b)) return b;
    const std::string& y = std::get<std::string>(b);
    const size_t at = e.text == "startsWith" ? (x.rfind(y, 0)) : e.text == "contains" ? x.find(y) : std::string::npos;
    if (e.text != "endsWith") return at != std::string::npos;
    return x.size() >= y.size() && x.compare(x.size() - y.size(), y.size(), y) == 0;
  }

  const SomeFeatures& features_;
  int64_t now_us_;
  std::vector<std::pair<std::string, const SomeFeatures::Interest*>> bound_;
};

// What the interpreter of trials may name: the same features.
class NamedFeatures final : public Names {
 public:
  explicit NamedFeatures(const SomeFeatures& features) : features_(features) {}
  std::optional<Any> Find(std::string_view name) const override {
    if (name == "now") return Any(absl::FromUnixMicros(ToMicros(features_.now.time)));
    if (name == "shop.interests") return Interests();
    for (const auto& about : features_.descriptions()) {
      if (about.name != name) continue;
      const auto it = features_.values.find(about.name);
      return Of(it == features_.values.end() ? Value() : it->second);
    }
    return std::nullopt;
  }
  std::string Unknown(std::string_view) const override { return "unknown"; }

 private:
  static Any Of(const Value& value) {
    if (const auto* x = std::get_if<bool>(&value)) return *x;
    if (const auto* x = std::get_if<int64_t>(&value)) return *x;
    if (const auto* x = std::get_if<double>(&value)) return *x;
    if (const auto* x = std::get_if<std::string_view>(&value)) return std::string(*x);
    if (const auto* x = std::get_if<Timestamp>(&value)) return absl::FromUnixMicros(ToMicros(*x));
    if (const auto* x = std::get_if<Duration>(&value)) return absl::Microseconds(x->count());
    return rules::Failed{"no value", 0, true};
  }
  Any Interests() const {
    std::vector<Any> items;
    for (const auto& interest : features_.interests) {
      std::map<Key, std::pair<Any, Any>> parts;
      const auto add = [&](const char* name, const Any& value) {
        if (!value.failed()) parts.emplace(Key(std::string(name)), std::make_pair(Any(std::string(name)), value));
      };
      add("name", Any(interest.name));
      add("score", Of(interest.score));
      add("views", Of(interest.views));
      add("last", Of(interest.last));
      items.push_back(MapOf(std::move(parts)));
    }
    return ListOf(std::move(items), true);
  }

  const SomeFeatures& features_;
};

// Makes conditions that pass the checks.
class Maker {
 public:
  explicit Maker(uint32_t seed) : random_(seed) {}

  int Draw(int below) { return static_cast<int>(random_() % static_cast<uint32_t>(below)); }
  template <class T>
  const T& Pick(const std::vector<T>& from) {
    return from[static_cast<size_t>(Draw(static_cast<int>(from.size())))];
  }

  std::string Truth(int depth) {
    if (depth <= 0) return Pick<std::string>({"true", "false", "shop.vip", "has(shop.orders)", "has(shop.city)"});
    switch (Draw(14)) {
      case 0:
      case 1: return Join(Truth(depth - 1), " && ", Truth(depth - 1));
      case 2:
      case 3: return Join(Truth(depth - 1), " || ", Truth(depth - 1));
      case 4: return absl::StrCat("!", Truth(depth - 1));
      case 5: return Join(Whole(depth - 1), Sign(), Whole(depth - 1));
      case 6: return Join(Fraction(depth - 1), Sign(), Draw(3) == 0 ? absl::StrCat(Draw(9)) : Fraction(depth - 1));
      case 7: return Join(Text(depth - 1), Sign(), Text(depth - 1));
      case 8: return Join(Time(depth - 1), Sign(), Time(depth - 1));
      case 9: return Join(Length(depth - 1), Sign(), Length(depth - 1));
      case 10: return absl::StrCat("(", Truth(depth - 1), " ? ", Truth(depth - 1), " : ", Truth(depth - 1), ")");
      case 11:
        return absl::StrCat("(", Text(depth - 1), ").", Pick<std::string>({"startsWith", "endsWith", "contains"}), "(",
                            Text(depth - 1), ")");
      case 12:
        return Draw(2) == 0 ? Join(Whole(depth - 1), " in ", absl::StrCat("[", Whole(0), ", ", Whole(depth - 1), "]"))
                            : Join(Text(depth - 1), " in ", "shop.interests");
      default: return Through(Pick<std::string>({"exists", "all", "exists_one"}), depth - 1);
    }
  }

 private:
  static std::string Join(const std::string& a, const std::string& sign, const std::string& b) {
    return absl::StrCat("(", a, sign, b, ")");
  }
  std::string Sign() { return Pick<std::string>({" < ", " <= ", " > ", " >= ", " == ", " != "}); }

  std::string Through(const std::string& what, int depth) {
    if (loops_ == 2) return "shop.vip";
    const std::string name(1, static_cast<char>('i' + loops_));
    ++loops_;
    const std::string body = Truth(depth);
    --loops_;
    return absl::StrCat("shop.interests.", what, "(", name, ", ", body, ")");
  }

  std::string OfItem(const char* part) {
    return absl::StrCat(std::string(1, static_cast<char>('i' + Draw(loops_))), ".", part);
  }

  std::string Whole(int depth) {
    if (loops_ > 0 && Draw(3) == 0) return OfItem("views");
    if (depth <= 0) {
      return Pick<std::string>({"0", "1", "7", "-3", "9223372036854775807", "shop.orders", "shop.returns"});
    }
    switch (Draw(6)) {
      case 0: return absl::StrCat("size(", Text(depth - 1), ")");
      case 1: return "size(shop.interests)";
      case 2: return loops_ == 2 ? "2" : absl::StrCat("size(", Through("filter", depth - 1), ")");
      case 3: return absl::StrCat("(", Truth(depth - 1), " ? ", Whole(depth - 1), " : ", Whole(depth - 1), ")");
      case 4: return absl::StrCat("-(", Whole(depth - 1), ")");
      default: return Join(Whole(depth - 1), Pick<std::string>({" + ", " - ", " * ", " / ", " % "}), Whole(depth - 1));
    }
  }

  std::string Fraction(int depth) {
    if (loops_ > 0 && Draw(3) == 0) return OfItem("score");
    if (depth <= 0) return Pick<std::string>({"0.0", "1.5", "-2.25", "1e300", "shop.rate"});
    if (Draw(4) == 0) return absl::StrCat("double(", Pick<std::string>({"3", "size('abc')"}), ")");
    return Join(Fraction(depth - 1), Pick<std::string>({" + ", " - ", " * ", " / "}),
                Draw(3) == 0 ? absl::StrCat(Draw(9)) : Fraction(depth - 1));
  }

  std::string Text(int depth) {
    if (loops_ > 0 && Draw(3) == 0) return OfItem("name");
    if (depth > 0 && Draw(2) == 0) return absl::StrCat("(", Text(depth - 1), ").lowerAscii()");
    return Pick<std::string>({"''", "'a'", "\"Ab\"", "'BA'", "shop.city", "shop.name"});
  }

  std::string Time(int depth) {
    if (loops_ > 0 && Draw(3) == 0) return OfItem("last");
    if (depth <= 0) return Pick<std::string>({"now", "shop.last", "shop.first"});
    return Draw(2) == 0 ? Join(Time(depth - 1), Pick<std::string>({" + ", " - "}), Length(depth - 1))
                        : Join(Length(depth - 1), " + ", Time(depth - 1));
  }

  std::string Length(int depth) {
    if (depth <= 0) return Pick<std::string>({"days(60)", "hours(-5)", "shop.visit", "days(0)"});
    switch (Draw(3)) {
      case 0: return Join(Time(depth - 1), " - ", Time(depth - 1));
      case 1: return Join(Length(depth - 1), Pick<std::string>({" + ", " - "}), Length(depth - 1));
      default: return absl::StrCat(Pick<std::string>({"days(", "hours("}), Whole(depth - 1), ")");
    }
  }

  std::mt19937 random_;
  int loops_ = 0;
};

Value Or(Maker& maker, Value value) { return maker.Draw(5) == 0 ? Value() : value; }

void FillAtRandom(SomeFeatures& features, Maker& maker) {
  const std::vector<int64_t> wholes = {
      0, 1, -1, 7, 60, std::numeric_limits<int64_t>::max(), std::numeric_limits<int64_t>::min()};
  const std::vector<double> fractions = {
      0, 1.5, -2.25, 3, 1e300, std::numeric_limits<double>::infinity(), std::numeric_limits<double>::quiet_NaN()};
  const std::vector<std::string_view> texts = {"", "a", "Ab", "aB", "bab"};
  const auto time = [&] { return features.now.time - days(maker.Draw(3) * 30) + Duration(maker.Draw(3) - 1); };
  features.values = {{"shop.vip", Or(maker, maker.Draw(2) == 0)},
                     {"shop.orders", Or(maker, maker.Pick(wholes))},
                     {"shop.returns", Or(maker, maker.Pick(wholes))},
                     {"shop.rate", Or(maker, maker.Pick(fractions))},
                     {"shop.city", Or(maker, maker.Pick(texts))},
                     {"shop.name", Or(maker, maker.Pick(texts))},
                     {"shop.last", Or(maker, time())},
                     {"shop.first", Or(maker, time())},
                     {"shop.visit", Or(maker, Duration(maker.Pick(wholes)))}};
  features.interests.clear();
  for (int n = maker.Draw(4); n > 0; --n) {
    features.interests.push_back({std::string(maker.Pick(texts)), Or(maker, maker.Pick(fractions)),
                                  Or(maker, maker.Pick(wholes)), Or(maker, time())});
  }
}

TEST_CASE("the compiled program and a plain walk over the tree agree on random conditions", "[rules]") {
  INFO("replay with --rng-seed " << Catch::getSeed());
  Maker maker(Catch::getSeed());
  SomeFeatures features;
  int held = 0, failed = 0, compared = 0, interpreted = 0;
  for (int round = 0; round < 150; ++round) {
    Program program;  // many conditions in one: parts are shared
    Compiler compiler(features.registry(), program);
    std::vector<std::pair<std::string, int32_t>> conditions;
    for (int i = 0; i < 20; ++i) {
      const std::string source = maker.Truth(1 + maker.Draw(5));
      const auto node = compiler.Condition(source);
      if (!node.ok() && source.size() > 4000) continue;
      INFO(source << "\n" << node.status().message());
      REQUIRE(node.ok());
      conditions.emplace_back(source, *node);
    }
    for (int values = 0; values < 5; ++values) {
      FillAtRandom(features, maker);
      const FeatureReader reader = features.reader();
      Evaluation evaluation(program, reader, features.now, Scratch::OfThisThread());
      for (const auto& [source, node] : conditions) {
        const auto tree = ParseExpression(source);
        REQUIRE(tree.ok());
        const Plain expected = Walk(features, ToMicros(features.now.time)).Of(**tree);
        const Scalar actual = evaluation.Run(node);
        const bool same = std::holds_alternative<NoResult>(expected)
                              ? actual.failed()
                              : actual.kind == Kind::kTruth && (actual.whole != 0) == std::get<bool>(expected);
        if (!same) {
          INFO(source);
          INFO("round " << round << ", values " << values << ", program: " << SomeFeatures::ScalarText(actual));
          FAIL("the walk says " << (std::holds_alternative<NoResult>(expected) ? "error"
                                    : std::get<bool>(expected)                 ? "true"
                                                                               : "false"));
        }
        // Times and lengths of the interpreter end at 10 000 years, so it may fail where the program does not.
        const Any trial = Interpret(**tree, NamedFeatures(features));
        if (!trial.failed()) {
          INFO(source);
          CHECK((trial.As<bool>() != nullptr && actual.kind == Kind::kTruth && *trial.As<bool>() == actual.IsTrue()));
          ++interpreted;
        }
        ++compared;
        held += actual.IsTrue();
        failed += actual.failed();
      }
    }
  }
  // Not all of one kind, or the comparison says little.
  CHECK(held > compared / 10);
  CHECK(failed > compared / 50);
  CHECK(interpreted > compared / 2);
}

}  // namespace
}  // namespace portrait::rules
