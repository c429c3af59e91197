// How the memory of a process is divided.
//
// `memory.limit` is all of it. What every process needs comes off first; the rest is shared by what can live with more
// or less. Each share is a bound that its owner keeps, by slowing the intake where it must: nothing grows without one.
//
//   auto plan = PlanMemory({.limit = 1'000'000'000, .workers = 2, .partitions = 8});
//   if (!plan.ok()) ...   // memory.limit is too small for 2 workers and 8 partitions: 50MB, at least 206MB
#pragma once

#include <cstddef>

#include "absl/status/statusor.h"
#include "pipeline/options.h"

namespace portrait {

struct MemoryDemand {
  size_t limit = 0;
  int workers = 1;
  int partitions = 1;  // that this process may come to own: all
  size_t largest_record = 1'000'000;
};

struct MemoryPlan {
  size_t fixed = 0;    // code, threads, clients, open databases, what the allocator keeps back
  size_t rows = 0;     // decoded rows, of all tasks
  size_t rocksdb = 0;  // one block cache, with indexes, filters and write buffers in it
  size_t inputs = 0;   // of each worker: records that wait for their turn
  size_t results = 0;  // of each worker: of the transaction that is open; a full one is committed early
  size_t fetched = 0;  // of each worker: in the consumer's queue
  size_t unsent = 0;   // of each worker: in the producer's queue
  size_t restore = 0;  // of each worker: rows on their way from the changelog into the store, while its cache is empty
};

// InvalidArgument: the limit is too small, and what would do.
absl::StatusOr<MemoryPlan> PlanMemory(const MemoryDemand& demand);

// The engine's shares.
void Divide(const MemoryPlan& plan, EngineOptions& options);

}  // namespace portrait
