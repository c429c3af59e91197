// Loyalty points: one for each full unit of currency spent; gold from a threshold on, and back to basic after a year
// without an order.
//
//   ChainBuilder builder;
//   builder.Add<shop::loyalty::Loyalty>(shop::loyalty::LoyaltyOptions{.gold_points = 500});
#pragma once

#include "loyalty.pb.h"
#include "operators/operator.h"

namespace shop::loyalty {

struct LoyaltyOptions {
  int64_t gold_points = 1000;
  portrait::days valid = portrait::days(365);  // after the last order
};

class Loyalty final : public portrait::Operator<LoyaltyState> {
 public:
  explicit Loyalty(LoyaltyOptions options = {}) : options_(options) {}

  static void Describe(portrait::Description& about);
  void OnEvent(const portrait::Event& event, LoyaltyState& state, portrait::Context& context) const override;
  void OnTimer(const portrait::Timer& timer, LoyaltyState& state, portrait::Context& context) const override;

 private:
  void MoveTo(bool gold, LoyaltyState& state, portrait::Context& context) const;

  LoyaltyOptions options_;
};

}  // namespace shop::loyalty
