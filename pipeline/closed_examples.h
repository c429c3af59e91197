// Counts, from the examples of churn as they close and are committed, how well the model in force then had said it, and
// the one in the shadow, if there was one: the metrics by which its drift is watched. See docs/predictions.md.
//
//   ClosedExamples closed(metrics);     // a ResultListener of the engine
#pragma once

#include <map>
#include <mutex>
#include <string>

#include "pipeline/metrics.h"
#include "pipeline/result_listener.h"

namespace portrait {

// Safe from any thread.
class ClosedExamples final : public ResultListener {
 public:
  // The metrics must outlive it.
  explicit ClosedExamples(Metrics& metrics) : metrics_(metrics) {}

  void OnCommitted(const CommittedResults& results) override;
  void OnGap() override {}

 private:
  void Count(const std::string& model, double said, double came);  // under the mutex

  Metrics& metrics_;
  std::mutex mutex_;
  std::map<std::string, Metrics::OfModel> models_;  // by name; guarded by mutex_
};

}  // namespace portrait
