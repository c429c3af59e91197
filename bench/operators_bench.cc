// What windows, MBG/NBD and the operators purchases, tags and churn cost an event.
//
//   build/release/bench/operators_bench
//
// "chain" benchmarks include the step of the chain itself; BM_EmptyChain is that alone.
#include <benchmark/benchmark.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "operators/churn.h"
#include "operators/mbg_nbd.h"
#include "operators/purchases.h"
#include "operators/tags.h"
#include "operators/testing/harness.h"
#include "operators/window.h"

namespace portrait {
namespace {

constexpr int64_t kDay = 86'400'000'000;

void BM_WindowAddNewestDay(benchmark::State& state) {
  v1::state::Window window;
  for (auto _ : state) WindowAdd(window, 20'000, 1, 29'330'000);
}
BENCHMARK(BM_WindowAddNewestDay);

void BM_WindowAddNewDay(benchmark::State& state) {
  v1::state::Window window;
  int32_t day = 0;
  for (auto _ : state) WindowAdd(window, ++day, 1, 29'330'000);
}
BENCHMARK(BM_WindowAddNewDay);

void BM_WindowSum(benchmark::State& state) {
  v1::state::Window window;
  for (int32_t day = 0; day < 1000; ++day) WindowAdd(window, day, 1, 29'330'000);
  for (auto _ : state) benchmark::DoNotOptimize(WindowSum(window, 999, static_cast<int>(state.range(0))));
}
BENCHMARK(BM_WindowSum)->Arg(7)->Arg(90)->Arg(365);

const PurchaseHistory kHistories[] = {{0, 0, 0}, {0, 0, 200}, {2, 90, 120}, {9, 200, 210}, {40, 350, 400}};

void BM_ProbabilityOfOrder(benchmark::State& state) {
  size_t i = 0;
  for (auto _ : state) benchmark::DoNotOptimize(ProbabilityOfOrder({}, kHistories[i++ % 5], 90));
}
BENCHMARK(BM_ProbabilityOfOrder);

void BM_ExpectedOrders(benchmark::State& state) {
  size_t i = 0;
  for (auto _ : state) benchmark::DoNotOptimize(ExpectedOrders({}, kHistories[i++ % 5], 90));
}
BENCHMARK(BM_ExpectedOrders);

class NoResults final : public OutputSink {
 public:
  void Add(size_t, std::string_view, const google::protobuf::Message&) override {}
};

// Applies events that `make` changes from one to the next.
template <class Make>
void RunChain(benchmark::State& state, ChainBuilder builder, Make make) {
  auto chain = *std::move(builder).Build("bench");
  RowState row = chain->EmptyRow();
  Calendar calendar;
  NoResults sink;
  Event event = EventFor("anna", At("2026-01-01"));
  for (int i = 0; i < 5; ++i) {  // a customer with a past
    event.mutable_order_completed()->set_order_id(absl::StrCat("past", i));
    event.mutable_order_completed()->set_total_micros(40'000'000);
    chain->OnEvent(event, {"bench", 0, 0}, false, "anna", row, calendar, sink);
    event.set_event_time_us(event.event_time_us() + 20 * kDay);
  }
  int64_t i = 0;
  for (auto _ : state) {
    make(event, ++i);
    chain->OnEvent(event, {"bench", 0, i}, false, "anna", row, calendar, sink);
  }
}

// Twenty views a day.
void NextView(Event& event, int64_t) {
  event.mutable_page_viewed();
  event.set_event_time_us(event.event_time_us() + kDay / 20);
}

void NextOrder(Event& event, int64_t i) {
  auto& order = *event.mutable_order_completed();
  order.set_order_id(absl::StrCat(i));
  order.set_total_micros(29'330'000);
  event.set_event_time_us(event.event_time_us() + 20 * kDay);
}

void BM_EmptyChain(benchmark::State& state) { RunChain(state, ChainBuilder(), NextView); }
BENCHMARK(BM_EmptyChain);

void BM_PageViewTags(benchmark::State& state) {
  RunChain(state, std::move(ChainBuilder().Add<Purchases>().Add<Tags>()), NextView);
}
BENCHMARK(BM_PageViewTags);

void BM_PageViewTagsChurn(benchmark::State& state) {
  RunChain(state, std::move(ChainBuilder().Add<Purchases>().Add<Tags>().Add<Churn>()), NextView);
}
BENCHMARK(BM_PageViewTagsChurn);

void BM_OrderPurchases(benchmark::State& state) {
  RunChain(state, std::move(ChainBuilder().Add<Purchases>()), NextOrder);
}
BENCHMARK(BM_OrderPurchases);

void BM_OrderPurchasesTagsChurn(benchmark::State& state) {
  RunChain(state, std::move(ChainBuilder().Add<Purchases>().Add<Tags>().Add<Churn>()), NextOrder);
}
BENCHMARK(BM_OrderPurchasesTagsChurn);

}  // namespace
}  // namespace portrait

BENCHMARK_MAIN();
