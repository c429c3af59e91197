// Among the results of a commit, those that people follow: tag changes and churn alerts.
#pragma once

#include <string_view>

#include "pipeline/result_listener.h"
#include "portrait/v1/result.pb.h"

namespace portrait::view {

// visit(alert, customer, bytes), in order; the bytes are a v1.ChurnAlert or else a v1.TagChange, and like the customer
// valid during the call only.
template <class Visit>
void ForFindings(const CommittedResults& results, Visit visit) {
  for (size_t i = 0; i < results.results->size(); ++i) {
    const Emitter::Output output = (*results.results)[i];
    const auto* type = (*results.types)[output.output];
    const bool alert = type == v1::ChurnAlert::descriptor();
    if (alert || type == v1::TagChange::descriptor()) visit(alert, output.key, output.payload);
  }
}

}  // namespace portrait::view
