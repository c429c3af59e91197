#include "pipeline/memory_plan.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace portrait {
namespace {

constexpr size_t kMegabyte = 1'000'000;

// Measured, by differences: one more of each.
constexpr size_t kProcess = 40 * kMegabyte;
constexpr size_t kWorker = 12 * kMegabyte;    // a thread, three Kafka clients, their buffers
constexpr size_t kPartition = 2 * kMegabyte;  // an open database beyond its share of the block cache

// The least that works, so slowly that nobody should want it.
constexpr size_t kLeastRows = 8 * kMegabyte;     // of each worker
constexpr size_t kLeastRocksDb = 8 * kMegabyte;  // and
constexpr size_t kLeastRocksDbPartition = 4 * kMegabyte;
constexpr size_t kLeastQueue = 4 * kMegabyte;  // each of a worker's four

// Shares of what is left beyond the fixed part and the least, in hundredths.
constexpr size_t kRowsShare = 56, kRocksDbShare = 20, kInputsShare = 8, kResultsShare = 4, kFetchedShare = 7,
                 kUnsentShare = 5;
static_assert(kRowsShare + kRocksDbShare + kInputsShare + kResultsShare + kFetchedShare + kUnsentShare == 100);

// Beyond this a queue is of no more use: the rows get the rest.
constexpr size_t kMostQueue = 64 * kMegabyte;
constexpr size_t kMostRestore = 256 * kMegabyte;

}  // namespace

absl::StatusOr<MemoryPlan> PlanMemory(const MemoryDemand& demand) {
  const auto workers = static_cast<size_t>(demand.workers), partitions = static_cast<size_t>(demand.partitions);
  const size_t least_queue = std::max(kLeastQueue, 2 * demand.largest_record);
  MemoryPlan plan;
  plan.fixed = kProcess + workers * kWorker + partitions * kPartition;
  plan.rows = workers * kLeastRows;
  plan.rocksdb = kLeastRocksDb + partitions * kLeastRocksDbPartition;
  const size_t least = plan.fixed + plan.rows + plan.rocksdb + workers * 4 * least_queue;
  if (demand.limit < least) {
    return absl::InvalidArgumentError(
        absl::StrCat("memory.limit is too small for ", workers, workers == 1 ? " worker and " : " workers and ",
                     partitions, partitions == 1 ? " partition: " : " partitions: ", demand.limit / kMegabyte,
                     "MB, at least ", (least + kMegabyte - 1) / kMegabyte, "MB"));
  }
  const size_t rest = demand.limit - least;
  const size_t most_queue = std::max(kMostQueue, least_queue);
  const auto queue = [&](size_t share) { return std::min(most_queue, least_queue + rest / 100 * share / workers); };
  plan.inputs = queue(kInputsShare);
  plan.results = queue(kResultsShare);
  plan.fetched = queue(kFetchedShare);
  plan.unsent = queue(kUnsentShare);
  plan.rocksdb += rest / 100 * kRocksDbShare;
  plan.rows =
      demand.limit - plan.fixed - plan.rocksdb - workers * (plan.inputs + plan.results + plan.fetched + plan.unsent);
  plan.restore = std::min(kMostRestore, plan.rows / workers / 2);
  return plan;
}

void Divide(const MemoryPlan& plan, EngineOptions& options) {
  options.cache_bytes = plan.rows;
  options.input_bytes = plan.inputs;
  options.result_bytes = plan.results;
  options.restore_bytes = plan.restore;
}

}  // namespace portrait
