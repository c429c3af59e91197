// The features of the operator `predictions` that tell where a customer stands in the population: fifths by recency,
// frequency and monetary value, by the boundaries in force (models/rfm.h), and the cluster of like customers
// (models/customer_clusters.h).
//
//   AddRfmFeatures(about, &options->models);
//
// Functions of the state and of the local day: the fifth of recency falls with silence, and the cluster may change with
// it, on a day that is known beforehand. Without boundaries or centres in force, and for somebody who has not ordered,
// they have no value.
#pragma once

#include "operators/description.h"
#include "operators/models/fitted_models.h"

namespace portrait {

// `models` must live as long as the description.
void AddRfmFeatures(Description& about, const FittedModels* models);

}  // namespace portrait
