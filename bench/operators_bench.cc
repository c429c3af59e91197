// What windows, MBG/NBD and the operators purchases, tags and churn cost an event.
//
//   build/release/bench/operators_bench
//
// "chain" benchmarks include the step of the chain itself; BM_EmptyChain is that alone.
#include <benchmark/benchmark.h>

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "operators/churn.h"
#include "operators/churn_examples.h"
#include "operators/email.h"
#include "operators/learned_churn_model.h"
#include "operators/models/mbg_nbd.h"
#include "operators/person.h"
#include "operators/predictions.h"
#include "operators/purchases.h"
#include "operators/service.h"
#include "operators/site.h"
#include "operators/tags.h"
#include "operators/testing/harness.h"
#include "operators/window.h"
#include "pipeline/config/rule_file.h"

namespace portrait {
namespace {

constexpr int64_t kDay = 86'400'000'000;

void BM_WindowAddNewestDay(benchmark::State& state) {
  std::string window;
  for (auto _ : state) WindowAdd(window, 20'000, 1, 29'330'000);
}
BENCHMARK(BM_WindowAddNewestDay);

void BM_WindowAddNewDay(benchmark::State& state) {
  std::string window;
  int32_t day = 0;
  for (auto _ : state) WindowAdd(window, ++day, 1, 29'330'000);
}
BENCHMARK(BM_WindowAddNewDay);

void BM_WindowSum(benchmark::State& state) {
  std::string window;
  for (int32_t day = 0; day < 1000; ++day) WindowAdd(window, day, 1, 29'330'000);
  for (auto _ : state) benchmark::DoNotOptimize(WindowSum(window, 999, static_cast<int>(state.range(0))));
}
BENCHMARK(BM_WindowSum)->Arg(7)->Arg(90)->Arg(365);

const PurchaseHistory kHistories[] = {{0, 0, 0}, {0, 0, 200}, {2, 90, 120}, {9, 200, 210}, {40, 350, 400}};

void BM_ProbabilityOfOrder(benchmark::State& state) {
  size_t i = 0;
  for (auto _ : state) benchmark::DoNotOptimize(ProbabilityOfOrder(MbgNbdParameters{}, kHistories[i++ % 5], 90));
}
BENCHMARK(BM_ProbabilityOfOrder);

void BM_ExpectedOrders(benchmark::State& state) {
  size_t i = 0;
  for (auto _ : state) benchmark::DoNotOptimize(ExpectedOrders(MbgNbdParameters{}, kHistories[i++ % 5], 90));
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

// One view a minute: what most events are.
void NextViewOfVisit(Event& event, int64_t) {
  event.mutable_page_viewed();
  event.set_event_time_us(event.event_time_us() + kDay / 1440);
}

// Twenty views a day, each a visit of its own.
void NextView(Event& event, int64_t) {
  event.mutable_page_viewed();
  event.set_event_time_us(event.event_time_us() + kDay / 20);
}

void NextProductView(Event& event, int64_t i) {
  event.mutable_product_viewed()->mutable_product()->set_category(absl::StrCat("category ", i % 6));
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

// The operators that the default rules read, before tags by as many rules as the argument says (0: no tags at all): the
// default set again and again, with other thresholds each time, so that few conditions are shared.
void RunTags(benchmark::State& state, void (*next)(Event&, int64_t)) {
  ChainBuilder builder;
  builder.Add<Site>().Add<Email>().Add<Service>().Add<Person>().Add<Purchases>().Add<Churn>();
  const auto wanted = static_cast<size_t>(state.range(0));
  const auto source = [wanted](const FeatureRegistry& features) -> absl::StatusOr<std::vector<rules::Rule>> {
    const auto file = ReadRules("tags.yaml", kDefaultRules, features);
    if (!file.ok()) return file.status();
    std::vector<rules::Rule> out;
    for (int copy = 0; out.size() < wanted; ++copy) {
      for (rules::Rule rule : file->rules) {
        if (out.size() == wanted && rule.group.empty()) break;
        if (copy > 0) {
          absl::StrAppend(&rule.tag, "_", copy);
          if (!rule.group.empty()) absl::StrAppend(&rule.group, "_", copy);
          for (std::string* condition : {&rule.when, &rule.until}) {
            if (!condition->empty())
              *condition = absl::StrCat("(", *condition, ") && purchases.orders != ", 1000 + copy);
          }
        }
        out.push_back(std::move(rule));
      }
    }
    return out;
  };
  if (wanted > 0) builder.Add<Tags>(TagsOptions{.rules = source});
  RunChain(state, std::move(builder), next);
}

void BM_ViewOfVisitTags(benchmark::State& state) { RunTags(state, NextViewOfVisit); }
BENCHMARK(BM_ViewOfVisitTags)->Arg(0)->Arg(19)->Arg(200)->Arg(1000);

void BM_PageViewTags(benchmark::State& state) { RunTags(state, NextView); }
BENCHMARK(BM_PageViewTags)->Arg(0)->Arg(19)->Arg(200)->Arg(1000);

void BM_ProductViewTags(benchmark::State& state) { RunTags(state, NextProductView); }
BENCHMARK(BM_ProductViewTags)->Arg(0)->Arg(19)->Arg(200)->Arg(1000);

void BM_OrderTags(benchmark::State& state) { RunTags(state, NextOrder); }
BENCHMARK(BM_OrderTags)->Arg(0)->Arg(19)->Arg(200)->Arg(1000);

void BM_OrderPurchases(benchmark::State& state) {
  RunChain(state, std::move(ChainBuilder().Add<Purchases>()), NextOrder);
}
BENCHMARK(BM_OrderPurchases);

void BM_OrderPurchasesChurn(benchmark::State& state) {
  RunChain(state, std::move(ChainBuilder().Add<Purchases>().Add<Churn>()), NextOrder);
}
BENCHMARK(BM_OrderPurchasesChurn);

// With predictions that nobody reads: what the chain is to cost beside the one before.
ChainBuilder WithPredictions(const OrderModel& orders) {
  PredictionsOptions options;
  options.models.orders = orders;
  return std::move(ChainBuilder().Add<Purchases>().Add<Predictions>(options).Add<Churn>());
}
const ParetoNbdParameters kPareto{0.5533, 74.04, 0.6062, 81.68};

void BM_OrderPurchasesPredictionsChurn(benchmark::State& state) {
  RunChain(state, WithPredictions(OrderModel()), NextOrder);
}
BENCHMARK(BM_OrderPurchasesPredictionsChurn);

// The whole chain with the default rules, without and with predictions; and with a rule that reads one.
void RunWholeChain(benchmark::State& state, void (*next)(Event&, int64_t)) {
  const bool predicts = state.range(0) > 0;
  ChainBuilder builder;
  builder.Add<Site>().Add<Email>().Add<Service>().Add<Person>().Add<Purchases>();
  PredictionsOptions options;
  if (state.range(0) == 3) options.models.orders = OrderModel(kPareto);
  if (predicts) builder.Add<Predictions>(options);
  builder.Add<Churn>();
  const auto source = [&](const FeatureRegistry& features) -> absl::StatusOr<std::vector<rules::Rule>> {
    auto file = ReadRules("tags.yaml", kDefaultRules, features);
    if (!file.ok()) return file.status();
    if (state.range(0) > 1) {
      rules::Rule& added = file->rules.emplace_back();
      added.tag = "leaving";
      added.when = "predictions.no_order >= 0.8";
    }
    return file->rules;
  };
  builder.Add<Tags>(TagsOptions{.rules = source});
  RunChain(state, std::move(builder), next);
}

void BM_WholeChainView(benchmark::State& state) { RunWholeChain(state, NextView); }
BENCHMARK(BM_WholeChainView)->DenseRange(0, 3);

void BM_WholeChainOrder(benchmark::State& state) { RunWholeChain(state, NextOrder); }
BENCHMARK(BM_WholeChainOrder)->DenseRange(0, 3);

// One feature, as a rule or a view reads it, of a customer who has been silent for the days of the first argument.
void BM_ReadPrediction(benchmark::State& state) {
  auto chain = *WithPredictions(state.range(1) == 0 ? OrderModel() : OrderModel(kPareto)).Build("bench");
  RowState row = chain->EmptyRow();
  const Calendar calendar;
  NoResults sink;
  Event event = EventFor("anna", At("2026-01-01"));
  for (int64_t i = 0; i < 9; ++i) {
    NextOrder(event, i);
    chain->OnEvent(event, {"bench", 0, i}, false, "anna", row, calendar, sink);
  }
  const FeatureReader reader(row, calendar.At(EventTime(event) + days(state.range(0))));
  const FeatureRef feature = *chain->features().Find("predictions.no_order");
  for (auto _ : state) benchmark::DoNotOptimize(reader.Get(feature));
}
BENCHMARK(BM_ReadPrediction)->ArgsProduct({{0, 100}, {0, 1}});

// A learned model of all features that examples hold.
FittedModels Learned() {
  FittedModels models;
  LearnedChurn& learned = models.learned.emplace();
  learned.features = ChurnFeatures::Examples();
  learned.model.mean.assign(learned.features.size(), 1);
  learned.model.spread.assign(learned.features.size(), 1);
  learned.model.weight.assign(learned.features.size(), 0.1);
  return models;
}

// The same with 100 trees of depth 3.
FittedModels LearnedTrees() {
  FittedModels models = Learned();
  const size_t features = models.learned->features.size();
  std::vector<Tree> trees;
  for (uint32_t i = 0; i < 100; ++i) {
    Tree& tree = trees.emplace_back(Tree(15));
    for (uint32_t k = 0; k < tree.size(); ++k) {
      TreeNode& node = tree[k];
      node.value = k < 7 ? 0 : 0.01 * k, node.cover = k < 7 ? 0 : 1;
      if (k >= 7) continue;
      node.left = 2 * k + 1, node.right = 2 * k + 2;
      node.feature = static_cast<uint32_t>((i * 7 + k * 5) % features);
      node.threshold = static_cast<float>((i + k) % 4);
    }
  }
  models.learned->trees = BoostedTrees::Of(trees, features).value();
  return models;
}

// The probability of no order as churn alerts have it: 0 by the population model, 1 by a learned one of 25 features, 2
// with trees, 3 with trees and reasons.
void BM_ChurnScore(benchmark::State& state) {
  const FittedModels models = state.range(0) > 1 ? LearnedTrees() : state.range(0) > 0 ? Learned() : FittedModels();
  auto chain = *std::move(ChainBuilder().Add<Site>().Add<Email>().Add<Service>().Add<Purchases>()).Build("bench");
  RowState row = chain->EmptyRow();
  const Calendar calendar;
  NoResults sink;
  Event event = EventFor("anna", At("2026-01-01"));
  for (int64_t i = 0; i < 40; ++i) {
    (i % 4 == 0 ? NextOrder : NextProductView)(event, i);
    chain->OnEvent(event, {"bench", 0, i}, false, "anna", row, calendar, sink);
  }
  const auto model = MakeChurnModel(models);
  if (!model->Bind(chain->features()).ok()) return state.SkipWithError("features");
  const Timestamp now = EventTime(event) + days(20);
  const FeatureReader reader(row, calendar.At(now));
  const auto features = [&](const FeatureRef& ref) { return reader.Get(ref); };
  for (auto _ : state) {
    if (state.range(0) > 2) {
      benchmark::DoNotOptimize(model->Forecast(features, now, 90));
    } else {
      benchmark::DoNotOptimize(model->Score(features, now, 90));
    }
  }
}
BENCHMARK(BM_ChurnScore)->DenseRange(0, 3);

// Orders through the chain up to churn: 0 by the population models, 1 by a learned one, 2 with examples collected, too.
void BM_OrderLearned(benchmark::State& state) {
  const FittedModels models = state.range(0) > 0 ? Learned() : FittedModels();
  ChainBuilder builder;
  builder.Add<Site>().Add<Email>().Add<Service>().Add<Purchases>();
  builder.Add<Predictions>(PredictionsOptions{.models = models});
  builder.Add<Churn>(ChurnOptions{}, MakeChurnModel(models));
  if (state.range(0) > 1) builder.Add<ChurnExamples>(ChurnExamplesOptions{.every_days = 30}, models);
  RunChain(state, std::move(builder), NextOrder);
}
BENCHMARK(BM_OrderLearned)->DenseRange(0, 2);

}  // namespace
}  // namespace portrait

BENCHMARK_MAIN();
