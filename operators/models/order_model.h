// The model of orders in force: one of the forms that a population is fitted with.
//
//   OrderModel orders(FitMbgNbd(histories)->parameters);
//   double silent = 1 - orders.ProbabilityOfOrder({.repeats = 2, .last_days = 90, .age_days = 120}, 90);
//
// Times in days. Constant; pure. Silence only lowers the probability of an order and the expected orders.
#pragma once

#include <string_view>
#include <variant>

#include "absl/status/status.h"
#include "operators/models/mbg_nbd.h"
#include "operators/models/pareto_nbd.h"
#include "operators/models/purchase_history.h"

namespace portrait {

class OrderModel {
 public:
  using Parameters = std::variant<MbgNbdParameters, ParetoNbdParameters>;

  OrderModel() = default;  // MBG/NBD as fitted to CDNOW
  explicit OrderModel(const MbgNbdParameters& parameters) : parameters_(parameters) {}
  explicit OrderModel(const ParetoNbdParameters& parameters) : parameters_(parameters) {}

  absl::Status Validate() const;
  std::string_view form() const;  // mbg_nbd, pareto_nbd
  const Parameters& parameters() const { return parameters_; }

  // That the customer has not left for good by now.
  double ProbabilityAlive(const PurchaseHistory& history) const;
  // That at least one order comes within the horizon.
  double ProbabilityOfOrder(const PurchaseHistory& history, double horizon_days) const;
  // How many purchase days to expect within the horizon.
  double ExpectedOrders(const PurchaseHistory& history, double horizon_days) const;

 private:
  Parameters parameters_;
};

}  // namespace portrait
