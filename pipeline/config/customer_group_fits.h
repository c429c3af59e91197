// Groups of customers as a file of models holds them (model_file.h): fifths by recency, frequency and monetary value,
// and clusters.
#pragma once

#include <optional>

#include "operators/models/customer_clusters.h"
#include "operators/models/rfm.h"
#include "pipeline/config/parameter_check.h"
#include "portrait/v1/model.pb.h"

namespace portrait {

v1::RfmFit FitOf(const RfmBoundaries& boundaries);
// Of a fit that was checked; nothing: it has no boundaries.
std::optional<RfmBoundaries> BoundariesOf(const v1::RfmFit& fit);

// All boundaries or none; four each, finite, none lower than the one before.
void CheckRfm(const v1::RfmFit& fit, ParameterCheck& check);

v1::CustomerClustersFit FitOf(const CustomerClusters& clusters);
std::optional<CustomerClusters> ClustersOf(const v1::CustomerClustersFit& fit);

// Two clusters or more, or none; numbers that the engine can go by.
void CheckClusters(const v1::CustomerClustersFit& fit, ParameterCheck& check);

}  // namespace portrait
