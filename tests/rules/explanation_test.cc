#include "operators/rules/explanation.h"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <string>

#include "absl/strings/str_cat.h"
#include "tests/rules/some_features.h"

namespace portrait::rules {
namespace {

void Fill(SomeFeatures& features) {
  features.values = {{"shop.vip", true},
                     {"shop.orders", int64_t{2}},
                     {"shop.spend", 2100.5},
                     {"shop.city", std::string_view("Berlin")},
                     {"shop.last", features.now.time - days(61)}};
  features.interests = {{"shoes", 3.5, int64_t{6}, features.now.time}};
}

// The outcome, and a line for each reason.
std::string Told(const SomeFeatures& features, std::string_view source, const Scope& scope = {}) {
  Program program;
  const auto node = Compiler(features.registry(), program).Condition(source, scope);
  if (!node.ok()) return std::string(node.status().message());
  const FeatureReader reader = features.reader();
  Evaluation evaluation(program, reader, features.now, Scratch::OfThisThread());
  if (scope.each) evaluation.SetItem(0, &evaluation.ItemsOf(0)[0]);
  std::string out = SomeFeatures::ScalarText(evaluation.Run(*node));
  for (const v1::Reason& reason : Explain(evaluation, *node)) {
    absl::StrAppend(&out, "\n", reason.feature(), " ", reason.comparison(), ": ", reason.text());
  }
  return out;
}

TEST_CASE("the comparisons that decided are the reasons", "[rules]") {
  SomeFeatures features;
  Fill(features);
  CHECK(Told(features, "shop.spend > 2000 && now - shop.last > days(60)") ==
        "true\n"
        "shop.spend >: shop.spend: 2100, more than 2000\n"
        "shop.last >: Time since: shop.last: 61.0 days, more than 60.0 days");
  CHECK(Told(features, "shop.orders >= 3 && shop.spend > 2000") == "false\nshop.orders <: shop.orders: 2, less than 3");
  CHECK(Told(features, "shop.orders >= 3 || shop.spend > 2000") ==
        "true\nshop.spend >: shop.spend: 2100, more than 2000");
  CHECK(Told(features, "3 <= shop.orders || !(2000 < shop.spend)") ==
        "false\nshop.orders <: shop.orders: 2, less than 3\nshop.spend >: shop.spend: 2100, more than 2000");
  CHECK(Told(features, "shop.vip ? shop.city == 'Bonn' : shop.orders > 1") ==
        "false\nshop.vip : shop.vip: yes\nshop.city !=: shop.city: Berlin, other than Bonn");
  CHECK(Told(features, "shop.last < now && shop.vip && shop.vip") ==
        "true\n"
        "shop.last <: shop.last: 2024-08-04 12:00:00, before 2024-10-04 12:00:00\n"
        "shop.vip : shop.vip: yes");
  CHECK(Told(features, "true || false") == "true");
}

TEST_CASE("a missing value is a reason, too", "[rules]") {
  SomeFeatures features;
  Fill(features);
  CHECK(Told(features, "shop.returns > 1 && shop.vip") ==
        "error: no value\nshop.returns : shop.returns: there is no value");
  CHECK(Told(features, "has(shop.returns)") == "false\nshop.returns : shop.returns: there is no value");
}

TEST_CASE("of a rule for each item the reason names the item", "[rules]") {
  SomeFeatures features;
  Fill(features);
  Scope scope;
  scope.each = *features.registry().Find("shop.interests");
  CHECK(Told(features, "item.views >= 5", scope) == "true\nshop.interests >=: shoes: views: 6, at least 5");
  CHECK(Told(features, "shop.interests.exists(i, i.views > 9)") == "false\nshop.interests : By shop.interests: no");
}

TEST_CASE("the reasons are bounded, whatever the condition", "[rules]") {
  SomeFeatures features;
  Fill(features);
  std::string source = "shop.orders < 100";
  for (int i = 0; i < 100; ++i) absl::StrAppend(&source, " && shop.orders < ", 101 + i);
  const std::string told = Told(features, source);
  CHECK(std::count(told.begin(), told.end(), '\n') == static_cast<int64_t>(kMostReasons));
}

}  // namespace
}  // namespace portrait::rules
