// What the operators site, email, service and person cost an event.
//
//   build/release/bench/behaviour_bench
//
// Every time includes the step of the chain itself; BM_NoOperator is that alone. The row is that of a customer with a
// year of history, so windows and rankings are full.
#include <benchmark/benchmark.h>

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "operators/email.h"
#include "operators/person.h"
#include "operators/service.h"
#include "operators/site.h"
#include "operators/testing/harness.h"

namespace portrait {
namespace {

class NoResults final : public OutputSink {
 public:
  void Add(size_t, std::string_view, const google::protobuf::Message&) override {}
};

// Sends the events round and round, each `step` after the one before. The first 1000 take a year.
void Run(benchmark::State& state, ChainBuilder builder, std::vector<Event> events, Duration step) {
  auto chain = *std::move(builder).Build("bench");
  RowState row = chain->EmptyRow();
  Calendar calendar;
  NoResults sink;
  Timestamp time = At("2025-01-01");
  size_t next = 0;
  const auto send = [&](Duration pause) {
    time += pause;
    Event& event = events[next];
    next = next + 1 == events.size() ? 0 : next + 1;
    event.set_event_time_us(ToMicros(time));
    chain->OnEvent(event, {"bench", 0, 0}, false, "anna", row, calendar, sink);
  };
  for (int i = 0; i < 1000; ++i) send(hours(9));
  for (auto _ : state) send(step);
}

Event View(int category, int product) {
  Event event = EventFor("anna", At("2025-01-01"));
  auto& page = *event.mutable_page_viewed();
  page.set_path(absl::StrCat("/category-", category, "/product-", product));
  page.set_category(absl::StrCat("category-", category));
  page.set_product_id(absl::StrCat("product-", product));
  return event;
}

std::vector<Event> Views(int categories) {
  std::vector<Event> events;
  for (int i = 0; i < 240; ++i) events.push_back(View(i % categories, i % (3 * categories)));
  return events;
}

std::vector<Event> BareViews() {
  std::vector<Event> events(1, EventFor("anna", At("2025-01-01")));
  events[0].mutable_page_viewed()->set_path("/");
  return events;
}

std::vector<Event> Mails() {
  std::vector<Event> events;
  for (int i = 0; i < 240; ++i) {
    Event event = EventFor("anna", At("2025-01-01"));
    auto& mail = i % 3 == 1 ? *event.mutable_email_opened() : *event.mutable_email_delivered();
    mail.set_mail_id(absl::StrCat("mail-", i - i % 3));
    mail.set_campaign_id(absl::StrCat("campaign-", i / 12));
    mail.set_kind(i % 2 == 0 ? "newsletter" : "offer");
    events.push_back(event);
  }
  return events;
}

std::vector<Event> Contacts() {
  std::vector<Event> events;
  for (int i = 0; i < 240; ++i) {
    Event event = EventFor("anna", At("2025-01-01"));
    auto& contact = i % 3 == 0   ? *event.mutable_complaint_filed()
                    : i % 3 == 1 ? *event.mutable_reply_sent()
                                 : *event.mutable_issue_resolved();
    contact.set_ticket_id(absl::StrCat("T-", i / 3));
    events.push_back(event);
  }
  return events;
}

std::vector<Event> Identifications() {
  std::vector<Event> events;
  for (int i = 0; i < 4; ++i) {
    Event event = EventFor("anna", At("2025-01-01"));
    event.set_source("crm");
    auto& person = *event.mutable_identified();
    person.set_name("Anna Beispiel");
    person.set_email(absl::StrCat("anna", i, "@example.org"));
    person.set_city("Lyon");
    events.push_back(event);
  }
  return events;
}

void BM_NoOperator(benchmark::State& state) { Run(state, ChainBuilder(), Views(8), minutes(3)); }
BENCHMARK(BM_NoOperator);

// Within sessions of one endless day: the path that most events take.
void BM_SiteBareView(benchmark::State& state) {
  Run(state, std::move(ChainBuilder().Add<Site>()), BareViews(), Duration(1000));
}
BENCHMARK(BM_SiteBareView);

void BM_SiteView(benchmark::State& state) {
  Run(state, std::move(ChainBuilder().Add<Site>()), Views(2), Duration(1000));
}
BENCHMARK(BM_SiteView);

// More categories than there is room for: names come and go.
void BM_SiteViewOfManyThings(benchmark::State& state) {
  Run(state, std::move(ChainBuilder().Add<Site>()), Views(40), Duration(1000));
}
BENCHMARK(BM_SiteViewOfManyThings);

// A session of one page each time, with its timer, some 27 of them a day.
void BM_SiteSession(benchmark::State& state) {
  Run(state, std::move(ChainBuilder().Add<Site>()), Views(2), minutes(53));
}
BENCHMARK(BM_SiteSession);

void BM_Email(benchmark::State& state) { Run(state, std::move(ChainBuilder().Add<Email>()), Mails(), hours(5)); }
BENCHMARK(BM_Email);

void BM_Service(benchmark::State& state) { Run(state, std::move(ChainBuilder().Add<Service>()), Contacts(), hours(5)); }
BENCHMARK(BM_Service);

void BM_PersonIdentified(benchmark::State& state) {
  Run(state, std::move(ChainBuilder().Add<Person>()), Identifications(), hours(5));
}
BENCHMARK(BM_PersonIdentified);

// What all four cost the most frequent event.
void BM_ViewThroughAllFour(benchmark::State& state) {
  Run(state, std::move(ChainBuilder().Add<Person>().Add<Site>().Add<Email>().Add<Service>()), Views(2), Duration(1000));
}
BENCHMARK(BM_ViewThroughAllFour);

// The row of a customer with 240 page views, as it is stored and loaded.
void BM_StoreAndLoadSite(benchmark::State& state) {
  OperatorHarness harness(std::move(ChainBuilder().Add<Site>()));
  Timestamp time = At("2025-01-01");
  for (Event& event : Views(40)) {
    event.set_event_time_us(ToMicros(time += hours(9)));
    harness.Send(event);
  }
  std::string bytes;
  RowState row;
  for (auto _ : state) {
    harness.chain().Encode(1, *harness.Row("anna"), bytes);
    benchmark::DoNotOptimize(harness.chain().Decode(bytes, row));
  }
  state.counters["bytes"] = static_cast<double>(bytes.size());
}
BENCHMARK(BM_StoreAndLoadSite);

}  // namespace
}  // namespace portrait

BENCHMARK_MAIN();
