#include "pipeline/closed_examples.h"

#include "portrait/v1/result.pb.h"

namespace portrait {

void ClosedExamples::OnCommitted(const CommittedResults& results) {
  for (size_t i = 0; i < results.results->size(); ++i) {
    const Emitter::Output result = (*results.results)[i];
    if ((*results.types)[result.output] != v1::ChurnExample::descriptor()) continue;
    v1::ChurnExample example;
    if (!example.ParseFromArray(result.payload.data(), static_cast<int>(result.payload.size()))) continue;  // not ours
    const std::lock_guard lock(mutex_);
    const double came = example.no_order() ? 1 : 0;
    Count(example.model(), example.probability(), came);
    if (!example.shadow_model().empty()) Count(example.shadow_model(), example.shadow_probability(), came);
  }
}

void ClosedExamples::Count(const std::string& model, double said, double came) {
  auto found = models_.find(model);
  if (found == models_.end()) found = models_.emplace(model, metrics_.OfModelNamed(model)).first;
  found->second.examples.Increment();
  found->second.no_order.Increment(came);
  found->second.said_no_order.Increment(said);
  found->second.squared_error.Increment((said - came) * (said - came));
}

}  // namespace portrait
