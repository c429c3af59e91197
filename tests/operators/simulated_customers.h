// Customers of a population model, made up, and how a model's predictions compare with what they do.
#pragma once

#include <catch2/catch_test_macros.hpp>
#include <cmath>
#include <map>
#include <random>
#include <utility>

#include "operators/models/bg_nbd.h"
#include "operators/models/mbg_nbd.h"
#include "operators/models/pareto_nbd.h"

namespace portrait {

using Random = std::mt19937_64;

// Orders after the first one, until the customer leaves: one that leaves after orders (BG/NBD, MBG/NBD) …
class LeavesAfterOrders {
 public:
  LeavesAfterOrders(double r, double alpha, double a, double b, bool after_first, Random& random)
      : pause_(std::gamma_distribution<>(r, 1 / alpha)(random)), may_leave_(after_first), random_(random) {
    const double g = std::gamma_distribution<>(a, 1)(random), h = std::gamma_distribution<>(b, 1)(random);
    leave_ = g / (g + h);
  }
  // The next order, later than all before; infinity when there is none.
  double Next() {
    if (may_leave_ && chance_(random_) < leave_) time_ = INFINITY;
    may_leave_ = true;
    return time_ += pause_(random_);
  }

 private:
  std::exponential_distribution<> pause_;
  std::uniform_real_distribution<> chance_;
  bool may_leave_;
  double leave_ = 0, time_ = 0;
  Random& random_;
};

// … and one that leaves at any moment (Pareto/NBD).
class LeavesAtAnyTime {
 public:
  LeavesAtAnyTime(const ParetoNbdParameters& p, Random& random)
      : pause_(std::gamma_distribution<>(p.r, 1 / p.alpha_days)(random)), random_(random) {
    leaves_ = std::exponential_distribution<>(std::gamma_distribution<>(p.s, 1 / p.beta_days)(random))(random);
  }
  double Next() {
    time_ += pause_(random_);
    return time_ < leaves_ ? time_ : INFINITY;
  }

 private:
  std::exponential_distribution<> pause_;
  double leaves_ = 0, time_ = 0;
  Random& random_;
};

inline LeavesAfterOrders MakeCustomer(const MbgNbdParameters& p, Random& random) {
  return {p.r, p.alpha_days, p.a, p.b, true, random};
}
inline LeavesAfterOrders MakeCustomer(const BgNbdParameters& p, Random& random) {
  return {p.r, p.alpha_days, p.a, p.b, false, random};
}
inline LeavesAtAnyTime MakeCustomer(const ParetoNbdParameters& p, Random& random) { return {p, random}; }

struct SimulatedLife {
  PurchaseHistory history;
  int future = 0;  // orders within the horizon
};

template <class Parameters>
SimulatedLife Live(const Parameters& parameters, double seen_days, double horizon, Random& random) {
  auto customer = MakeCustomer(parameters, random);
  SimulatedLife life{{0, 0, seen_days}};
  for (double time = customer.Next(); time <= seen_days + horizon; time = customer.Next()) {
    if (time <= seen_days) {
      life.history.repeats += 1, life.history.last_days = time;
    } else {
      ++life.future;
    }
  }
  return life;
}

// Compares in groups by repeats, and whether the latter half of the time was silent.
template <class Parameters>
void CheckAgainstSimulation(const Parameters& parameters, Random& random) {
  struct Group {
    double customers = 0, predicted_orderers = 0, orderers = 0, predicted_orders = 0, orders = 0, orders_squared = 0;
  };
  constexpr double kSeen = 200, kHorizon = 90;
  std::map<int, Group> groups;
  for (int i = 0; i < 100'000; ++i) {
    const SimulatedLife life = Live(parameters, kSeen, kHorizon, random);
    const int silence = life.history.last_days > kSeen / 2 ? 0 : 1;
    Group& group = groups[std::min(3, static_cast<int>(life.history.repeats)) * 2 + silence];
    group.customers += 1;
    group.predicted_orderers += ProbabilityOfOrder(parameters, life.history, kHorizon);
    group.orderers += life.future > 0;
    group.predicted_orders += ExpectedOrders(parameters, life.history, kHorizon);
    group.orders += life.future;
    group.orders_squared += life.future * life.future;
  }
  for (const auto& [key, group] : groups) {
    const double n = group.customers, p = group.orderers / n, mean = group.orders / n;
    const double error = std::sqrt(std::max(1e-4, p * (1 - p)) / n);
    const double count_error = std::sqrt((group.orders_squared / n - mean * mean + 1e-4) / n);
    INFO("repeats " << key / 2 << (key % 2 ? ", silent, " : ", ") << n << " customers");
    CHECK(std::abs(group.predicted_orderers / n - p) < 5 * error);
    CHECK(std::abs(group.predicted_orders / n - mean) < 5 * count_error);
  }
}

}  // namespace portrait
