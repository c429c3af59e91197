#include "operators/models/order_model.h"

namespace portrait {

absl::Status OrderModel::Validate() const {
  return std::visit([](const auto& parameters) { return portrait::Validate(parameters); }, parameters_);
}

std::string_view OrderModel::form() const {
  return std::holds_alternative<MbgNbdParameters>(parameters_) ? "mbg_nbd" : "pareto_nbd";
}

double OrderModel::ProbabilityAlive(const PurchaseHistory& history) const {
  return std::visit([&](const auto& p) { return portrait::ProbabilityAlive(p, history); }, parameters_);
}

double OrderModel::ProbabilityOfOrder(const PurchaseHistory& history, double horizon_days) const {
  return std::visit([&](const auto& p) { return portrait::ProbabilityOfOrder(p, history, horizon_days); }, parameters_);
}

double OrderModel::ExpectedOrders(const PurchaseHistory& history, double horizon_days) const {
  return std::visit([&](const auto& p) { return portrait::ExpectedOrders(p, history, horizon_days); }, parameters_);
}

}  // namespace portrait
