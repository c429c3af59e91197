#include "operators/sessions.h"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "operators/site.h"
#include "operators/testing/harness.h"
#include "operators/window.h"

namespace portrait {
namespace {

OperatorHarness SiteHarness() { return OperatorHarness(std::move(ChainBuilder().Add<Site>())); }

Event View(std::string_view time, std::string_view path) {
  Event event = EventFor("anna", At(time));
  event.mutable_page_viewed()->set_path(std::string(path));
  return event;
}

Event Left(std::string_view time, std::string_view path, Duration dwell) {
  Event event = EventFor("anna", At(time));
  event.mutable_page_left()->set_path(std::string(path));
  event.mutable_page_left()->set_dwell_us(dwell.count());
  return event;
}

Event Clicked(std::string_view time) {
  Event event = EventFor("anna", At(time));
  event.mutable_clicked();
  return event;
}

std::string InMinutes(const OperatorHarness& harness, const char* feature) {
  const auto ref = harness.chain().features().Find(feature);
  const RowState* row = harness.Row("anna");
  const Value value = FeatureReader(*row, {row->time, 0}).Get(*ref);
  if (!HasValue(value)) return "none";
  return absl::StrCat(static_cast<double>(std::get<Duration>(value).count()) / 60e6, " min");
}

// The sessions in one line.
std::string Sessions(const OperatorHarness& harness) {
  auto get = [&](const char* name) { return harness.Feature("anna", absl::StrCat("site.", name)); };
  return absl::StrCat(get("sessions"), get("in_session") == "true" ? " sessions, on: " : " sessions, over: ",
                      InMinutes(harness, "site.session_length"), " ", get("entry_page"), " -> ", get("exit_page"), " (",
                      get("path_length"), "); mean ", InMinutes(harness, "site.session_length_mean"), ", ",
                      get("path_length_mean"), " pages, bounced ", get("bounce_share"));
}

TEST_CASE("a session ends by silence, at its time, by timer") {
  OperatorHarness harness = SiteHarness();
  harness.Send(View("2026-01-01 12:00", "/"));
  harness.Send(Clicked("2026-01-01 12:05"));
  harness.Send(View("2026-01-01 12:25", "/shoes"));
  CHECK(Sessions(harness) == "1 sessions, on: 25 min / -> /shoes (2); mean none, none pages, bounced none");
  harness.AdvanceTo("2026-01-01 12:54:59");
  CHECK(harness.Feature("anna", "site.in_session") == "true");
  harness.AdvanceTo("2026-01-01 12:55");
  CHECK(Sessions(harness) == "1 sessions, over: 25 min / -> /shoes (2); mean 25 min, 2 pages, bounced 0");
  CHECK(harness.Row("anna")->timers.empty());
}

TEST_CASE("activity after the gap begins another session") {
  OperatorHarness harness = SiteHarness();
  harness.Send(View("2026-01-01 12:00", "/"));
  harness.Send(View("2026-01-01 12:10", "/shoes"));
  harness.Send(View("2026-01-01 12:40", "/hats"));
  CHECK(Sessions(harness) == "2 sessions, on: 0 min /hats -> /hats (1); mean 10 min, 2 pages, bounced 0");
  harness.AdvanceTo("2026-01-02");
  CHECK(Sessions(harness) == "2 sessions, over: 0 min /hats -> /hats (1); mean 5 min, 1.5 pages, bounced 0.5");
  CHECK(harness.Feature("anna", "site.last_visit") == "2026-01-01 12:40:00");
  CHECK(harness.Feature("anna", "site.sessions_1d") == "0");
  CHECK(harness.Feature("anna", "site.sessions_7d") == "2");
}

TEST_CASE("views out of order put entry and exit right") {
  OperatorHarness harness = SiteHarness();
  harness.Send(View("2026-01-01 12:10", "/b"));
  harness.Send(View("2026-01-01 12:00", "/a"));
  harness.Send(View("2026-01-01 12:20", "/d"));
  harness.Send(View("2026-01-01 12:15", "/c"));
  CHECK(Sessions(harness) == "1 sessions, on: 20 min /a -> /d (4); mean none, none pages, bounced none");
}

TEST_CASE("a late event extends a session that is over, and opens it again while its silence has not lasted") {
  OperatorHarness harness = SiteHarness();
  harness.Send(View("2026-01-01 12:00", "/a"));
  harness.AdvanceTo("2026-01-01 12:35");
  CHECK(Sessions(harness) == "1 sessions, over: 0 min /a -> /a (1); mean 0 min, 1 pages, bounced 1");
  harness.Send(View("2026-01-01 12:20", "/b"));
  CHECK(Sessions(harness) == "1 sessions, on: 20 min /a -> /b (2); mean none, none pages, bounced none");
  harness.AdvanceTo("2026-01-01 18:00");
  harness.Send(View("2026-01-01 12:40", "/c"));
  harness.AdvanceTo("2026-01-01 18:00");
  CHECK(Sessions(harness) == "1 sessions, over: 40 min /a -> /c (3); mean 40 min, 3 pages, bounced 0");
}

TEST_CASE("an event between two sessions joins them") {
  OperatorHarness harness = SiteHarness();
  harness.Send(View("2026-01-01 12:00", "/a"));
  harness.Send(View("2026-01-01 12:40", "/c"));
  harness.Send(View("2026-01-01 12:20", "/b"));
  CHECK(harness.Feature("anna", "site.sessions") == "1");
  CHECK(InMinutes(harness, "site.session_length") == "40 min");
  CHECK(harness.Feature("anna", "site.path_length") == "3");
  harness.AdvanceTo("2026-01-02");
  CHECK(harness.Feature("anna", "site.path_length_mean") == "3");
}

TEST_CASE("old sessions that come late are counted on their own days and leave the latest one alone") {
  OperatorHarness harness = SiteHarness();
  harness.Send(View("2026-01-20 12:00", "/now"));
  for (const char* time : {"2026-01-10 12:10", "2026-01-10 12:00", "2026-01-10 12:35", "2026-01-12 08:00"}) {
    harness.Send(View(time, "/then"));
  }
  harness.AdvanceTo("2026-01-20 20:00");
  CHECK(Sessions(harness) == "3 sessions, over: 0 min /now -> /now (1); mean 11.6667 min, 1.667 pages, bounced 0.6667");
  CHECK(harness.Feature("anna", "site.sessions_7d") == "1");
  CHECK(harness.Feature("anna", "site.sessions_30d") == "3");
}

TEST_CASE("dwell time is what page_left says, else the time to the next view, and never above the cap") {
  OperatorHarness harness = SiteHarness();
  harness.Send(View("2026-01-01 12:00", "/a"));
  harness.Send(View("2026-01-01 12:01", "/b"));  // a: 1 min
  CHECK(InMinutes(harness, "site.dwell") == "1 min");
  harness.Send(Left("2026-01-01 12:06", "/b", minutes(3)));  // b: 3 min, as it says
  harness.Send(View("2026-01-01 12:07", "/c"));
  CHECK(InMinutes(harness, "site.dwell") == "4 min");
  harness.Send(Left("2026-01-01 12:08", "/a", minutes(3)));  // of another page
  CHECK(InMinutes(harness, "site.dwell") == "4 min");
  harness.Send(View("2026-01-01 12:32", "/d"));  // c: 25 min, counted as 10
  CHECK(InMinutes(harness, "site.dwell") == "14 min");
  harness.Send(Left("2026-01-01 14:00", "/d", Duration(0)));  // d: since its view, counted as 10; begins no session
  CHECK(InMinutes(harness, "site.dwell") == "24 min");
  CHECK(InMinutes(harness, "site.dwell_mean") == "6 min");
  CHECK(harness.Feature("anna", "site.sessions") == "1");
  harness.Send(View("2026-01-02 12:00", "/e"));
  harness.Send(View("2026-01-03 12:00", "/f"));  // e was the last of its session: unknown
  CHECK(InMinutes(harness, "site.dwell") == "24 min");
}

// ---- Against a simple model: the sessions of events that come out of order are those of the ordered events.

struct Model {
  int64_t sessions = 0;
  int64_t length_us = 0;  // of all sessions
  std::map<int64_t, int64_t> by_day;
};

Model SessionsOf(std::vector<int64_t> times_us, int64_t gap_us) {
  Model model;
  std::sort(times_us.begin(), times_us.end());
  for (size_t i = 0; i < times_us.size(); ++i) {
    if (i > 0 && times_us[i] - times_us[i - 1] < gap_us) {
      model.length_us += times_us[i] - times_us[i - 1];
      continue;
    }
    ++model.sessions;
    ++model.by_day[times_us[i] / 86'400'000'000];
  }
  return model;
}

TEST_CASE("events out of order by less than the gap make the same sessions as ordered ones") {
  const auto seed = static_cast<unsigned>(GENERATE(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12));
  INFO("seed " << seed);
  std::mt19937 random(seed);
  const int64_t gap_us = Duration(minutes(30)).count();
  struct Sent {
    int64_t time_us, arrival_us;
  };
  std::vector<Sent> sent;
  std::vector<int64_t> times_us;
  int64_t us = ToMicros(At("2026-01-01"));
  for (int i = 0; i < 400; ++i) {
    us += static_cast<int64_t>(random() % (random() % 4 == 0 ? 2 * gap_us : gap_us / 3));
    sent.push_back({us, us + static_cast<int64_t>(random() % gap_us)});
    times_us.push_back(us);
  }
  std::stable_sort(sent.begin(), sent.end(), [](const Sent& a, const Sent& b) { return a.arrival_us < b.arrival_us; });
  OperatorHarness harness = SiteHarness();
  for (const Sent& event : sent) {
    Event view = EventFor("anna", FromMicros(event.time_us));
    view.mutable_page_viewed()->set_path("/");
    harness.AdvanceTo(FromMicros(event.arrival_us - gap_us));
    harness.Send(view);
  }
  harness.AdvanceTo(FromMicros(us + 100 * gap_us));
  const Model model = SessionsOf(times_us, gap_us);
  const auto& state = harness.Row("anna")->states.As<v1::state::Site>(1).sessions();
  CHECK(LifetimeSum(state.visits()) == model.sessions);
  CHECK(state.length_us() == model.length_us);
  CHECK(state.pages() == 400);
  const int32_t today = static_cast<int32_t>(us / 86'400'000'000);
  for (const int window : {1, 2, 3, 4, 5, 6, 7, 8}) {
    int64_t expected = 0;
    for (const auto& [day, sessions] : model.by_day) expected += day > today - window ? sessions : 0;
    INFO("window of " << window);
    CHECK(WindowSum(state.visits(), today, window) == expected);
  }
}

}  // namespace
}  // namespace portrait
