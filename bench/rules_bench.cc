// What a condition costs.
//
//   build/release/bench/rules_bench
//
// Conditions are evaluated on a row with a year of orders, features included. BM_Features is the part of that which the
// features take: compare within one run. BM_Conditions/N evaluates N conditions that differ and share their features,
// as the rules of one file do.
#include <benchmark/benchmark.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "operators/purchases.h"
#include "operators/rules/compiler.h"
#include "operators/rules/judge.h"
#include "operators/rules/program.h"
#include "operators/rules/rule_set.h"
#include "operators/testing/harness.h"

namespace portrait::rules {
namespace {

// A customer with an order every three weeks, and the features of that.
class Customer {
 public:
  Customer() : harness_(std::move(ChainBuilder().Add<Purchases>())) {
    for (int i = 0; i < 17; ++i) {
      Event event = EventFor("anna", At("2026-01-01") + days(21 * i));
      event.mutable_order_completed()->set_order_id(absl::StrCat(i));
      event.mutable_order_completed()->set_total_micros(130'000'000);
      harness_.Send(event);
    }
  }
  const FeatureRegistry& features() const { return harness_.chain().features(); }
  const RowState& row() const { return *harness_.Row("anna"); }
  Moment now() const { return Calendar().At(At("2027-02-20")); }

 private:
  OperatorHarness harness_;
};

void Run(benchmark::State& state, const std::vector<std::string>& conditions) {
  const Customer customer;
  Program program;
  Compiler compiler(customer.features(), program);
  std::vector<int32_t> nodes;
  for (const std::string& condition : conditions) {
    const auto node = compiler.Condition(condition);
    if (!node.ok()) return state.SkipWithError(std::string(node.status().message()).c_str());
    nodes.push_back(*node);
  }
  const FeatureReader reader(customer.row(), customer.now());
  const Moment now = customer.now();
  Scratch& scratch = Scratch::OfThisThread();
  for (auto _ : state) {
    Evaluation evaluation(program, reader, now, scratch);
    int held = 0;
    for (const int32_t node : nodes) held += evaluation.Holds(node);
    benchmark::DoNotOptimize(held);
  }
  state.SetItemsProcessed(state.iterations() * static_cast<int64_t>(nodes.size()));
}

void BM_Constant(benchmark::State& state) { Run(state, {"true"}); }
BENCHMARK(BM_Constant);

void BM_Comparison(benchmark::State& state) { Run(state, {"purchases.orders > 12"}); }
BENCHMARK(BM_Comparison);

void BM_SilentHighValue(benchmark::State& state) {
  Run(state, {"purchases.spend > 2000 && now - purchases.last > days(60)"});
}
BENCHMARK(BM_SilentHighValue);

void BM_SilentHighValueOfAYear(benchmark::State& state) {
  Run(state, {"purchases.spend_365d > 1000 && now - purchases.last > days(60)"});
}
BENCHMARK(BM_SilentHighValueOfAYear);

void BM_Features(benchmark::State& state) {
  const Customer customer;
  const FeatureReader reader(customer.row(), customer.now());
  const FeatureRef spend = *customer.features().Find("purchases.spend_365d");
  const FeatureRef last = *customer.features().Find("purchases.last");
  for (auto _ : state) {
    benchmark::DoNotOptimize(reader.Get(spend));
    benchmark::DoNotOptimize(reader.Get(last));
  }
}
BENCHMARK(BM_Features);

void BM_Conditions(benchmark::State& state) {
  std::vector<std::string> conditions;
  for (int64_t i = 0; i < state.range(0); ++i) {
    conditions.push_back(absl::StrCat("purchases.spend > ", 20 * i, " && now - purchases.last > days(", i % 90,
                                      ") && purchases.orders >= ", i % 20));
  }
  Run(state, conditions);
}
BENCHMARK(BM_Conditions)->Arg(1)->Arg(10)->Arg(200)->Arg(1000);

// What a sweep does with a customer after a switch: all rules are looked at, with the moment at which time alone
// changes one of them. Conditions as in rules_reload.py.
void BM_LookAtAll(benchmark::State& state) {
  const Customer customer;
  std::vector<Rule> rules;
  for (int64_t i = 0; i < state.range(0); ++i) {
    const std::string when[] = {
        absl::StrCat("purchases.spend_365d > ", i + 1, "000 && purchases.orders >= ", i % 5),
        absl::StrCat("purchases.orders_90d > 2", i + 1, " || purchases.spend_365d > ", i + 1, "500"),
        absl::StrCat("now - purchases.last >= days(", 500 + i, ")"),
        absl::StrCat("now - purchases.first > days(", 400 + i, ") && purchases.orders >= ", i % 5)};
    rules.push_back({.tag = absl::StrCat("rule_", i), .when = when[i % 4]});
  }
  const auto set = RuleSet::Compile(rules, customer.features());
  if (!set.ok()) return state.SkipWithError(std::string(set.status().message()).c_str());
  const FeatureReader reader(customer.row(), customer.now());
  const Calendar calendar;
  const Judge::HeldTags none;
  for (auto _ : state) {
    Evaluation evaluation((*set)->program(), reader, customer.now(), Scratch::OfThisThread());
    const auto start_of = [&](int32_t day) { return calendar.StartOf(day); };
    benchmark::DoNotOptimize(Judge(**set, evaluation, none, start_of).Look((*set)->All()));
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(BM_LookAtAll)->Arg(200);

void BM_Compile(benchmark::State& state) {
  const Customer customer;
  for (auto _ : state) {
    Program program;
    benchmark::DoNotOptimize(
        Compiler(customer.features(), program)
            .Condition("purchases.spend_365d > 2000 && now - purchases.last > days(60) || purchases.orders >= 12"));
  }
}
BENCHMARK(BM_Compile);

}  // namespace
}  // namespace portrait::rules

BENCHMARK_MAIN();
