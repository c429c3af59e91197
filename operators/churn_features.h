// The features that a learned model of churn reads, and that examples to learn from hold, as numbers.
//
//   ChurnFeatures reader(ChurnFeatures::Examples());
//   status = reader.Bind(chain.features());
//   std::vector<double> values(reader.names().size());
//   reader.Read([&](const FeatureRef& f) { return context.Get(f); }, context.now(), population_log_odds, values);
//
// A number is taken as it is, yes and no are 1 and 0, a length of time counts in days, and an instant as the days since
// then. No value is 0. kPopulationLogOdds is no feature of the chain; whoever reads gives it.
#pragma once

#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/types/span.h"
#include "operators/features.h"
#include "operators/models/learned_churn.h"

namespace portrait {

// Constant after Bind; safe from any thread.
class ChurnFeatures {
 public:
  using Features = absl::FunctionRef<Value(const FeatureRef&)>;

  explicit ChurnFeatures(std::vector<std::string> names) : names_(std::move(names)) {}

  // Those that an example holds: recency, frequency, money, trends, site, mail, complaints, the population model.
  static const std::vector<std::string>& Examples();

  // InvalidArgument: a feature is not in this chain, or is no number; it names what there is in its place.
  absl::Status Bind(const FeatureRegistry& features);

  // `out` has one place for each name.
  void Read(Features features, Timestamp now, double population_log_odds, absl::Span<double> out) const;

  const std::vector<std::string>& names() const { return names_; }
  // Null: what the population model says.
  const FeatureRef* feature(size_t i) const { return known_[i] ? &refs_[i] : nullptr; }

 private:
  std::vector<std::string> names_;
  std::vector<FeatureRef> refs_;
  std::vector<bool> known_;  // false: what the population model says
};

}  // namespace portrait
