// The customers of a running service as their rows in the changelog tell, to fit models to.
#pragma once

#include "absl/status/statusor.h"
#include "operators/chain.h"
#include "pipeline/config/config.h"
#include "pipeline/tools/fit_report.h"

namespace portrait {

// As of the latest local day that a partition has come to, in the time zone of the configuration. Tells on standard
// error what is left out. NotFound: the chain lacks a feature that predictions read; also the errors of VisitRows.
absl::StatusOr<CustomersUntil> CustomersOfRows(const Config& config, const Chain& chain);

}  // namespace portrait
