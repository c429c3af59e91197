// Closed examples as models of churn are learned from them: numbers, labels, and parts by customer.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "operators/models/linear_model.h"
#include "portrait/v1/result.pb.h"

namespace portrait {

inline constexpr size_t kLeastChurnExamples = 200;

struct ChurnTable {
  // Customers fall into these by a hash, so that a model can be asked about customers that it has not seen.
  static constexpr size_t kParts = 5;

  int horizon_days = 0;
  std::vector<std::string> features;
  size_t population = 0;      // the place of kPopulationLogOdds; beyond the last: it is not there
  Examples examples;          // counted values; the offset is what the population model says
  std::vector<size_t> parts;  // of each example

  // Of examples that are all of the same features and horizon, one at least.
  static ChurnTable Of(const std::vector<const v1::ChurnExample*>& examples);

  // All parts but one.
  ChurnTable Without(size_t part) const;
};

// Nothing where a model can be learned from these, of which at least `least` are needed; else why not.
std::string TooLittle(const Examples& examples, size_t least = kLeastChurnExamples);

// How many did not order.
size_t WithoutOrder(const Examples& examples);

// An example's values as they count.
std::vector<double> CountedRow(const v1::ChurnExample& example);

}  // namespace portrait
