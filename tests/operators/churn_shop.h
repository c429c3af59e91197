// Customers with orders, visits, mails and complaints, made up, for tests of churn by a learned model.
#pragma once

#include <algorithm>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "operators/churn.h"
#include "operators/churn_examples.h"
#include "operators/email.h"
#include "operators/learned_churn_model.h"
#include "operators/predictions.h"
#include "operators/purchases.h"
#include "operators/service.h"
#include "operators/site.h"
#include "operators/testing/harness.h"

namespace portrait {

inline Timestamp ShopDay(double day) { return At("2026-01-01") + Duration(static_cast<int64_t>(day * 86'400e6)); }

inline Event ShopOrder(const std::string& customer, double day, int64_t total = 30) {
  Event event = EventFor(customer, ShopDay(day));
  event.mutable_order_completed()->set_order_id(absl::StrCat(customer, "/", day));
  event.mutable_order_completed()->set_total_micros(total * 1'000'000);
  return event;
}

inline Event ShopView(const std::string& customer, double day) {
  Event event = EventFor(customer, ShopDay(day));
  event.mutable_product_viewed()->mutable_product()->set_product_id("p");
  return event;
}

inline Event ShopComplaint(const std::string& customer, double day, const std::string& ticket) {
  Event event = EventFor(customer, ShopDay(day));
  event.mutable_complaint_filed()->set_ticket_id(ticket);
  return event;
}

inline Event ShopResolution(const std::string& customer, double day, const std::string& ticket) {
  Event event = EventFor(customer, ShopDay(day));
  event.mutable_issue_resolved()->set_ticket_id(ticket);
  return event;
}

// The whole chain but for persons and tags; `every_days` 0: without examples.
inline OperatorHarness ChurnShop(const FittedModels& models, int every_days = 0, const ChurnOptions& churn = {}) {
  ChainBuilder builder;
  builder.Add<Site>().Add<Email>().Add<Service>().Add<Purchases>();
  PredictionsOptions predictions;
  predictions.models = models;
  predictions.horizon_days = churn.horizon_days;
  builder.Add<Predictions>(predictions);
  builder.Add<Churn>(churn, MakeChurnModel(models));
  if (every_days > 0) {
    ChurnExamplesOptions options;
    options.every_days = every_days;
    options.horizon_days = churn.horizon_days;
    options.home_currency = "EUR";
    builder.Add<ChurnExamples>(options, models);
  }
  return OperatorHarness(std::move(builder));
}

// A learned model that reads `weights`, each feature with the mean and spread given, counted as it is counted.
struct LearnedWeight {
  std::string feature;
  double mean, spread, weight;
};
inline FittedModels WithLearned(double intercept, const std::vector<LearnedWeight>& weights) {
  FittedModels models;
  models.name = "shop-7@0123456789abcdef";
  LearnedChurn learned;
  learned.model.intercept = intercept;
  for (const LearnedWeight& one : weights) {
    learned.features.push_back(one.feature);
    learned.model.mean.push_back(one.mean);
    learned.model.spread.push_back(one.spread);
    learned.model.weight.push_back(one.weight);
  }
  models.learned = learned;
  return models;
}

// Trees on these features, beside `population` times what the population model says.
inline FittedModels WithTrees(double population, std::vector<std::string> features, const std::vector<Tree>& trees) {
  std::vector<LearnedWeight> weights;
  for (const std::string& name : features) {
    weights.push_back({name, 0, 1, name == kPopulationLogOdds ? population : 0});
  }
  FittedModels models = WithLearned(0, weights);
  models.learned->trees = BoostedTrees::Of(trees, features.size()).value();
  return models;
}

// The events of some customers over `length` days, in order of time.
inline std::vector<Event> ShopLife(int customers, int length, uint32_t seed) {
  std::mt19937 random(seed);
  std::vector<Event> events;
  const auto uniform = [&](double from, double to) { return std::uniform_real_distribution<>(from, to)(random); };
  for (int i = 0; i < customers; ++i) {
    const std::string id = absl::StrCat("c", i);
    const double pause = uniform(5, 60), leaves = uniform(0, length * 1.5);
    for (double day = uniform(0, 30); day < length && day < leaves; day += uniform(0, 2 * pause)) {
      events.push_back(ShopOrder(id, day, 10 + static_cast<int64_t>(uniform(0, 90))));
    }
    for (double day = uniform(0, 10); day < length && day < leaves; day += uniform(0, 12)) {
      events.push_back(ShopView(id, day));
    }
    if (i % 5 == 0) events.push_back(ShopComplaint(id, uniform(10, length), absl::StrCat("t", i)));
    if (i % 10 == 0) events.push_back(ShopResolution(id, length - 5, absl::StrCat("t", i)));
  }
  std::stable_sort(events.begin(), events.end(),
                   [](const Event& a, const Event& b) { return a.event_time_us() < b.event_time_us(); });
  return events;
}

}  // namespace portrait
