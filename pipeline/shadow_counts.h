// What is counted of models in the shadow: what they say beside those in force, and the alerts of both sides.
#pragma once

#include <array>
#include <cstdint>

#include "operators/output.h"
#include "portrait/v1/result.pb.h"

namespace portrait {

class ShadowCounts {
 public:
  static constexpr size_t kBands = v1::ChurnAlert::Band_ARRAYSIZE;

  void Add(const ShadowJudgement& judged) {
    ++judged_[static_cast<size_t>(judged.in_force.band)][static_cast<size_t>(judged.shadow.band)];
    said_no_order_[0] += judged.in_force.no_order;
    said_no_order_[1] += judged.shadow.no_order;
    any_ = true;
  }
  void Add(AlertBy by, v1::ChurnAlert::Phase phase) {
    ++alerts_[static_cast<size_t>(by)][phase == v1::ChurnAlert::WORSENED ? 1 : 0];
    any_ = true;
  }

  bool any() const { return any_; }
  // Judgements in which those in force said one band, and those in the shadow the other.
  uint64_t judged(v1::ChurnAlert::Band in_force, v1::ChurnAlert::Band shadow) const {
    return judged_[static_cast<size_t>(in_force)][static_cast<size_t>(shadow)];
  }
  // The sum of the probabilities of one side.
  double said_no_order(AlertBy by) const { return said_no_order_[static_cast<size_t>(by)]; }
  // Of episodes that open, or worsen.
  uint64_t alerts(AlertBy by, bool worsened) const { return alerts_[static_cast<size_t>(by)][worsened ? 1 : 0]; }

 private:
  std::array<std::array<uint64_t, kBands>, kBands> judged_ = {};
  std::array<double, 2> said_no_order_ = {};
  std::array<std::array<uint64_t, 2>, 2> alerts_ = {};
  bool any_ = false;
};

}  // namespace portrait
