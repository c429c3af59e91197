// The lean work: the least that a profile engine does with an event, the same for every contender of a benchmark.
// Per customer first and last time, views, opens, clicks, orders, spend, and decayed interest by category; one result
// for every 20 views and every purchase. bench/kafka_streams has the same in Java, down to the ids of the results.
#pragma once

#include "lean/lean_state.pb.h"
#include "operators/operator.h"

namespace portrait::bench {

class Lean final : public Operator<LeanState> {
 public:
  static constexpr uint32_t kViewsPerResult = 20;

  static void Describe(Description& about);
  void OnEvent(const Event& event, LeanState& state, Context& context) const override;
  void Fetch(const LeanState& state, Fetcher& fetch) const override;
};

}  // namespace portrait::bench
