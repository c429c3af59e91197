// Models in the shadow against those in force, on the same closed examples.
#include "pipeline/tools/shadow_judgement.h"

#include <catch2/catch_test_macros.hpp>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace portrait {
namespace {

v1::ChurnExample Example(const std::string& customer, double in_force, double shadow, bool no_order,
                         const std::string& shadow_model = "new") {
  v1::ChurnExample example;
  example.mutable_info()->set_customer_id(customer);
  example.set_origin_us(1'000'000);
  example.set_model("old");
  example.set_probability(in_force);
  example.set_shadow_model(shadow_model);
  example.set_shadow_probability(shadow);
  example.set_no_order(no_order);
  return example;
}

// The figures of a model: AUC, Brier score, calibration error.
std::vector<std::string> FiguresOf(const std::string& text, const std::string& where) {
  for (const auto line : absl::StrSplit(text, '\n')) {
    const std::vector<std::string> words = absl::StrSplit(line, ' ', absl::SkipEmpty());
    if (words.size() > 4 && absl::StartsWith(line, absl::StrCat("  ", where))) return {words.end() - 3, words.end()};
  }
  return {};
}

TEST_CASE("both models are judged on the same closed examples") {
  ShadowOnClosed closed;
  closed.Add(Example("a", 0.6, 0.9, true));
  closed.Add(Example("b", 0.4, 0.1, true));
  closed.Add(Example("c", 0.5, 0.2, false));
  closed.Add(Example("d", 0.5, 0.2, false));
  const std::string text = closed.Text();
  CAPTURE(text);
  CHECK(absl::StrContains(text, "on 4 closed examples, 2 without an order"));
  // In force a above both, b below both: half of the pairs are in order. (.4² + .6² + 2 · .5²) / 4.
  const auto before = FiguresOf(text, "in force");
  REQUIRE(before.size() == 3);
  CHECK(before[0] == "0.5000");
  CHECK(before[1] == "0.2550");
  // (.1² + .9² + 2 · .2²) / 4.
  const auto beside = FiguresOf(text, "in the shadow ");
  REQUIRE(beside.size() == 3);
  CHECK(beside[0] == "0.5000");
  CHECK(beside[1] == "0.2250");
}

TEST_CASE("an example counts once, for its own pair of models, and only where there was a shadow") {
  ShadowOnClosed closed;
  CHECK(closed.Text().empty());
  closed.Add(Example("a", 0.5, 0, true, ""));
  CHECK(closed.Text().empty());
  for (int i = 0; i < 2; ++i) closed.Add(Example("a", 0.5, 0.7, true));
  closed.Add(Example("b", 0.5, 0.7, false));
  closed.Add(Example("a", 0.5, 0.7, true, "newer"));
  const std::string text = closed.Text();
  CAPTURE(text);
  CHECK(absl::StrContains(text, "on 2 closed examples, 1 without an order"));
  CHECK(absl::StrContains(text, "on 1 closed examples, 1 without an order"));
}

}  // namespace
}  // namespace portrait
