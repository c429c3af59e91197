// Checks the numbers of a file of models; keeps the first thing that is wrong.
//
//   ParameterCheck check;
//   check.Parameter("gamma_gamma.p", file.gamma_gamma().p());
//   return check.status();   // InvalidArgument: gamma_gamma.p: must be a number from 1e-09 to 1e+12: -1
#pragma once

#include <cmath>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace portrait {

class ParameterCheck {
 public:
  static constexpr double kLeast = 1e-9, kMost = 1e12;

  void Number(std::string_view name, double value, double least, double most) {
    if (std::isfinite(value) && value >= least && value <= most) return;
    Fail(absl::StrCat(std::string(name), ": must be a number from ", least, " to ", most, ": ", value));
  }
  void Parameter(std::string_view name, double value) { Number(name, value, kLeast, kMost); }
  void Fail(const std::string& what) {
    if (status_.ok()) status_ = absl::InvalidArgumentError(what);
  }
  const absl::Status& status() const { return status_; }

 private:
  absl::Status status_;
};

}  // namespace portrait
