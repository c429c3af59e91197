// The port to whoever wants to hear of results as they are committed.
#pragma once

#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include "google/protobuf/descriptor.h"
#include "pipeline/emitter.h"

namespace portrait {

struct CommittedResults {
  int32_t partition = 0;
  const Emitter::Batch* results = nullptr;                             // in order
  const std::vector<const google::protobuf::Descriptor*>* types = {};  // by Emitter::Output::output
  int64_t emission_us = 0;                                             // as in the log
};

// Called on the threads of workers, which wait for it: it must be quick. What is told is committed, each result once
// and those of one customer in their order. It is not all: a transaction whose outcome was learned from the journal is
// not told, see OnGap.
class ResultListener {
 public:
  virtual ~ResultListener() = default;
  virtual void OnCommitted(const CommittedResults& results) = 0;
  // Results may have been committed that were not told: a worker began anew.
  virtual void OnGap() = 0;
};

// Tells several, in their order.
class ResultListeners final : public ResultListener {
 public:
  // They must outlive it.
  explicit ResultListeners(std::vector<ResultListener*> listeners) : listeners_(std::move(listeners)) {}
  void OnCommitted(const CommittedResults& results) override {
    for (ResultListener* listener : listeners_) listener->OnCommitted(results);
  }
  void OnGap() override {
    for (ResultListener* listener : listeners_) listener->OnGap();
  }

 private:
  const std::vector<ResultListener*> listeners_;
};

}  // namespace portrait
