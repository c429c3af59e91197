// CEL with kinds that follow from the values, as trials have it.
#include <catch2/catch_test_macros.hpp>
#include <string>

#include "operators/features.h"
#include "pipeline/cli/trial.h"

namespace portrait {
namespace {

using nlohmann::json;

// The value as JSON, or what is wrong, without the lines that show the place.
std::string Shown(const std::string& expression, const json& with = json::object()) {
  static const FeatureRegistry* const kNone = new FeatureRegistry();
  const auto value = Trial(*kNone, absl::FromUnixSeconds(1'700'000'000)).Run(expression, with);
  if (value.ok()) return value->dump();
  const std::string message(value.status().message());
  return message.substr(0, message.find('\n'));
}

struct Case {
  const char *source, *value;
};

void Check(std::initializer_list<Case> cases) {
  for (const Case& c : cases) {
    INFO(c.source);
    CHECK(Shown(c.source) == c.value);
  }
}

TEST_CASE("literals of all kinds are values", "[rules]") {
  Check({
      {"0", "0"},
      {"-9223372036854775808", "-9223372036854775808"},
      {"0xFfu", "255"},
      {"18446744073709551615u", "18446744073709551615"},
      {"18446744073709551616u", "1:1: an unsigned number is too large; the largest is 18446744073709551615u"},
      {"-2.3e+1", "-23.0"},
      {"1e400", "1:1: a number is too large; the largest is 1.7976931348623157e308"},
      {"null", "null"},
      {"[1, 2.5, 'x', [true, null], ]", R"([1,2.5,"x",[true,null]])"},
      {"{'k': {1: 2u}, 'a': []}", R"({"a":[],"k":{"1":2}})"},
      {R"('\a\b\f\v\?\`' == '\x07\x08\x0c\x0b?\140')", "true"},
      {R"('\u270c\U0001f431' == '✌🐱')", "true"},
      {R"('\ud800')", R"(1:2: no such escape; there are \a \b \f \n \r \t \v \\ \? \" \' \` \xFF \377, and in a text )"
                      R"(\uXXXX \UXXXXXXXX)"},
      {R"(r'\d' + R"\n")", R"("\\d\\n")"},
      {"'''it's\na \"text\"''' + \"\"\"\"x\"\"\"", R"("it's\na \"text\"\"x")"},
      {R"(b'\xff\000a')", R"("/wBh")"},
      {"b'ä' == b'\\303\\244' && size(b'ä') == 2", "true"},
  });
}

TEST_CASE("whole numbers overflow into errors, fractions into infinity", "[rules]") {
  Check({
      {"9223372036854775807 + 1", "1:1: overflow"},
      {"-9223372036854775808 - 1", "1:1: overflow"},
      {"5000000000 * 5000000000", "1:1: overflow"},
      {"-(-9223372036854775808)", "1:1: overflow"},
      {"-9223372036854775808 / -1", "1:1: overflow"},
      {"0u - 1u", "1:1: overflow"},
      {"18446744073709551615u + 1u", "1:1: overflow"},
      {"7u / 2u * 3u % 5u", "4"},
      {"-7 / 2", "-3"},
      {"-7 % 3", "-1"},
      {"1 / 0", "1:1: division by zero"},
      {"1u % 0u", "1:1: division by zero"},
      {"2.0 * 1.7976931348623157e+308", R"("Infinity")"},
      {"-1.0 / 0.0", R"("-Infinity")"},
      {"0.0 / 0.0", R"("NaN")"},
      {"47.5 % 5.5", "1:1: no such overload: %(double, double)"},
      {"1 + 1u", "1:1: no such overload: +(int, uint)"},
      {"1.5 + 1", "2.5"},  // a whole number that is written where a fraction is meant
  });
}

TEST_CASE("values compare across the kinds of numbers, and other kinds differ", "[rules]") {
  Check({
      {"1 == 1u && 1u == 1.0 && 1 == 1.0 && 2.5 > 2 && 3u >= 2.5", "true"},
      {"9223372036854775807 < 9223372036854775808.0 || 18446744073709551615u < 18446744073709551616.0", "false"},
      {"9223372036854775807 < 9223372036854777857.0 && 9223372036854775807 < 9223372036854775808u", "true"},
      {"1 == 'a' || null == 0 || [] == {}", "false"},
      {"[1, 2.0] == [1.0, 2u] && {'a': 1} == {'a': 1.0} && [1] != [1, 2]", "true"},
      {"0.0 / 0.0 == 0.0 / 0.0 || 0.0 / 0.0 < 1.0", "false"},
      {"false < true && b'a' < b'b' && 'Z' < 'a'", "true"},
      {"1 < 'a'", "1:1: no such overload: <(int, string)"},
      {"[1] < [2]", "1:1: no such overload: <(list, list)"},
      {"type(1u) == uint && type(null) == null_type && type(type([])) == type && type({}) != list", "true"},
      {"type(duration('1s')) == google.protobuf.Duration", "true"},
      {"dyn('a') == 'a'", "true"},
  });
}

TEST_CASE("what decides alone wins over an error, and over what is no truth", "[rules]") {
  Check({
      {"1 / 0 > 1 || true", "true"},
      {"'horses' && false", "false"},
      {"false || 'horses'", "1:1: no such overload: ||(string)"},
      {"1 / 0 > 1 && true", "1:1: division by zero"},
      {"0 ? 1 : 2", "1:1: no such overload: ?:(int)"},
      {"true ? 1 : 1 / 0", "1"},
      {"true ? 1 : 'a'", "1"},
      {"!0", "1:1: no such overload: !(int)"},
      {"[1, 'foo', 3].exists(e, e != '1')", "true"},
      {"[1, 2, 3].all(e, 6 / (2 - e) == 6)", "false"},
      {"[1, 2].exists(e, e / 0 == 1)", "1:18: division by zero"},
      {"4 in [1 / 0, 4]", "true"},
  });
}

TEST_CASE("lists and maps are indexed, searched and walked through", "[rules]") {
  Check({
      {"[7, 8, 9][1] + [7, 8, 9][dyn(2.0)] + [7][0u]", "24"},
      {"[7][1]", "1:5: no such element; the list has 1"},
      {"[7][-1]", "1:5: no such element; the list has 1"},
      {"{'a': 1, 2u: 'b'}[2]", R"("b")"},
      {"{'a': 1}['b']", "1:10: no such key"},
      {"{'a': {'b': 3}}.a.b", "3"},
      {"{'a': 1}.b", "1:1: no such key: b"},
      {"has({'a': 1}.a) && !has({'a': 1}.b)", "true"},
      {"{'a': 1, 'a': 2}", "1:10: a key stands twice in a map"},
      {"{1.5: 2}", "1:2: not a key of a map: double"},
      {"1.0 in {1: 0} && 2u in [1, 2] && !('a' in {1: 0})", "true"},
      {"'a' in 'abc'", "1:1: no such overload: in(string, string)"},
      {"[1] + [2, 3]", "[1,2,3]"},
      {"[1, 2, 3].map(x, x * x)", "[1,4,9]"},
      {"[1, 2, 3].map(x, x > 1, x * x)", "[4,9]"},
      {"[1, 2, 3].filter(x, x > 1)", "[2,3]"},
      {"[1, 2, 3].exists_one(x, x > 2)", "true"},
      {"{'key1': 1, 'key2': 2}.exists(k, k == 'key2') && {}.all(k, false)", "true"},
      {"[[1, 2], [3]].all(x, x.exists(y, y > 1))", "true"},
      {"1.all(x, true)", "1:1: no such overload: all(int)"},
  });
}

TEST_CASE("functions on texts count characters and take regular expressions", "[rules]") {
  Check({
      {"size('Käse') + 'ab'.size() + size(b'ä') + size([1]) + size({1: 2})", "10"},
      {"'a' + 'b' == 'ab' && b'a' + b'b' == b'ab'", "true"},
      {"'abc'.matches('^a.c$') && matches('abc', 'b') && !'abc'.matches('^b')", "true"},
      {"'abc'.matches('(')", "1:1: not a regular expression: missing ): ("},
      {"'abc'.startsWith('ab') && 'abc'.endsWith('bc') && 'abc'.contains('b') && ''.contains('')", "true"},
      {"startsWith('a', 'a')", "1:1: no such overload: startsWith(string, string)"},
      {"'a'.contains(1)", "1:1: no such overload: contains(string, int)"},
      {"'aB'.lowerAscii() + 'aB'.upperAscii()", R"("abAB")"},
      {"string(1) + string(2u) + string(-4.5e-3) + string(true) + string(b'x')", R"("12-0.0045truex")"},
      {"string(b'\\xff')", "1:1: these bytes are no text in UTF-8"},
      {"int('-42') + int(3.9) + int(-3.9) + int(7u)", "-35"},
      {"int(1e19)", "1:1: overflow"},
      {"int('x')", "1:1: not a number"},
      {"uint(-1)", "1:1: overflow"},
      {"uint('7') + uint(2.9)", "9"},
      {"double('1.5') + double(2) + double(3u)", "6.5"},
      {"bool('true') && !bool('F')", "true"},
      {"bool('yes')", "1:1: neither true nor false"},
      {"bytes('ä') == b'ä'", "true"},
      {"f_unknown(17)", "1:1: no such function: f_unknown"},
      {"'a'.startswith('a')", "1:1: no such function: startswith; did you mean startsWith"},
  });
}

TEST_CASE("times have parts in any zone, and end with the year 9999", "[rules]") {
  Check({
      {"timestamp('2009-02-13T23:31:30.042Z').getMilliseconds()", "42"},
      {"timestamp('2009-02-13T23:31:30Z').getFullYear('+11:00')", "2009"},
      {"timestamp('2009-02-13T23:31:30Z').getMonth()", "1"},
      {"timestamp('2009-02-13T23:31:30Z').getDate('Australia/Sydney')", "14"},
      {"timestamp('2009-02-13T23:31:30Z').getDayOfMonth()", "12"},
      {"timestamp('2009-02-13T23:31:30Z').getDayOfWeek()", "5"},
      {"timestamp('2009-02-13T23:31:30Z').getDayOfYear()", "43"},
      {"timestamp('2009-02-13T23:31:30Z').getHours('02:00')", "1"},
      {"timestamp('2009-02-13T23:31:30Z').getMinutes('-09:30')", "1"},
      {"timestamp('2009-02-13T23:31:30Z').getSeconds()", "30"},
      {"timestamp('2009-02-13T23:31:30Z').getHours('Nowhere/City')",
       "1:1: no such time zone; write it as in \"Europe/Berlin\" or \"+02:00\""},
      {"timestamp('2009-02-13T23:31:30Z').getHours('../../etc/passwd')",
       "1:1: no such time zone; write it as in \"Europe/Berlin\" or \"+02:00\""},
      {"int(timestamp('2009-02-13T23:31:30Z'))", "1234567890"},
      {"timestamp(1234567890)", R"("2009-02-13T23:31:30Z")"},
      {"string(timestamp('2009-02-13T23:31:30.5+01:00'))", R"("2009-02-13T22:31:30.5Z")"},
      {"timestamp('2009-02-13T23:31:30Z') - timestamp('2009-02-13T00:00:00Z') == duration('84690s')", "true"},
      {"timestamp('2009-02-13T00:00:00Z') + duration('1h30m') - duration('1500ms')", R"("2009-02-13T01:29:58.5Z")"},
      {"timestamp('9999-12-31T23:59:59.999999999Z') + duration('1ns')",
       "1:1: a point in time out of range: from the year 1 to 9999"},
      {"timestamp(' 2009-02-13T23:31:30Z')", "1:1: not a point in time; write it as in \"2026-01-31T00:00:00Z\""},
      {"timestamp('0000-01-01T00:00:00Z')", "1:1: a point in time out of range: from the year 1 to 9999"},
      {"duration('320000000000s')", "1:1: a length of time out of range: at most 10 000 years"},
      {"duration('200000000000s') + duration('200000000000s')",
       "1:1: a length of time out of range: at most 10 000 years"},
      {"string(duration('-1h1.25s'))", R"("-3601.25s")"},
      {"duration('3730.5s').getHours() + duration('3730s').getMinutes() + duration('90m').getSeconds()", "5463"},
      {"duration('123.321456789s').getMilliseconds()", "321"},
      {"duration('1s').getFullYear()", "1:1: no such overload: getFullYear(google.protobuf.Duration)"},
      {"days(1.5) == hours(36) && minutes(1) == seconds(60)", "true"},
      {"now == timestamp(1700000000)", "true"},
  });
}

TEST_CASE("names are what is given, nested or with dots, of the kinds of their JSON", "[rules]") {
  const json with = {{"x", 3},  {"f", 3.0}, {"t", "text"}, {"n", nullptr}, {"l", {1, 2}}, {"m", {{"k", {{"d", true}}}}},
                     {"a.b", 7}};
  CHECK(Shown("type(x) == int && type(f) == double && t + '!' == 'text!' && n == null", with) == "true");
  CHECK(Shown("l[1] + a.b + (m.k.d ? 1 : 0)", with) == "10");
  CHECK(Shown("l.map(x, x + 1).exists(m, m == 3) && x == 3", with) == "true");
  CHECK(Shown("has(m.k) && !has(m.j)", with) == "true");
  CHECK(Shown("m.j", with) == "1:1: no such key: j");
  CHECK(Shown("tt", with) == "1:1: no such name: tt; did you mean t");
  CHECK(Shown("x.y", with) == "1:1: no such overload: field y of int");
  CHECK(Shown("big", {{"big", 18446744073709551615U}}) == "1:1: a whole number is too large");
}

TEST_CASE("an expression that takes too long or grows too large ends in an error", "[rules]") {
  std::string loops = "true";
  for (const char* name : {"a", "b", "c", "d", "e", "f", "g"}) {
    loops = "[0,1,2,3,4,5,6,7,8,9].all(" + std::string(name) + ", " + loops + ")";
  }
  CHECK(Shown(loops).find("takes too long: more than 1000000 steps") != std::string::npos);
  std::string doubled = "[1]";
  for (int i = 0; i < 40; ++i) doubled += ".map(x, [x, x])";
  CHECK(Shown(doubled).find("a value grows too large") != std::string::npos);
  std::string joined = "['0123456789']";
  for (int i = 0; i < 60; ++i) joined += ".map(x, x + x)";
  const std::string refused = Shown(joined);
  CHECK((refused.find("too large") != std::string::npos || refused.find("too long") != std::string::npos));
}

}  // namespace
}  // namespace portrait
