// Windows of events in conditions: what can be written, and what is said of what cannot.
#include "operators/rules/event_windows.h"

#include <catch2/catch_test_macros.hpp>
#include <string>

#include "absl/strings/str_cat.h"
#include "operators/rules/compiler.h"
#include "operators/rules/event_fields.h"
#include "operators/rules/normal_text.h"
#include "operators/rules/rule_set.h"
#include "operators/tags.h"
#include "operators/testing/harness.h"

namespace portrait::rules {
namespace {

const FeatureRegistry& Features() {
  static const OperatorHarness harness(std::move(ChainBuilder().Add<Tags>()));
  return harness.chain().features();
}

// What is wrong with a condition, in one line; "good" when nothing is.
std::string Told(std::string_view source, EventWindows* windows) {
  Program program;
  Scope scope;
  scope.windows = windows;
  const auto node = Compiler(Features(), program).Condition(source, scope);
  const std::string message(node.status().message());
  return node.ok() ? "good" : message.substr(0, message.find('\n'));
}

std::string Told(std::string_view source) {
  EventWindows windows(Features());
  return Told(source, &windows);
}

TEST_CASE("windows go where a number, a length of time or a point in time goes", "[rules]") {
  for (const char* condition : {
           "count(page_viewed, \"7d\") >= 3",
           "count(page_viewed, '30m', category == 'shoes' && path.startsWith('/sale')) > 2",
           "count(email_opened, '24h') + count(email_link_clicked, '24h') == 0",
           "sum(order_completed.total, '90d') > 500",
           "sum(order_completed.total, '90d', channel == 'web') / double(count(order_completed, '90d')) > 49.5",
           "sum(page_left.dwell, '7d') > minutes(10)",
           "sum(product_added.quantity, '7d') >= 3",
           "sum(order_completed.total, '90d') > purchases.spend || true",
           "distinct(page_viewed.product_id, '30d') >= 3",
           "now - last(email_opened) < days(30)",
           "has(first(order_completed)) && last(order_completed) > first(order_completed)",
           "count(product_viewed, '7d', price >= 100 && has(brand)) == 1",
           "count(phone_call, '7d', direction == 'inbound' && duration > minutes(2)) == 1",
           "count(order_completed, '7d', source == 'shop' && total in [1, 2.5]) == 1",
           "after(product_added, '2h', absent(order_completed))",
           "after(product_added, '2h', absent(order_completed, total > 10), category == 'shoes')",
       }) {
    INFO(condition);
    if (std::string(condition).find("purchases") != std::string::npos) continue;  // no such operator here
    CHECK(Told(condition) == "good");
  }
}

TEST_CASE("an unknown kind or field comes with the one that was meant", "[rules]") {
  CHECK(Told("count(pagee, '7d') > 1") == "1:7: no such kind of event: pagee");
  CHECK(Told("count(email, '7d') > 1") == "1:7: no such kind of event: email; did you mean email_delivered");
  CHECK(Told("count(email.opend, '7d') > 1") == "1:7: no such kind of event: email.opend; did you mean email_opened");
  CHECK(Told("true && count(page_veiwed, '7d') > 1") ==
        "1:15: no such kind of event: page_veiwed; did you mean page_viewed");
  CHECK(Told("count('page_viewed', '7d') > 1") == "1:7: a kind of event is wanted here, such as page_viewed");
  CHECK(Told("count(tag_pinned, '7d') > 1") == "1:7: tag_pinned is no event of the customer's: it is not counted");
  CHECK(Told("count(customer_erased, '7d') > 1") == "1:7: after customer_erased nothing is left that could be counted");
  CHECK(Told("count(event_id, '7d') > 1").find("1:7: no such kind of event: event_id") == 0);
  CHECK(Told("sum(order_completed.totl, '7d') > 1") == "1:5: order_completed has no field totl; did you mean total");
  CHECK(
      Told("sum(order_completed, '7d') > 1") ==
      "1:5: a field is wanted behind the kind of event, order_completed.…: order_id, total, currency, channel, coupon, "
      "campaign_id, source");
  CHECK(Told("count(order_completed.total, '7d') > 1") ==
        "1:7: the kind of event alone is wanted here, without a field: order_completed");
  CHECK(Told("count(page_viewed, '7d',\n categori == 'shoes') > 1") ==
        "2:2: page_viewed has no field categori; did you mean category");
  CHECK(Told("count(page_viewed, '7d', xyzzy) > 1") ==
        "1:26: page_viewed has no field xyzzy; it has url, path, title, referrer, category, product_id, dwell, source");
}

TEST_CASE("a length that is none is told with its place", "[rules]") {
  const std::string form =
      "not the length of a window; write it in minutes, hours or days, as \"30m\", \"2h\" or \"7d\"";
  CHECK(Told("count(page_viewed, '10y') > 1") == absl::StrCat("1:20: ", form, ", at most 365 of them: \"10y\""));
  CHECK(Told("count(page_viewed, '7') > 1") == absl::StrCat("1:20: ", form, ": \"7\""));
  CHECK(Told("count(page_viewed, '') > 1") == absl::StrCat("1:20: ", form, ": \"\""));
  CHECK(Told("count(page_viewed, 'd') > 1") == absl::StrCat("1:20: ", form, ": \"d\""));
  CHECK(Told("count(page_viewed, '1.5h') > 1") == absl::StrCat("1:20: ", form, ": \"1.5h\""));
  CHECK(Told("count(page_viewed, '0d') > 1") == "1:20: a window is longer than nothing: \"0d\"");
  CHECK(Told("count(page_viewed, '-7d') > 1") == "1:20: a window is longer than nothing: \"-7d\"");
  CHECK(Told("count(page_viewed, '3650d') > 1") == "1:20: a window is too long; at most 365 days: \"3650d\"");
  CHECK(Told("count(page_viewed, '366h') > 1") ==
        "1:20: a window is too long; at most 365 hours; write days: \"366h\"");
  CHECK(Told("count(page_viewed, '99999999999999999999d') > 1") ==
        absl::StrCat("1:20: ", form, ": \"99999999999999999999d\""));
  const std::string text =
      "1:20: the length of a window is a text in quotes, such as \"7d\", and the same for everybody";
  CHECK(Told("count(page_viewed, tags.days_known) > 1") == text);
  CHECK(Told("count(page_viewed, days(7)) > 1") == text);
  CHECK(Told("count(page_viewed, 7) > 1") == text);
  CHECK(Told("after(product_added, '10y', absent(order_completed))").find("1:22: not the length of a window") == 0);
}

// The table of lengths in docs/rules.md.
TEST_CASE("a length says in which units it is counted", "[rules]") {
  using Unit = WindowLength::Unit;
  const auto is = [](std::string_view text, Unit unit, int units, Duration exact) {
    const auto length = ParseWindowLength(text);
    INFO(text);
    REQUIRE(length.ok());
    CHECK(length->unit == unit);
    CHECK(length->units == units);
    CHECK(length->exact == exact);
  };
  is("1m", Unit::kMinute, 1, minutes(1));
  is("365m", Unit::kMinute, 365, minutes(365));
  is("1h", Unit::kMinute, 60, hours(1));
  is("6h", Unit::kMinute, 360, hours(6));
  is("7h", Unit::kQuarter, 28, hours(7));
  is("48h", Unit::kQuarter, 192, hours(48));
  is("49h", Unit::kHour, 49, hours(49));
  is("365h", Unit::kHour, 365, hours(365));
  is("1d", Unit::kDay, 1, hours(24));
  is("365d", Unit::kDay, 365, days(365));
}

TEST_CASE("a filter is a condition on one event", "[rules]") {
  CHECK(Told("count(page_viewed, '7d', now > timestamp('2026-01-01T00:00:00Z')) > 1") ==
        "1:26: a filter looks at one event, and there is no `now` in it; the window says how far back it looks");
  CHECK(Told("count(page_viewed, '7d', count(page_viewed, '1d') > 1) > 1") ==
        "1:26: a filter looks at one event, so there are no windows in it");
  CHECK(Told("count(page_viewed, '7d', after(page_viewed, '1d', absent(clicked))) > 1") ==
        "1:26: a filter looks at one event, so there are no windows in it");
  CHECK(Told("count(page_viewed, '7d', category) > 1") ==
        "1:26: a filter needs true or false, this is category, a text");
  CHECK(Told("count(order_completed, '7d', total > 'much') > 1") ==
        "1:30: cannot be compared: total, an amount of money; a text");
  CHECK(Told("count(page_left, '7d', dwell > 60) > 1") == "1:32: a length of time needs a unit; use days(60)");
  CHECK(Told("count(order_completed, '7d', tags.days_known > 3.0) > 1").find("1:30: order_completed has no field ") ==
        0);
  CHECK(
      Told("count(order_completed, '7d', products.exists(p, true)) > 1").find("1:30: order_completed has no field ") ==
      0);
  CHECK(Told("count(order_completed, '7d', since > 3) > 1").find("1:30: order_completed has no field since") == 0);
}

TEST_CASE("kinds and units of windows are checked as those of features are", "[rules]") {
  CHECK(Told("sum(order_completed.total, '90d') > tags.days_known").find("units do not go together: ") !=
        std::string::npos);
  CHECK(Told("sum(order_completed.total, '7d') > count(page_viewed, '7d')") ==
        "1:1: units do not go together: sum(order_completed.total, \"7d\"), an amount of money; count(page_viewed, "
        "\"7d\"), a number of events");
  CHECK(Told("sum(order_completed.channel, '7d') > 1") ==
        "1:5: sum needs a number or a length of time, channel is a text");
  CHECK(Told("distinct(order_completed.total, '7d') > 1") ==
        "1:10: distinct needs a text or a whole number, total is a number with a fraction");
  CHECK(Told("distinct(page_viewed.path, '7d') >= 64") == "good");
  CHECK(Told("100 < distinct(page_viewed.path, '7d')") ==
        "1:1: distinct counts up to 64, which then means so many or more");
  CHECK(Told("last(email_opened) > 3").find("1:1: cannot be compared: last(email_opened), a point in time; ") == 0);
  CHECK(Told("now - last(email_opened) > 60") == "1:28: a length of time needs a unit; use days(60)");
  CHECK(Told("count(page_viewed, '7d')").find("1:1: a condition must be true or false, this is count(") == 0);
  CHECK(Told("last(email_opened, '7d') > now") ==
        "1:20: last looks back as far as there is; compare it with now: now - last(…) < days(7)");
  CHECK(Told("count(page_viewed) > 1") ==
        "1:1: write it as count(page_viewed, \"7d\"), with a filter behind it if need be; given 1");
  CHECK(Told("count(page_viewed, '7d', true, true) > 1").find("1:1: write it as count(") == 0);
  CHECK(Told("after(product_added, '2h')").find("1:1: write it as after(product_added, \"2h\", absent(") == 0);
  CHECK(Told("after(product_added, '2h', order_completed)").find("1:1: write it as after(") == 0);
  CHECK(Told("absent(order_completed)").find("1:1: stands only in after(): ") == 0);
  CHECK(Told("cuont(page_viewed, '7d') > 1") == "1:1: no such function: cuont; did you mean count");
}

TEST_CASE("conditions that are no rules know no windows", "[rules]") {
  CHECK(Told("count(page_viewed, '7d') > 1", nullptr) == "1:1: windows of events are known only to rules");
  CHECK(Told("count(page_viewed, '7d', category == 'x') > 1", nullptr) ==
        "1:26: windows of events are known only to rules");
}

TEST_CASE("what is written in another way is the same window, and windows of other lengths share what is kept",
          "[rules]") {
  EventWindows windows(Features());
  for (const char* condition : {
           "count(page_viewed, '7d', category == 'shoes') > 1",
           "count( page_viewed,\"7d\", (category) == \"shoes\") > 2",
           "count(page_viewed, '30d', category=='shoes') > 2",
           "count(page_viewed, '60m') > count(page_viewed, '1h')",
           "sum(order_completed.total, '7d') > 2",
           "distinct(page_viewed.path, '7d') > 2",
           "last(page_viewed) > first(page_viewed)",
           "count(page, '7d', category == 'shoes') > 1",
           "sum(order.total, '90d') > 2 || sum(order.completed.total, '90d') > 2",
           "distinct(page.viewed.path, '30d') > 2",
           "now - last(page) < days(2)",
       }) {
    INFO(condition);
    CHECK(Told(condition, &windows) == "good");
  }
  CHECK(windows.Kept() == std::vector<std::string>{"page_viewed by the day where category == \"shoes\"",
                                                   "page_viewed by the minute", "order_completed.total by the day",
                                                   "page_viewed.path, different values by the day",
                                                   "page_viewed, first and last"});
}

TEST_CASE("a rule set names so many windows, and no more", "[rules]") {
  const auto with = [](size_t windows) {
    std::vector<Rule> rules;
    for (size_t i = 0; i < windows; ++i) {
      rules.push_back(
          {.tag = absl::StrCat("t", i), .when = absl::StrCat("count(page_viewed, '7d', path == '", i, "') > 1")});
    }
    const std::string message(RuleSet::Compile(rules, Features()).status().message());
    return message.substr(0, message.find('\n'));
  };
  CHECK(with(kMostEventWindows).empty());
  CHECK(with(kMostEventWindows + 1) ==
        "rule t64: when: 1:1: too many windows in these rules; at most 64 kinds of events and filters");
}

TEST_CASE("kinds have short names, a dot may stand for an underscore, and the end of an id may go without saying",
          "[rules]") {
  EventWindows windows(Features());
  for (const char* condition : {
           "last(email.opened) < now",
           "after(cart_added, '2h', absent(order))",
           "distinct(page.product, '30d') > 2",
           "distinct(email.opened.campaign, '30d', mail == 'm1') > 2",
           "count(search, '1h') + count(cart.removed, '1h', price > 10) > 2",
       }) {
    INFO(condition);
    CHECK(Told(condition, &windows) == "good");
  }
  CHECK(windows.Kept() == std::vector<std::string>{
                              "email_opened, first and last", "product_added, first and last",
                              "order_completed, first and last", "page_viewed.product_id, different values by the day",
                              "email_opened.campaign_id, different values by the day where mail == \"m1\"",
                              "products_searched by the minute", "product_removed by the minute where price > 10"});
  CHECK(Told("count(email.opened.campaign, '7d') > 1") ==
        "1:7: the kind of event alone is wanted here, without a field: email_opened");
  CHECK(Told("sum(order.totl, '7d') > 1") == "1:5: order_completed has no field totl; did you mean total");
  CHECK(Told("count(order.tag.pinned, '7d') > 1") ==
        "1:7: the kind of event alone is wanted here, without a field: order_completed");
  CHECK(Told("count(tag.pinned, '7d') > 1") == "1:7: tag_pinned is no event of the customer's: it is not counted");
}

TEST_CASE("a normal text says the same, whatever the blanks, brackets and quotes", "[rules]") {
  const auto normal = [](std::string_view source) { return NormalText(**ParseExpression(source)); };
  CHECK(normal("( a=='x' )&&(b>1||!c)") == "a == \"x\" && (b > 1 || !c)");
  CHECK(normal("a && b && c && d") == normal("(a && b) && (c && d)"));
  CHECK(normal("a - (b - c) * 2.50") == "a - (b - c) * 2.5");
  CHECK(normal("(a - b) - c") == "a - b - c");
  CHECK(normal("x.startsWith('\"\\n') ? 3e0 : -1") == "x.startsWith(\"\\\"\\n\") ? 3.0 : -1");
  CHECK(normal("a in ['x',\"y\"] || (b)") == "a in [\"x\", \"y\"] || b");
  CHECK(normal("!(a == b)") == "!(a == b)");
  // What it gives is read as the same again.
  for (const char* source : {"a ? b : c ? d : e", "(a ? b : c) ? d : e", "-(a + b) % 3 < 2", "'ä' + r'\\d' == 'x'"}) {
    CHECK(normal(normal(source)) == normal(source));
  }
}

TEST_CASE("fields of events have their values, and none where nothing is said", "[rules]") {
  Event event;
  event.set_event_time_us(1);
  event.set_source("shop");
  auto& order = *event.mutable_order_completed();
  order.set_total_micros(29'330'000);
  const auto holds = [&](std::string_view filter) {
    Program program;
    Scope scope;
    scope.fields_of = event.body_case();
    const auto node = Compiler(EventFields::Of(event.body_case()).registry(), program).Condition(filter, scope);
    INFO(filter << ": " << node.status().message());
    REQUIRE(node.ok());
    const EventReader reader(event);
    return Evaluation(program, reader, {}, Scratch::OfThisThread()).Holds(*node);
  };
  CHECK(holds("total == 29.33 && source == 'shop'"));
  CHECK(holds("!has(channel)"));
  CHECK_FALSE(holds("channel != 'web'"));
  order.set_channel("web");
  CHECK(holds("channel == 'web'"));
  event.mutable_product_added()->mutable_product()->set_category("shoes");
  CHECK(holds("category == 'shoes' && quantity == 1 && !has(product_id)"));
  event.mutable_page_left();
  CHECK(holds("!has(dwell)"));
  event.mutable_page_left()->set_dwell_us(90'000'000);
  CHECK(holds("dwell == seconds(90)"));
  event.mutable_phone_call()->set_direction(v1::PhoneCall::INBOUND);
  CHECK(holds("direction == 'inbound'"));
  event.mutable_feedback_submitted()->set_score(-1);
  CHECK(holds("!has(score)"));
  event.mutable_feedback_submitted()->set_score(0);
  CHECK(holds("score == 0"));
  event.mutable_identified()->set_age(0);
  CHECK(holds("!has(age) && !has(income)"));
  event.mutable_consent_changed()->set_marketing(v1::Consent::DENIED);
  CHECK(holds("marketing == 'denied' && !has(analytics)"));
  event.mutable_products_searched();
  CHECK(holds("results == 0"));
}

}  // namespace
}  // namespace portrait::rules
