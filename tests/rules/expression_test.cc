#include "operators/rules/expression.h"

#include <catch2/catch_test_macros.hpp>
#include <string>

#include "tests/rules/some_features.h"

namespace portrait::rules {
namespace {

constexpr int64_t kDayUs = 86'400'000'000;

void Fill(SomeFeatures& features) {
  features.values = {{"shop.vip", true},
                     {"shop.orders", int64_t{7}},
                     {"shop.spend", 2100.5},
                     {"shop.rate", 0.25},
                     {"shop.silent", 61.0},
                     {"shop.city", std::string_view("Berlin")},
                     {"shop.last", features.now.time - days(61)},
                     {"shop.visit", Duration(90'000'000)}};
  features.interests = {{"shoes", 3.5, int64_t{6}, features.now.time - days(1)},
                        {"hats", 0.5, int64_t{2}, features.now.time - days(40)},
                        {"bags", Value(), int64_t{0}, Value()}};
}

TEST_CASE("an expression has the value that CEL gives it", "[rules]") {
  SomeFeatures features;
  Fill(features);
  struct Case {
    const char *source, *value;
  };
  for (const Case& c : {
           // Arithmetic and its order
           Case{"1 + 2 * 3", "7"},
           Case{"(1 + 2) * 3", "9"},
           Case{"7 / 2", "3"},
           Case{"-7 / 2", "-3"},
           Case{"-7 % 3", "-1"},
           Case{"7.0 / 2.0", "3.5"},
           Case{"0x1F", "31"},
           Case{".5 + 1e1", "10.5"},
           Case{"10 - 3 - 2", "5"},
           Case{"--3", "3"},
           Case{"1.0 / 0.0 > 1e300", "true"},
           Case{"9223372036854775807 + 1", "error: overflow"},
           Case{"1 / 0", "error: division by zero"},
           Case{"5 % 0", "error: division by zero"},
           Case{"-9223372036854775808 / -1", "error: overflow"},
           Case{"int(2.9) + int(-2.9)", "0"},
           Case{"int(1e19)", "error: overflow"},
           Case{"double(3) / 2.0", "1.5"},
           // Comparisons
           Case{"1 < 2 && 2 <= 2 && 3 > 2 && 2 >= 2 && 1 == 1 && 1 != 2", "true"},
           Case{"1 == 1.0", "true"},
           Case{"shop.orders < 7.5", "true"},
           Case{"9007199254740993 > 9007199254740992.0", "true"},
           Case{"'a' < 'b' && 'a' < 'ab' && 'Z' < 'a'", "true"},
           Case{"true == false", "false"},
           Case{"0.0 / 0.0 == 0.0 / 0.0", "false"},
           Case{"0.0 / 0.0 != 1.0", "true"},
           // Logic absorbs errors
           Case{"shop.returns > 1", "error: no value"},
           Case{"false && shop.returns > 1", "false"},
           Case{"shop.returns > 1 && false", "false"},
           Case{"shop.returns > 1 || true", "true"},
           Case{"shop.returns > 1 || false", "error: no value"},
           Case{"!(shop.returns > 1)", "error: no value"},
           Case{"has(shop.returns) && shop.returns > 1", "false"},
           Case{"has(shop.orders)", "true"},
           Case{"shop.returns > 1 ? 1 : 2", "error: no value"},
           Case{"true ? 1 : 1 / 0", "1"},
           Case{"false ? 1 : true ? 2 : 3", "2"},
           Case{"!true || !!true", "true"},
           // Whole numbers where a fraction is meant
           Case{"shop.spend > 2000", "true"},
           Case{"shop.spend * 2", "4201"},
           Case{"shop.spend > -1", "true"},
           Case{"shop.rate in [0, 0.25]", "true"},
           Case{"shop.vip ? shop.rate : 1", "0.25"},
           // Text
           Case{"shop.city.startsWith('Ber') && shop.city.endsWith(\"lin\") && shop.city.contains('erl')", "true"},
           Case{"shop.city.startsWith('Berliner')", "false"},
           Case{"shop.city.lowerAscii() == 'berlin'", "true"},
           Case{"shop.city.lowerAscii().contains('BER'.lowerAscii())", "true"},
           Case{"shop.city == 'berlin'", "false"},
           Case{"shop.city.matches('^B.*n$') && !shop.city.matches('^b')", "true"},
           Case{"shop.city.lowerAscii().matches('^b.r')", "true"},
           Case{"'abc'.matches('b') && shop.city.matches(r'\\w{6}')", "true"},
           Case{"shop.name.matches('a')", "error: no value"},
           Case{"size('Käse') + 'ab'.size()", "6"},
           Case{"'\\u00e4\\n\\'' == 'ä\n\\''", "error"},  // a line ends in a text
           Case{"shop.city in ['Bonn', 'Berlin']", "true"},
           Case{"3 in [1, 2]", "false"},
           Case{"3 in []", "false"},
           Case{"3 in [1 / 0, 3]", "true"},
           Case{"4 in [1 / 0, 3]", "error: division by zero"},
           // Time
           Case{"now - shop.last > days(60)", "true"},
           Case{"shop.last + days(61) == now", "true"},
           Case{"now - shop.last == duration('1464h')", "true"},
           Case{"hours(36) == days(1.5)", "true"},
           Case{"days(1) + hours(1) - minutes(60) == seconds(86400)", "true"},
           Case{"timestamp('2026-01-01T00:00:00Z') - timestamp('2025-12-31T23:00:00+01:00')", "2.0 hours"},
           Case{"minutes(90) - hours(1)", "30.0 minutes"},
           Case{"seconds(90) - minutes(2)", "-30.0 seconds"},
           Case{"now > timestamp('2020-01-01T00:00:00Z')", "true"},
           Case{"days(200000000)", "error: overflow"},
           Case{"shop.visit < hours(1)", "true"},
           Case{"days(shop.orders) == days(7)", "true"},
           // Lists
           Case{"size(shop.interests)", "3"},
           Case{"'hats' in shop.interests", "true"},
           Case{"'cars' in shop.interests", "false"},
           Case{"shop.interests.exists(i, i.views >= 5 && i.name.startsWith('sh'))", "true"},
           Case{"shop.interests.all(i, i.views < 5)", "false"},
           Case{"shop.interests.exists_one(i, i.views > 0)", "false"},
           Case{"size(shop.interests.filter(i, i.views > 0))", "2"},
           Case{"shop.interests.filter(i, i.views > 0).size() == 2", "true"},
           Case{"shop.interests.exists(i, i.score > 3)", "true"},
           Case{"shop.interests.exists(i, i.score > 4)", "error: no value"},
           Case{"shop.interests.all(i, i.score > 3)", "false"},
           Case{"shop.interests.all(i, has(i.score) ? i.score >= 0.5 : i.views == 0)", "true"},
           Case{"shop.interests.exists(a, shop.interests.exists(b, a.views > b.views && a.name > b.name))", "true"},
           // Blanks and comments
           Case{"  1\t+ // one\n 2 ", "3"},
           Case{"1in[1]", "error"},
       }) {
    INFO(c.source);
    const std::string shown = features.Shown(c.source);
    if (std::string(c.value) == "error") {
      CHECK(shown.find('^') != std::string::npos);
    } else {
      CHECK(shown == c.value);
    }
  }
}

TEST_CASE("what is wrong is told with its place and what was meant", "[rules]") {
  SomeFeatures features;
  struct Case {
    const char *source, *message;
  };
  for (const Case& c : {
           Case{"1 + ", "1:5: a value is missing here: a name, a number, a text or (\n  1 + \n      ^"},
           Case{"shop.city.matches('(')",
                "1:19: not a regular expression: missing ): (\n  shop.city.matches('(')\n                    ^"},
           Case{"shop.city == 'Bonn", "1:15: a text lacks its closing quote\n  shop.city == 'Bonn\n                ^"},
           Case{"shop.city == null",
                "1:14: there is no null in rules; write has(…) to ask whether there is a value\n"
                "  shop.city == null\n               ^"},
           Case{"shop.last.getHours() > 3", "1:1: not in rules: getHours()\n  shop.last.getHours() > 3\n  ^"},
           Case{"shop.spent > 3", "1:1: no such feature: shop.spent; did you mean shop.spend\n  shop.spent > 3\n  ^"},
           Case{"true &&\n  now - shop.last > 60",
                "2:21: a length of time needs a unit; use days(60)\n    now - shop.last > 60\n                      ^"},
           Case{"shop.silent > days(60)",
                "1:1: this is already a number of days; compare it with a number: shop.silent\n  shop.silent > "
                "days(60)\n  ^"},
           Case{"shop.last > days(60)",
                "1:1: a point in time has no length; use now - shop.last\n  shop.last > days(60)\n  ^"},
           Case{"shop.spend > shop.silent",
                "1:1: units do not go together: shop.spend, an amount of money; shop.silent, a number of days\n"
                "  shop.spend > shop.silent\n  ^"},
           Case{"'ä' == 1", "1:1: cannot be compared: a text; a whole number\n  'ä' == 1\n  ^"},
           Case{"'äh' + 1 == 'x' || tru",
                "1:1: + does not go with a text; a whole number\n  'äh' + 1 == 'x' || tru\n  ^"},
           Case{
               "shop.spend / shop.orders > 3",
               "1:14: whole numbers and fractions do not mix; use double(shop.orders)\n  shop.spend / shop.orders > 3\n"
               "               ^"},
           Case{"1 < 2 < 3",
                "1:1: comparisons do not follow one another; join them by &&: 1 < x && x < 9\n  1 < 2 < 3\n  ^"},
           Case{"shop.interests.exists(i, i.vews > 2)",
                "1:26: an element of shop.interests has no vews; did you mean views\n"
                "  shop.interests.exists(i, i.vews > 2)\n                           ^"},
           Case{"shop.city.startswith('B')",
                "1:1: no such function: startswith; did you mean startsWith\n  shop.city.startswith('B')\n  ^"},
           Case{"item.score > 3", "1:1: `item` is known only in a rule with `each`\n  item.score > 3\n  ^"},
           Case{"now - since > days(1)",
                "1:7: `since` (when the tag came) is known only in `until`\n"
                "  now - since > days(1)\n        ^"},
           Case{"now + 3 > now",
                "1:1: + does not go with a point in time; a whole number; a length of time needs a "
                "unit, such as days(60)\n  now + 3 > now\n  ^"},
       }) {
    INFO(c.source);
    CHECK(features.Shown(c.source) == c.message);
  }
}

TEST_CASE("a condition must be true or false", "[rules]") {
  SomeFeatures features;
  Program program;
  const auto node = Compiler(features.registry(), program).Condition("shop.orders + 1");
  CHECK(node.status().message() ==
        "1:1: a condition must be true or false, this is a number of orders\n  shop.orders + 1\n  ^");
}

TEST_CASE("conditions too long, too deep or too broken get an error in bounded time", "[rules]") {
  SomeFeatures features;
  const auto refused = [&](const std::string& source) {
    const std::string shown = features.Shown(source);
    return shown.compare(0, 2, "1:") == 0;
  };
  CHECK(refused(std::string(1'000'000, '(')));
  CHECK(refused(std::string(16'000, '(')));
  CHECK(refused(std::string(16'000, '[')));
  CHECK(refused(std::string(16'000, '!') + "true"));
  CHECK(refused(std::string(16'000, '-') + "1"));
  std::string sum = "1";
  while (sum.size() < 16'000) sum += "+1";
  CHECK(refused(sum));
  std::string choices = "1";
  for (int i = 0; i < 1000; ++i) choices = "true?1:" + choices;
  CHECK(refused(choices));
  CHECK(refused(std::string("1 \0 + 2", 7)));
  CHECK(refused("\xff\xfe"));
  CHECK(refused(""));
  CHECK(refused("null == null"));
  // A long row of alternatives is neither long nor deep.
  std::string any = "false";
  while (any.size() < 16'000) any += "||false";
  CHECK(features.Shown(any) == "false");
}

TEST_CASE("random bytes and broken conditions are refused, never fatal", "[rules]") {
  SomeFeatures features;
  Fill(features);
  uint64_t state = 20261125;
  const auto next = [&](uint64_t below) {
    state = state * 6364136223846793005ULL + 1442695040888963407ULL;
    return (state >> 33) % below;
  };
  const std::vector<std::string> pieces = {"shop.orders", "shop.city", "shop.interests",
                                           ".",           "exists",    "(",
                                           ")",           "[",         "]",
                                           ",",           "i",         "1",
                                           "2.5",         "'x'",       "&&",
                                           "||",          "!",         "-",
                                           "+",           "in",        "<",
                                           "==",          "?",         ":",
                                           "now",         "days",      "has",
                                           "\xff",        "\"",        "true",
                                           " ",           "\\"};
  int good = 0;
  for (int i = 0; i < 20'000; ++i) {
    std::string source;
    for (uint64_t n = 1 + next(12); n > 0; --n) source += pieces[next(pieces.size())];
    good += features.Shown(source).find('^') == std::string::npos;
  }
  CHECK(good > 100);  // some are conditions after all
}

TEST_CASE("conditions that share a part compute it once", "[rules]") {
  SomeFeatures features;
  Fill(features);
  Program program;
  Compiler compiler(features.registry(), program);
  const auto first = compiler.Condition("shop.spend > 2000 && shop.vip");
  const size_t nodes = program.nodes.size();
  const auto again = compiler.Condition("(shop.spend>2000) && shop.vip // the same");
  REQUIRE(first.ok());
  REQUIRE(again.ok());
  CHECK(*first == *again);
  CHECK(program.nodes.size() == nodes);
  CHECK(program.memos > 0);
  const FeatureReader reader = features.reader();
  Evaluation evaluation(program, reader, features.now, Scratch::OfThisThread());
  CHECK(evaluation.Holds(*first));
  features.values["shop.vip"] = false;
  CHECK(evaluation.Holds(*again));  // kept for the evaluation, which is of one moment
  Evaluation later(program, reader, features.now, Scratch::OfThisThread());
  CHECK_FALSE(later.Holds(*again));
}

TEST_CASE("a rule for each item sees that item, and until sees since", "[rules]") {
  SomeFeatures features;
  Fill(features);
  Scope scope;
  scope.each = *features.registry().Find("shop.interests");
  scope.since = true;
  Program program;
  const auto node = Compiler(features.registry(), program)
                        .Condition("item.views > 5 && item.name != 'hats' && now - since >= days(3)", scope);
  REQUIRE(node.ok());
  const FeatureReader reader = features.reader();
  Evaluation evaluation(program, reader, features.now, Scratch::OfThisThread());
  const Items& items = evaluation.ItemsOf(0);
  const auto holds = [&](size_t item, std::optional<Timestamp> since) {
    evaluation.SetItem(0, &items[item]);
    evaluation.SetSince(since);
    return evaluation.Holds(*node);
  };
  CHECK(holds(0, features.now.time - Duration(3 * kDayUs)));
  CHECK_FALSE(holds(0, features.now.time - Duration(3 * kDayUs - 1)));
  CHECK_FALSE(holds(0, std::nullopt));
  CHECK_FALSE(holds(1, features.now.time - days(9)));
}

}  // namespace
}  // namespace portrait::rules
