// What `portrait rules eval` does: one expression on values given as JSON.
//
//   nlohmann::json value = *Trial(chain.features(), now).Run("purchases.spend > 2000", {{"purchases.spend", 2500}});
//
// An expression that names features only is checked and run as a rule's condition is, with the kinds that the features
// have; windows of events have the values given for them. One that rules leave out, or that names other values, is CEL.
#pragma once

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "nlohmann/json.hpp"
#include "operators/features.h"
#include "operators/rules/expression.h"

namespace portrait {

class Trial {
 public:
  // `now` counts where the values give none. The features must outlive this.
  Trial(const FeatureRegistry& features, absl::Time now) : features_(features), now_(now) {}

  // InvalidArgument: what is wrong with the expression or the values, with its place where it has one.
  absl::StatusOr<nlohmann::json> Run(std::string_view expression, const nlohmann::json& with) const;

  // The answer to one line {"expr": …, "with": {…}}: a line {"value": …} or {"error": …}.
  std::string Answer(std::string_view line) const;

 private:
  absl::StatusOr<nlohmann::json> WithWindows(std::string_view expression, const rules::Expression& tree,
                                             class TrialValues& values) const;

  const FeatureRegistry& features_;
  absl::Time now_;
};

// {"value": …} or {"error": …}, the latter without the lines that show the place.
std::string AnswerLine(const absl::StatusOr<nlohmann::json>& value);

}  // namespace portrait
