#include "pipeline/config/rule_file.h"

#include <catch2/catch_test_macros.hpp>
#include <string>

#include "absl/strings/str_cat.h"
#include "operators/tags.h"
#include "operators/testing/harness.h"
#include "tests/rules/some_features.h"

namespace portrait::rules {
namespace {

// "good", or every problem.
std::string Checked(const std::string& yaml) {
  const SomeFeatures features;
  const auto file = ReadRules("tags.yaml", yaml, features.registry());
  return file.ok() ? "good" : std::string(file.status().message());
}

TEST_CASE("a file tells which windows of events its rules keep, and where in it one is wrong", "[rules]") {
  const OperatorHarness harness(std::move(ChainBuilder().Add<Tags>()));
  const auto file = ReadRules("tags.yaml", R"(
- tag: reader
  when: count(page_viewed, "7d") >= 3
  until: count(page_viewed, "30d", path.contains("/help")) == 0
)",
                              harness.chain().features());
  INFO(file.status().message());
  REQUIRE(file.ok());
  CHECK(file->windows ==
        std::vector<std::string>{"page_viewed by the day", "page_viewed by the day where path.contains(\"/help\")"});
  const auto wrong = ReadRules("tags.yaml", R"(
- tag: reader
  when: >
    tags.days_known > 3 &&
    count(page_viewed, "7d", catgeory == "x") >= 3
)",
                               harness.chain().features());
  CHECK(std::string(wrong.status().message())
            .find("tags.yaml:5:30: page_viewed has no field catgeory; did you mean category\n") == 0);
}

TEST_CASE("a rule has a tag and a condition, and may have more", "[rules]") {
  const SomeFeatures features;
  const auto file = ReadRules("tags.yaml", R"(# notes are notes
- tag: silent_high_value
  about: Spent a lot, and nothing for two months
  when: >
    shop.spend > 2000 &&
    now - shop.last > days(60)
  unless: "!shop.vip"
  until: shop.orders > 3 || now - since > days(30)
- tag: interest
  each: shop.interests
  when: item.score > 3.0 && item.views >= 5
)",
                              features.registry());
  INFO(file.status().message());
  REQUIRE(file.ok());
  REQUIRE(file->rules.size() == 2);
  CHECK(file->rules[0].tag == "silent_high_value");
  CHECK(file->rules[0].unless == "!shop.vip");
  CHECK(file->rules[1].each == "shop.interests");
  CHECK(file->features == 5);
}

TEST_CASE("what is wrong in a condition is told by its place in the file", "[rules]") {
  CHECK(Checked("- tag: a\n  when: shop.spent > 3\n") ==
        "tags.yaml:2:9: no such feature: shop.spent; did you mean shop.spend\n    when: shop.spent > 3\n          ^");
  CHECK(Checked("- tag: a\n  when: 'shop.vip && shop.spent > 3'\n") ==
        "tags.yaml:2:22: no such feature: shop.spent; did you mean shop.spend\n"
        "    when: 'shop.vip && shop.spent > 3'\n                       ^");
  CHECK(Checked("- tag: a\n  when: >\n    shop.vip &&\n      now - shop.last > 60\n") ==
        "tags.yaml:4:25: a length of time needs a unit; use days(60)\n"
        "        now - shop.last > 60\n                          ^");
  CHECK(Checked("- tag: a\n  when: |\n    shop.vip\n    && shop.orders\n") ==
        "tags.yaml:4:8: && needs true or false, this is shop.orders, a number of orders\n"
        "      && shop.orders\n         ^");
  CHECK(Checked("- tag: a\n  when: shop.vip &&\n") ==
        "tags.yaml:3:1: a value is missing here: a name, a number, a text or (\n  \n  ^");
  CHECK(Checked("- tag: a\n  when: \"shop.city == 'K\\u00e4se' && shop.spent > 1\"\n") ==
        "tags.yaml:2:9: no such feature: shop.spent; did you mean shop.spend\n"
        "    when: \"shop.city == 'K\\u00e4se' && shop.spent > 1\"\n          ^");
}

TEST_CASE("what is wrong with a rule is told with what was meant", "[rules]") {
  CHECK(Checked("- tag: a\n  wen: shop.vip\n") ==
        "tags.yaml:2:3: no such key: wen; did you mean when\n    wen: shop.vip\n    ^");
  CHECK(Checked("- tag: a\n") == "tags.yaml:1:3: a rule lacks `when`\n  - tag: a\n    ^");
  CHECK(Checked("- tag: a\n  when: shop.vip\n- tag: b\n  when: shop.vip\n- tag: a\n  when: shop.vip\n") ==
        "tags.yaml:5:8: two rules for one tag; the first is in line 1: a\n  - tag: a\n         ^");
  CHECK(Checked("- tag: a\n  when: shop.vip\n  when: shop.vip\n") ==
        "tags.yaml:3:3: given twice: when\n    when: shop.vip\n    ^");
  CHECK(Checked("- tag: a\n  when: !shop.vip\n") ==
        "tags.yaml:2:9: YAML takes ! at the beginning for itself; put it in quotes\n    when: !shop.vip\n          ^");
  CHECK(Checked("- tag: Big Spender\n  when: shop.vip\n").find("tags.yaml:1:8: not the name of a tag; ") == 0);
  CHECK(Checked("- tag: a\n  when: [shop.vip]\n") ==
        "tags.yaml:2:9: `when` needs a text\n    when: [shop.vip]\n          ^");
  CHECK(Checked("- tag: a\n  when:\n") == "tags.yaml:2:3: `when` needs a text\n    when:\n    ^");
  CHECK(Checked("- tag: a\n  each: shop.spend\n  when: item.score > 1\n") ==
        "tags.yaml:2:9: `each` needs a feature that is a list: shop.spend\n    each: shop.spend\n          ^");
  CHECK(Checked("- tag: a\n  when: now - since > days(1)\n").find("tags.yaml:2:15: `since`") == 0);
  CHECK(Checked("- tag: a\n  when: shop.vip ? shop.vip : shop.vip\n").find("tags.yaml:2:") == 0);
}

TEST_CASE("a file that is no list of rules is refused", "[rules]") {
  CHECK(Checked("").find("tags.yaml:1:1: there are no rules") == 0);
  CHECK(Checked("tag: a\nwhen: shop.vip\n").find("tags.yaml:1:1: a list of rules is wanted") == 0);
  CHECK(Checked("- shop.vip\n").find("tags.yaml:1:3: a rule is wanted") == 0);
  CHECK(Checked("- tag: a\n  when: shop.vip\n---\n- tag: b\n").find("tags.yaml:4:1: one document only") == 0);
  CHECK(Checked("- tag: {\n").find(": not YAML: ") != std::string::npos);
  CHECK(Checked(std::string(100'000, '[')).find("tags.yaml:") == 0);
  CHECK(Checked(std::string(3'000'000, ' ')).find("tags.yaml:1:1: a rule file is too long") == 0);
}

TEST_CASE("rules, problems and conditions are bounded", "[rules]") {
  std::string many, bad;
  for (int i = 0; i < 2001; ++i) absl::StrAppend(&many, "- {tag: t", i, ", when: shop.vip}\n");
  CHECK(Checked(many).find("tags.yaml:2001:3: too many rules; at most 2000: 2001") == 0);
  for (int i = 0; i < 50; ++i) absl::StrAppend(&bad, "- {tag: t", i, ", when: shop.vp}\n");
  const std::string problems = Checked(bad);
  CHECK(problems.find("tags.yaml:20:") != std::string::npos);
  CHECK(problems.find("tags.yaml:21:") == std::string::npos);
  CHECK(problems.find("\nand 30 more") != std::string::npos);
  const std::string long_one = "- tag: a\n  when: " + std::string(1'000'000, 'x') + "\n";
  CHECK(Checked(long_one).find("tags.yaml:2:9: a condition is too long; at most 16384 bytes: 1000000") == 0);
}

}  // namespace
}  // namespace portrait::rules
