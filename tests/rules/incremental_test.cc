// Whether looking at few rules at the right moments gives what looking at all of them all the time would: random rules
// on the features of the real operators, random events, and a customer who is looked at again and again. What an
// operator says about its features (OverTime, the events that it reads) is put to the test with them.
#include <catch2/catch_get_random_seed.hpp>
#include <catch2/catch_test_macros.hpp>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "operators/churn.h"
#include "operators/email.h"
#include "operators/person.h"
#include "operators/predictions.h"
#include "operators/purchases.h"
#include "operators/rules/compiler.h"
#include "operators/service.h"
#include "operators/site.h"
#include "operators/tags.h"
#include "operators/testing/harness.h"

namespace portrait::rules {
namespace {

class Chance {
 public:
  explicit Chance(uint32_t seed) : random_(seed) {}
  int Below(int n) { return static_cast<int>(random_() % static_cast<uint32_t>(n)); }
  template <class T>
  const T& Of(const std::vector<T>& list) {
    return list[random_() % list.size()];
  }

 private:
  std::mt19937 random_;
};

ChainBuilder Builder(TagsOptions tags) {
  return std::move(ChainBuilder()
                       .Add<Site>()
                       .Add<Email>()
                       .Add<Service>()
                       .Add<Person>()
                       .Add<Purchases>()
                       .Add<Predictions>()
                       .Add<Churn>()
                       .Add<Tags>(std::move(tags)));
}

// Those that change within a day while they say that they are looked at once a day: what docs/rules.md says of them.
bool IsCoarse(const std::string& name) { return name == "person.age" || name == "score"; }

class Rules {
 public:
  Rules(Chance& chance, const FeatureRegistry& features) : chance_(chance) {
    for (const FeatureRef& feature : features.all()) {
      const std::string& name = feature.description().name;
      if (name != kDecided && !IsCoarse(name)) features_.push_back(feature);
    }
  }

  // A rule with `each`, on one of the lists.
  Rule OfElements(const std::string& tag) {
    std::vector<FeatureRef> lists;
    for (const FeatureRef& feature : features_) {
      if (feature.description().type == FeatureType::kItems) lists.push_back(feature);
    }
    const FeatureDescription& list = chance_.Of(lists).description();
    std::vector<FeatureColumn> columns = list.columns;
    std::erase_if(columns, [](const FeatureColumn& column) { return IsCoarse(column.name); });
    const FeatureColumn& column = chance_.Of(columns);
    return {.tag = tag, .when = Comparison("item." + column.name, column.type, column.unit), .each = list.name};
  }

  std::string Condition() {
    switch (chance_.Below(6)) {
      case 0: return absl::StrCat("(", Leaf(), " && ", Leaf(), ")");
      case 1: return absl::StrCat("(", Leaf(), " || ", Leaf(), ")");
      case 2: return absl::StrCat("!(", Leaf(), ")");
      default: return Leaf();
    }
  }

 private:
  std::string Leaf() {
    if (chance_.Below(3) == 0) return OfWindow();
    const FeatureDescription& about = chance_.Of(features_).description();
    if (about.type != FeatureType::kItems) {
      return chance_.Below(12) == 0 ? absl::StrCat("has(", about.name, ")")
                                    : Comparison(about.name, about.type, about.unit);
    }
    if (about.name != "site.interests") return absl::StrCat("size(", about.name, ")", Sign(), chance_.Below(4));
    return absl::StrCat("site.interests.exists(i, i.views_30d", Sign(), chance_.Below(6), ")");
  }

  // Of lengths that meet the steps of time in this test, and filters that let some of its events through.
  std::string OfWindow() {
    const std::string length =
        chance_.Of(std::vector<std::string>{"30m", "5h", "24h", "47h", "100h", "1d", "7d", "60d"});
    const std::string filter = chance_.Below(2) == 0 ? "" : ", category == 'shoes'";
    switch (chance_.Below(6)) {
      case 0: return absl::StrCat("count(product_viewed, '", length, "'", filter, ")", Sign(), chance_.Below(5));
      case 1: return absl::StrCat("count(complaint_filed, '", length, "')", Sign(), chance_.Below(3));
      case 2: return absl::StrCat("sum(order_completed.total, '", length, "')", Sign(), chance_.Below(300));
      case 3: return absl::StrCat("distinct(product_viewed.category, '", length, "')", Sign(), chance_.Below(4));
      case 4: return absl::StrCat("now - last(product_viewed", filter, ")", Sign(), "hours(", chance_.Below(100), ")");
      default: return absl::StrCat("after(product_viewed, '", length, "', absent(order_completed)", filter, ")");
    }
  }

  std::string Sign() { return chance_.Of(std::vector<std::string>{" < ", " <= ", " > ", " >= ", " == ", " != "}); }

  std::string Comparison(const std::string& name, FeatureType type, const std::string& unit) {
    switch (type) {
      case FeatureType::kBoolean: return name;
      case FeatureType::kInteger: return absl::StrCat(name, Sign(), chance_.Below(6));
      case FeatureType::kNumber: {
        const int most = unit == "1" ? 1 : unit == "days" ? 120 : 300;
        return absl::StrCat(name, Sign(), chance_.Below(1000) * most / 1000.0 + 0.0001);
      }
      case FeatureType::kTimestamp: return absl::StrCat("now - ", name, Sign(), "days(", chance_.Below(120), ")");
      case FeatureType::kDuration: return absl::StrCat(name, Sign(), "hours(", chance_.Below(100), ")");
      default: return absl::StrCat(name, " == 'shoes'");
    }
  }

  Chance& chance_;
  std::vector<FeatureRef> features_;
};

const std::vector<std::string> kCategories = {"shoes", "hats", "bags"};

Event SomeEvent(Chance& chance, Timestamp time, int number) {
  Event event = EventFor("anna", time);
  const std::string last = absl::StrCat("o", std::max(0, number - chance.Below(4)));
  switch (chance.Below(12)) {
    case 0: event.mutable_page_viewed()->set_url("/"); break;
    case 1:
    case 2:
    case 3: event.mutable_product_viewed()->mutable_product()->set_category(chance.Of(kCategories)); break;
    case 4:
      event.mutable_email_delivered()->set_mail_id(absl::StrCat("m", number));
      event.mutable_email_delivered()->set_campaign_id(absl::StrCat("spring", chance.Below(3)));
      break;
    case 5: event.mutable_email_opened()->set_mail_id(absl::StrCat("m", chance.Below(number + 1))); break;
    case 6:
    case 7:
      event.mutable_order_completed()->set_order_id(absl::StrCat("o", number));
      event.mutable_order_completed()->set_total_micros((1 + chance.Below(150)) * int64_t{1'000'000});
      event.mutable_order_completed()->add_products()->set_category(chance.Of(kCategories));
      break;
    case 8:
      event.mutable_order_refunded()->set_order_id(last);
      event.mutable_order_refunded()->set_total_micros(chance.Below(50) * int64_t{1'000'000});
      break;
    case 9: event.mutable_complaint_filed()->set_ticket_id("t"); break;
    case 10: event.mutable_issue_resolved()->set_ticket_id("t"); break;
    default: event.mutable_satisfaction_rated()->set_score(chance.Below(100) / 100.0); break;
  }
  return event;
}

TEST_CASE("looking at few rules at the right moments gives what looking at all of them always would", "[rules]") {
  INFO("replay with --rng-seed " << Catch::getSeed());
  Chance chance(Catch::getSeed());
  const OperatorHarness plain(Builder({}));
  int changes = 0;
  for (int life = 0; life < 60; ++life) {
    Rules maker(chance, plain.chain().features());
    std::vector<Rule> written;
    for (int i = 0; i < 20; ++i) written.push_back({.tag = absl::StrCat("t", i), .when = maker.Condition()});
    for (int i = 0; i < 6; ++i) written.push_back(maker.OfElements(absl::StrCat("e", i)));
    OperatorHarness shop(Builder({.rules = [&](const FeatureRegistry&) { return written; }}));
    Program program;
    Compiler compiler(shop.chain().features(), program);
    EventWindows windows(shop.chain().features());
    std::vector<int32_t> nodes, lists;
    for (const Rule& rule : written) {
      Scope scope;
      scope.windows = &windows;
      if (!rule.each.empty()) scope.each = *shop.chain().features().Find(rule.each);
      nodes.push_back(*compiler.Condition(rule.when, scope));
      lists.push_back(scope.each ? program.FeatureIndex(*scope.each) : -1);
    }

    Timestamp now = At("2026-01-01") + minutes(chance.Below(1440));
    shop.AdvanceTo(now);
    const auto check = [&] {
      const RowState& row = *shop.Row("anna");
      const Timestamp at = std::max(row.time, now);
      const Moment moment{at, static_cast<int32_t>(std::chrono::floor<days>(at).time_since_epoch().count())};
      const FeatureReader reader(row, moment);
      const std::string held = absl::StrCat(" ", shop.ItemsFeature("anna", "tags.held"));
      Evaluation evaluation(program, reader, moment, Scratch::OfThisThread());
      for (size_t i = 0; i < written.size(); ++i) {
        INFO(written[i].when << " at " << ToText(at) << " in life " << life);
        const auto has = [&](const std::string& tag) { return held.find(" " + tag + "(") != std::string::npos; };
        if (lists[i] < 0) {
          REQUIRE(has(written[i].tag) == evaluation.Holds(nodes[i]));
          continue;
        }
        INFO("of each of " << written[i].each << ": " << shop.ItemsFeature("anna", written[i].each));
        for (const Item& item : Items(evaluation.ItemsOf(lists[i]))) {
          evaluation.SetItem(0, &item);
          REQUIRE(has(absl::StrCat(written[i].tag, ":", std::string(item.name))) ==
                  (!item.name.empty() && evaluation.Holds(nodes[i])));
        }
        evaluation.SetItem(0, nullptr);
      }
    };
    for (int number = 0; number < 40; ++number) {
      const bool late = chance.Below(8) == 0;
      shop.Send(SomeEvent(chance, late ? now - hours(chance.Below(200)) : now, number));
      shop.AdvanceTo(now);  // what a late event set timers for may be over already
      check();
      for (int look = chance.Below(3); look > 0; --look) {
        const int64_t span = chance.Below(4) == 0 ? int64_t{86'400} * 40 : 86'400;
        now += seconds(chance.Below(static_cast<int>(span))) + Duration(chance.Below(1'000'000));
        shop.AdvanceTo(now);
        check();
      }
    }
    changes += static_cast<int>(shop.Results<v1::TagChange>().size());
  }
  CHECK(changes > 500);
}

}  // namespace
}  // namespace portrait::rules
