// Values given as JSON, as an expression sees them: features with the kinds that they have, everything else with the
// kind that follows from the JSON.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "nlohmann/json.hpp"
#include "operators/features.h"
#include "operators/rules/interpreter.h"

namespace portrait {

// The arguments must outlive it. For one thread.
class TrialValues final : public rules::Names {
 public:
  // `with` is an object; names are nested in it or written with their dots.
  TrialValues(const FeatureRegistry& features, const nlohmann::json& with, absl::Time now);

  // Reads the features and `now` among these names. InvalidArgument: a value is not of the feature's kind.
  absl::Status Prepare(const std::set<std::string>& names);

  // Reads the value given for a window of events, under the window's own name; false: there is none.
  absl::StatusOr<bool> PrepareWindow(const FeatureDescription& window);

  // Whether all names that were prepared are features or `now`, and there is a feature among them.
  bool only_features() const { return only_features_; }
  Moment moment() const;

  // As an interpreter asks.
  std::optional<rules::Any> Find(std::string_view name) const override;
  std::string Unknown(std::string_view name) const override;

  // As a compiled condition asks. Texts are valid as long as this.
  Value Get(const FeatureRef& feature) const;
  Items GetItems(const FeatureRef& feature) const;

 private:
  const nlohmann::json* At(std::string_view name) const;

  const FeatureRegistry& features_;
  const nlohmann::json& with_;
  absl::Time now_;
  bool only_features_ = false;
  std::map<std::string, rules::Any, std::less<>> prepared_;
  mutable std::map<std::string, rules::Any, std::less<>> others_;  // what was read already
};

// Times and lengths of time as texts, bytes in Base64, types by their names; what is no number in JSON as "NaN",
// "Infinity" or "-Infinity".
nlohmann::json JsonOfAny(const rules::Any& value);

}  // namespace portrait
