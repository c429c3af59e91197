#include "operators/site.h"

#include <catch2/catch_test_macros.hpp>
#include <random>
#include <string>

#include "absl/strings/str_cat.h"
#include "operators/testing/harness.h"

namespace portrait {
namespace {

OperatorHarness SiteHarness(const SiteOptions& options = {}) {
  return OperatorHarness(std::move(ChainBuilder().Add<Site>(options)));
}

Event AtTime(std::string_view time) { return EventFor("anna", At(time)); }

Event View(std::string_view time, std::string_view path, std::string_view category = "") {
  Event event = AtTime(time);
  event.mutable_page_viewed()->set_path(std::string(path));
  event.mutable_page_viewed()->set_category(std::string(category));
  return event;
}

v1::ProductAction Of(std::string_view product, std::string_view category) {
  v1::ProductAction action;
  action.mutable_product()->set_product_id(std::string(product));
  action.mutable_product()->set_category(std::string(category));
  return action;
}

TEST_CASE("interests add up by weight, and halve with the half-life") {
  OperatorHarness harness = SiteHarness({.interest_half_life = days(10)});
  harness.Send(View("2026-01-01", "/", "hats"));
  Event event = AtTime("2026-01-01");
  *event.mutable_product_viewed() = Of("p1", "shoes");
  harness.Send(event);
  *event.mutable_product_added() = Of("p1", "shoes");
  harness.Send(event);
  *event.mutable_product_clicked() = Of("p2", "shoes");
  harness.Send(event);
  *event.mutable_product_removed() = Of("p3", "socks");
  harness.Send(event);
  CHECK(harness.ItemsFeature("anna", "site.interests") == "shoes(8, 1, 1, 1, 0) hats(1, 1, 1, 0, 0)");
  CHECK(harness.ItemsFeature("anna", "site.products") == "p1(6, 1, 0, 0) p2(2, 0, 1, 0)");
  harness.AdvanceTo("2026-01-21");
  CHECK(harness.ItemsFeature("anna", "site.interests") == "shoes(2, 1, 1, 1, 20) hats(0.25, 1, 1, 0, 20)");
  CHECK(harness.Feature("anna", "site.top_category") == "shoes");
  harness.AdvanceTo("2026-02-21");
  CHECK(harness.ItemsFeature("anna", "site.interests") == "shoes(0.2333, 0, 1, 1, 51) hats(0.02916, 0, 1, 0, 51)");
}

TEST_CASE("every kind of activity is counted on its own day, also when it comes late") {
  OperatorHarness harness = SiteHarness();
  Event event = AtTime("2026-01-01 12:00");
  event.mutable_clicked()->set_category("hats");
  harness.Send(event);
  event.mutable_product_list_viewed()->set_category("hats");
  harness.Send(event);
  event.mutable_products_searched()->set_query("red hat");
  harness.Send(event);
  event.mutable_cart_viewed();
  harness.Send(event);
  harness.AdvanceTo("2026-02-15");
  event = AtTime("2026-02-10");
  *event.mutable_product_viewed() = Of("p1", "hats");
  harness.Send(event);
  event = AtTime("2026-02-14");
  *event.mutable_product_added() = Of("p1", "hats");
  harness.Send(event);
  event = AtTime("2026-02-09");
  harness.Send(event);
  *event.mutable_product_added() = Of("p1", "hats");
  harness.Send(event);
  event.mutable_checkout_started();
  harness.Send(event);
  std::string told;
  for (const char* name :
       {"clicks_30d", "clicks", "searches_90d", "product_views_7d", "carts_1d", "carts_7d", "carts", "checkouts",
        "views", "sessions", "last_cart", "last_checkout", "first_visit", "last_visit"}) {
    absl::StrAppend(&told, name, " ", harness.Feature("anna", absl::StrCat("site.", name)), ", ");
  }
  CHECK(told ==
        "clicks_30d 0, clicks 1, searches_90d 1, product_views_7d 1, carts_1d 0, carts_7d 2, carts 2, checkouts 1, "
        "views 0, sessions 4, last_cart 2026-02-14 00:00:00, last_checkout 2026-02-09 00:00:00, "
        "first_visit 2026-01-01 12:00:00, last_visit 2026-02-14 00:00:00, ");
}

TEST_CASE("the path of a page comes from its address where it is not given, and is cut") {
  OperatorHarness harness = SiteHarness();
  auto exit_after = [&](std::string_view url) {
    Event event = AtTime("2026-01-01");
    event.mutable_page_viewed()->set_url(std::string(url));
    harness.Send(event);
    return harness.Feature("anna", "site.exit_page");
  };
  CHECK(exit_after("https://shop.example/shoes/red?from=mail#top") == "/shoes/red");
  CHECK(exit_after("https://shop.example") == "/");
  CHECK(exit_after("/hats#top") == "/hats");
  CHECK(exit_after("") == "none");
  CHECK(exit_after("/" + std::string(46, 'x') + "\xC3\xA9") == "/" + std::string(46, 'x'));
}

TEST_CASE("settings out of range stop the start") {
  auto message = [](const SiteOptions& options) {
    return std::string(std::move(ChainBuilder().Add<Site>(options)).Build("v").status().message());
  };
  CHECK(message({.session_gap = minutes(0)}) == "operator site: session_gap must be above 0");
  CHECK(message({.dwell_max = -minutes(1)}) == "operator site: dwell_max must be above 0");
  CHECK(message({.interest_half_life = hours(23)}) == "operator site: interest_half_life is below a day");
}

// Sends `days_active` days of browsing within a year, several pages each.
void Browse(OperatorHarness& harness, int days_active, int categories, int products, std::mt19937& random) {
  for (int visit = 0; visit < days_active; ++visit) {
    Timestamp time = At("2025-01-01 12:00") + days(visit * 365 / days_active);
    for (int page = 0; page < 6; ++page, time += minutes(1)) {
      const std::string category = absl::StrCat("category", random() % static_cast<unsigned>(categories));
      const std::string product = absl::StrCat("P-", 1000 + random() % static_cast<unsigned>(products));
      Event event = EventFor("anna", time);
      event.mutable_page_viewed()->set_path(absl::StrCat("/", category, "/", product));
      event.mutable_page_viewed()->set_category(category);
      harness.Send(event);
      if (page % 3 == 0) *event.mutable_product_viewed() = Of(product, category), harness.Send(event);
      if (page == 4) event.mutable_clicked()->set_product_id(product), harness.Send(event);
      if (page == 5 && visit % 3 == 0) *event.mutable_product_added() = Of(product, category), harness.Send(event);
    }
  }
}

TEST_CASE("the state of the site is small for a typical customer, and bounded for any") {
  std::mt19937 random(3);
  OperatorHarness once = SiteHarness(), typical = SiteHarness(), heavy = SiteHarness(), extreme = SiteHarness();
  Browse(once, 1, 1, 2, random);
  Browse(typical, 8, 3, 5, random);
  Browse(heavy, 365, 30, 500, random);
  UNSCOPED_INFO("bytes: once " << once.RowBytes("anna") << ", typical " << typical.RowBytes("anna") << ", heavy "
                               << heavy.RowBytes("anna"));
  CHECK(once.RowBytes("anna") < 330);
  CHECK(typical.RowBytes("anna") < 480);
  CHECK(heavy.RowBytes("anna") < 1'200);
  for (int i = 0; i < 5'000; ++i) {
    Event event = EventFor("anna", At("2025-01-01") + hours(7 * i));
    const std::string text = absl::StrCat(i % 40, std::string(1'000, 'x'));
    event.mutable_page_viewed()->set_path(text);
    event.mutable_page_viewed()->set_category(text);
    event.mutable_page_viewed()->set_product_id(text);
    extreme.Send(event);
  }
  CHECK(extreme.RowBytes("anna") < 2'000);
}

}  // namespace
}  // namespace portrait
