#include "pipeline/cli/trial.h"

#include <catch2/catch_test_macros.hpp>
#include <string>

#include "operators/tags.h"
#include "operators/testing/harness.h"
#include "tests/rules/some_features.h"

namespace portrait::rules {
namespace {

std::string Answered(const std::string& line) {
  const SomeFeatures features;
  return Trial(features.registry(), absl::FromUnixSeconds(1'700'000'000)).Answer(line);
}

TEST_CASE("features have the kinds that they have, however they are written in JSON", "[rules]") {
  const std::string with = R"j("with":{"shop":{"spend":2500,"last":"2020-01-31T00:00:00Z"}}})j";
  CHECK(Answered(R"j({"expr":"shop.spend > 2000 && now - shop.last > days(60)",)j" + with) == R"j({"value":true})j");
  CHECK(Answered(R"j({"expr":"shop.spend","with":{"shop.spend":2500}})j") == R"j({"value":2500.0})j");
  CHECK(Answered(R"j({"expr":"shop.visit + hours(1)","with":{"shop.visit":"30m"}})j") == R"j({"value":"5400s"})j");
  CHECK(Answered(R"j({"expr":"shop.city.lowerAscii()","with":{"shop.city":"Bonn"}})j") == R"j({"value":"bonn"})j");
  CHECK(Answered(R"j({"expr":"now","with":{"now":"2026-01-01T00:00:00Z"}})j") ==
        R"j({"value":"2026-01-01T00:00:00Z"})j");
  CHECK(Answered(R"j({"expr":"shop.spend > 1","with":{"shop.spend":"much"}})j") ==
        R"j({"error":"--with: shop.spend is a number"})j");
  CHECK(Answered(R"j({"expr":"shop.orders > 1","with":{"shop.orders":2.5}})j") ==
        R"j({"error":"--with: shop.orders is a whole number"})j");
  CHECK(Answered(R"j({"expr":"shop.last < now","with":{"shop.last":"yesterday"}})j") ==
        R"j({"error":"--with: shop.last is a point in time, such as \"2026-01-31T00:00:00Z\""})j");
}

TEST_CASE("an expression on features alone is checked as a rule is", "[rules]") {
  CHECK(
      Answered(R"j({"expr":"shop.spend > shop.silent","with":{}})j") ==
      R"j({"error":"1:1: units do not go together: shop.spend, an amount of money; shop.silent, a number of days"})j");
  CHECK(Answered(R"j({"expr":"now - shop.last > 60"})j") ==
        R"j({"error":"1:19: a length of time needs a unit; use days(60)"})j");
  CHECK(Answered(R"j({"expr":"shop.spent > 3"})j") ==
        R"j({"error":"1:1: no such name: shop.spent; did you mean shop.spend"})j");
}

TEST_CASE("what rules leave out, and names of one's own, go with features, too", "[rules]") {
  CHECK(Answered(R"j({"expr":"shop.last.getFullYear()","with":{"shop.last":"2020-01-31T00:00:00Z"}})j") ==
        R"j({"value":2020})j");
  CHECK(Answered(R"j({"expr":"shop.city + suffix","with":{"shop.city":"Bonn","suffix":"!"}})j") ==
        R"j({"value":"Bonn!"})j");
  CHECK(Answered(R"j({"expr":"shop.spend + shop.extra","with":{"shop":{"spend":1,"extra":0.5}}})j") ==
        R"j({"value":1.5})j");
}

TEST_CASE("a feature that is not given has no value", "[rules]") {
  CHECK(Answered(R"j({"expr":"shop.spend > 1"})j") == R"j({"error":"1:1: no value: shop.spend"})j");
  CHECK(Answered(R"j({"expr":"shop.spend > 1","with":{"shop.spend":null}})j") ==
        R"j({"error":"1:1: no value: shop.spend"})j");
  CHECK(Answered(R"j({"expr":"has(shop.spend) || shop.orders > 1 || true"})j") == R"j({"value":true})j");
  CHECK(Answered(R"j({"expr":"has(shop.spend)"})j") == R"j({"value":false})j");
  CHECK(Answered(R"j({"expr":"size(shop.interests)"})j") == R"j({"value":0})j");
}

TEST_CASE("a window of events has the value that is given under its name, and is checked as in a rule", "[rules]") {
  const OperatorHarness harness(std::move(ChainBuilder().Add<Tags>()));
  const auto answered = [&](const std::string& line) {
    return Trial(harness.chain().features(), absl::FromUnixSeconds(1'700'000'000)).Answer(line);
  };
  CHECK(answered(R"j({"expr":"count(page_viewed, '7d') + 1","with":{"count(page_viewed, \"7d\")":3}})j") ==
        R"j({"value":4})j");
  CHECK(answered(R"j({"expr":"count(page_viewed,'7d',category=='x')>=3 && tags.days_known > 1",)j"
                 R"j("with":{"count(page_viewed, \"7d\", category == \"x\")":3,"tags":{"days_known":2}}})j") ==
        R"j({"value":true})j");
  CHECK(answered(R"j({"expr":"now - last(email_opened) < days(1)",)j"
                 R"j("with":{"last(email_opened)":"2026-01-31T00:00:00Z","now":"2026-01-31T12:00:00Z"}})j") ==
        R"j({"value":true})j");
  CHECK(answered(R"j({"expr":"count(page_viewed, '7d') > 1"})j") ==
        R"j({"error":"a trial has no events; give --with a value for count(page_viewed, \"7d\")"})j");
  CHECK(answered(R"j({"expr":"count(page_viewed, '7d') > 1","with":{"count(page_viewed, \"7d\")":"many"}})j") ==
        R"j({"error":"--with: count(page_viewed, \"7d\") is a whole number"})j");
  CHECK(answered(R"j({"expr":"count(page_veiwed, '7d') > 1"})j") ==
        R"j({"error":"1:7: no such kind of event: page_veiwed; did you mean page_viewed"})j");
}

TEST_CASE("a feature that is a list is one of objects with its parts", "[rules]") {
  const std::string with =
      R"j("with":{"shop.interests":[{"name":"shoes","score":3,"views":6},{"name":"hats","views":null}]}})j";
  CHECK(Answered(R"j({"expr":"'shoes' in shop.interests && shop.interests.exists(i, i.score > 2.5)",)j" + with) ==
        R"j({"value":true})j");
  CHECK(Answered(R"j({"expr":"shop.interests.all(i, i.views > 1)",)j" + with) ==
        R"j({"error":"1:23: no such key: views"})j");
  CHECK(Answered(R"j({"expr":"shop.interests",)j" + with) ==
        R"j({"value":[{"name":"shoes","score":3.0,"views":6},{"name":"hats"}]})j");
  CHECK(Answered(R"j({"expr":"shop.interests == [] || shop.interests[1].name == 'hats'",)j" + with) ==
        R"j({"value":true})j");
  CHECK(Answered(R"j({"expr":"shop.interests.map(i, i.name)",)j" + with) == R"j({"value":["shoes","hats"]})j");
  CHECK(Answered(R"j({"expr":"size(shop.interests)","with":{"shop.interests":[{"views":1}]}})j") ==
        R"j({"error":"--with: shop.interests is a list of objects with name, score, views, last"})j");
}

TEST_CASE("a line that is no request gets an answer, too", "[rules]") {
  CHECK(Answered("nonsense") == R"j({"error":"not JSON"})j");
  CHECK(Answered("") == R"j({"error":"not JSON"})j");
  CHECK(Answered("[]") == R"j({"error":"an object is wanted: {\"expr\": …}"})j");
  CHECK(Answered("{}") == R"j({"error":"expr: a text is wanted"})j");
  CHECK(Answered(R"j({"expr":"1","wiht":{}})j") == R"j({"error":"no such key: wiht; did you mean with"})j");
  CHECK(Answered(R"j({"expr":"1","with":[1]})j") == R"j({"error":"with: an object of names and values is wanted"})j");
  const std::string deep(400'000, '[');
  CHECK(Answered(R"j({"expr":"1","with":{"x":)j" + deep + std::string(400'000, ']') + "}}") == R"j({"value":1})j");
  CHECK(Answered(R"j({"expr":"x","with":{"x":)j" + deep + std::string(400'000, ']') + "}}") ==
        R"j({"error":"1:1: values nested too deeply; at most 64"})j");
  CHECK(Answered(R"j({"expr":")j" + deep + "\"}") ==
        R"j({"error":"1:1: a condition is too long; at most 16384 bytes: 400000"})j");
}

}  // namespace
}  // namespace portrait::rules
