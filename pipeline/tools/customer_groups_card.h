// Groups of customers of a file of models for people: boundaries of fifths, and who is in which cluster, in words.
#pragma once

#include <string>

#include "portrait/v1/model.pb.h"

namespace portrait {

// A line each for recency, frequency and monetary value; or why there are none; ends with a line break.
std::string RfmText(const v1::RfmFit& fit);

// A line for each cluster; or why there are none; ends with a line break.
std::string ClustersText(const v1::CustomerClustersFit& fit);

}  // namespace portrait
