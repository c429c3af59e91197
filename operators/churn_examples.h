// Examples to learn a model of churn from, out of the stream itself: what was known of a customer at a moment, and
// whether an order came within the horizon from then on.
//
//   builder.Add<Purchases>()…Add<ChurnExamples>(ChurnExamplesOptions{.every_days = 30}, models);
//
// A timer takes a snapshot of a customer with at least one purchase day every `every_days`, at instants that a hash of
// the customer's id sets, so that not all fire at once. It holds the features of operators/churn_features.h and the
// probability that the model in force says, and that of one in the shadow. Another timer closes it when the horizon is
// over and writes it with its label: no order since (purchases.last is not after the origin), and the spend since. The
// timers of a row fire before its next event: nothing from after the horizon counts, nothing from after the origin is
// in a feature. What comes late, before a snapshot that has closed, is not in it; a cancelled order is none.
//
// After 365 days of silence no more snapshots are taken until the next order: those customers are past telling. Rows
// that are older than this operator begin with their next order. A snapshot that another release took with other
// features, or under another horizon, is dropped.
//
// Bounds: at most kMostOpen snapshots are open, which `every_days` of a quarter of the horizon or more keeps to (a
// shorter one stops the start). An open one takes some 170 bytes: 25 numbers of four bytes, the model's name.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "operators/churn_features.h"
#include "operators/churn_model.h"
#include "operators/operator.h"
#include "portrait/v1/state/churn_examples.pb.h"

namespace portrait {

struct ChurnExamplesOptions {
  static constexpr int kMostOpen = 4;

  int every_days = 0;  // 0: no examples are collected; the operator is then left out of the chain
  int horizon_days = 90;
  std::string home_currency;
  std::vector<std::string> features = ChurnFeatures::Examples();
};

class ChurnExamples final : public Operator<v1::state::ChurnExamples> {
 public:
  // `shadow`: models in the shadow, if there are any.
  ChurnExamples(ChurnExamplesOptions options, FittedModels models, std::optional<FittedModels> shadow = std::nullopt);

  static void Describe(Description& about);
  absl::Status Bind(const FeatureRegistry& features) override;
  void OnEvent(const Event& event, v1::state::ChurnExamples& state, Context& context) const override;
  void OnTimer(const Timer& timer, v1::state::ChurnExamples& state, Context& context) const override;

 private:
  void TakeSnapshot(v1::state::ChurnExamples& state, Context& context) const;
  void CloseDue(v1::state::ChurnExamples& state, Context& context) const;
  void Write(const v1::state::OpenExample& open, Context& context) const;
  Timestamp NextSnapshot(const Context& context) const;

  ChurnExamplesOptions options_;
  ChurnFeatures reader_;
  uint32_t schema_ = 0;
  std::unique_ptr<ChurnModel> population_, in_force_;
  std::unique_ptr<ChurnModel> shadow_;  // null: none
  FeatureRef last_, occasions_, spend_;
};

}  // namespace portrait
