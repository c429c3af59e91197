#include "operators/rules/change_detector.h"

#include <catch2/catch_test_macros.hpp>
#include <functional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/rules/some_features.h"

namespace portrait::rules {
namespace {

// Rules, one a unit, and an event that changes what they read.
class Watched {
 public:
  Watched() {
    features.ChangedBy(Event::kPageViewed);
    features.Changes("shop.silent", OverTime::Runs());
  }

  void Rule(std::string_view condition, std::string_view each = {}) {
    Scope scope;
    if (!each.empty()) scope.each = *features.registry().Find(each);
    const auto node = Compiler(features.registry(), program_).Condition(condition, scope);
    REQUIRE(node.ok());
    units_.push_back({{*node}, scope.each ? program_.FeatureIndex(*scope.each) : -1});
  }

  // The rules to be looked at after an event that makes this change, by their numbers; "1:shoes" for an element.
  std::string After(const std::function<void()>& change, EventKind kind = Event::kPageViewed) {
    const ChangeDetector detector(program_, units_);
    ChangeDetector::Snapshot seen;
    const FeatureReader reader = features.reader();
    detector.Before(detector.WatchedBy(kind), reader, seen);
    change();
    detector.After(reader, seen);
    std::string out;
    for (const int32_t unit : seen.affected.units) absl::StrAppend(&out, out.empty() ? "" : " ", unit);
    for (const auto& [unit, list] : seen.affected.elements) {
      for (const Affected::Element& element : seen.affected.changed) {
        if (element.list != list) continue;
        absl::StrAppend(&out, out.empty() ? "" : " ", unit, ":", std::string(element.name), element.now ? "" : " gone");
      }
    }
    return out;
  }

  std::string Set(const std::string& name, Value from, Value to) {
    features.values[name] = from;
    return After([&] { features.values[name] = to; });
  }

  SomeFeatures features;

 private:
  Program program_;
  std::vector<WatchedUnit> units_;
};

TEST_CASE("a rule is looked at when a value reaches or passes its constant") {
  Watched watched;
  watched.Rule("shop.orders >= 3");
  watched.Rule("10 < shop.orders");
  watched.Rule("shop.spend > 3");
  CHECK(watched.Set("shop.orders", int64_t{4}, int64_t{9}) == "");
  CHECK(watched.Set("shop.orders", int64_t{2}, int64_t{3}) == "0");
  CHECK(watched.Set("shop.orders", int64_t{3}, int64_t{2}) == "0");
  CHECK(watched.Set("shop.orders", int64_t{9}, int64_t{11}) == "1");
  CHECK(watched.Set("shop.orders", int64_t{0}, int64_t{100}) == "0 1");
  CHECK(watched.Set("shop.spend", 2.5, 3.5) == "2");
  CHECK(watched.Set("shop.spend", 3.5, 4.5) == "");
}

TEST_CASE("a rule that reads a value in another way is looked at when it differs") {
  Watched watched;
  watched.Rule("shop.orders + shop.returns > 100");
  watched.Rule("now - shop.last > days(60)");
  watched.Rule("shop.city == 'Oslo'");
  watched.Rule("has(shop.city)");
  watched.features.values["shop.returns"] = int64_t{1};
  CHECK(watched.Set("shop.orders", int64_t{4}, int64_t{5}) == "0");
  CHECK(watched.Set("shop.orders", int64_t{4}, int64_t{4}) == "");
  CHECK(watched.Set("shop.last", FromMicros(1), FromMicros(2)) == "1");
  CHECK(watched.Set("shop.city", "Rome", "Bern") == "2 3");
  CHECK(watched.Set("shop.city", "Rome", "Rome") == "");
}

TEST_CASE("a value that comes or goes is looked at by all that read it") {
  Watched watched;
  watched.Rule("shop.orders >= 3");
  watched.Rule("has(shop.orders)");
  watched.Rule("shop.returns >= 3");
  CHECK(watched.Set("shop.orders", Value(), int64_t{1}) == "0 1");
  CHECK(watched.Set("shop.orders", int64_t{1}, Value()) == "0 1");
}

TEST_CASE("what grows with time is looked at when it has grown, for it reaches its constants sooner") {
  Watched watched;
  watched.Rule("shop.silent > 60");
  CHECK(watched.Set("shop.silent", 40.0, 0.0) == "");
  CHECK(watched.Set("shop.silent", 40.0, 41.0) == "0");
  CHECK(watched.Set("shop.silent", 70.0, 0.0) == "0");
}

TEST_CASE("of a list, the elements that differ are looked at, those that have gone as well") {
  Watched watched;
  watched.Rule("item.score > 3.0", "shop.interests");
  watched.Rule("shop.interests.exists(i, i.score > 3.0)");
  auto& interests = watched.features.interests;
  interests = {{"shoes", 1.0, int64_t{1}, FromMicros(1)}, {"hats", 2.0, int64_t{1}, FromMicros(1)}};
  CHECK(watched.After([] {}) == "");
  CHECK(watched.After([&] { std::swap(interests[0], interests[1]); }) == "");
  CHECK(watched.After([&] { interests[0].score = 4.0; }) == "1 0:hats");
  CHECK(watched.After([&] { interests[1] = {"bags", 1.0, int64_t{1}, FromMicros(1)}; }) == "1 0:bags 0:shoes gone");
  for (int i = 0; i < 40; ++i) interests.push_back({absl::StrCat("more", i), 1.0, int64_t{1}, FromMicros(1)});
  CHECK(watched.After([&] { interests[7].score = 4.0; }) == "0 1");
}

TEST_CASE("an element is looked at when a column that its rule reads may matter") {
  Watched watched;
  watched.features.ColumnsChange(OverTime::EachDay(OverTime::Trend::kFalls));
  watched.Rule("item.views >= 5 || item.views < 2", "shop.interests");
  auto& interests = watched.features.interests;
  interests = {{"shoes", 1.0, int64_t{1}, FromMicros(1)}};
  const auto views = [&](int64_t from, Value to) {
    interests[0].views = from;
    return watched.After([&] { interests[0].views = to; });
  };
  CHECK(watched.After([&] { interests[0].score = 9.0; }) == "");
  CHECK(views(0, int64_t{1}) == "");
  CHECK(views(1, int64_t{2}) == "0:shoes");
  CHECK(views(2, int64_t{3}) == "");
  CHECK(views(2, int64_t{4}) == "");
  CHECK(views(4, int64_t{5}) == "0:shoes");
  CHECK(views(5, int64_t{6}) == "");
  CHECK(views(6, int64_t{4}) == "0:shoes");
  CHECK(views(3, int64_t{8}) == "0:shoes");
  CHECK(views(3, Value()) == "0:shoes");
}

TEST_CASE("an element whose column is read in another way is looked at when that differs") {
  Watched watched;
  watched.Rule("item.views + 1 >= 5 && has(item.score)", "shop.interests");
  auto& interests = watched.features.interests;
  interests = {{"shoes", 1.0, int64_t{1}, FromMicros(1)}};
  CHECK(watched.After([&] { interests[0].last = FromMicros(2); }) == "");
  CHECK(watched.After([&] { interests[0].views = int64_t{2}; }) == "0:shoes");
  CHECK(watched.After([&] { interests[0].score = Value(); }) == "0:shoes");
}

TEST_CASE("an event that the operator does not read changes nothing") {
  Watched watched;
  watched.Rule("shop.orders >= 3");
  watched.features.values["shop.orders"] = int64_t{1};
  CHECK(watched.After([&] { watched.features.values["shop.orders"] = int64_t{5}; }, Event::kClicked) == "");
}

}  // namespace
}  // namespace portrait::rules
