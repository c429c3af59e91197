// What a restore from the changelog and a start on local state cost, without a broker.
//
//   build/release/bench/recovery_bench
//
// items_per_second counts changelog records, by the process's CPU time (RocksDB's background work included).
#include <benchmark/benchmark.h>

#include <filesystem>
#include <random>
#include <string>
#include <vector>

#include "pipeline/changelog_batch.h"
#include "pipeline/row_set.h"
#include "state/rocksdb_row_store.h"
#include "state/timer_index.h"

namespace portrait::bench {
namespace {

constexpr size_t kBatchBytes = 200 << 20;  // about what the default memory.limit gives

struct ChangelogRecord {
  std::string key, value;
};

// `records` images of `customers` rows of about `row_bytes`, in an order like that of a compacted log.
std::vector<ChangelogRecord> MakeChangelog(size_t records, size_t customers, size_t row_bytes) {
  std::mt19937_64 random(7);
  std::vector<ChangelogRecord> out;
  out.reserve(records);
  for (size_t i = 0; i < records; ++i) {
    // Each customer once, in no order of the keys; then again.
    const size_t customer = i % customers * 7'919 % customers;
    v1::Row row;
    row.set_number(i + 1);
    row.set_next_timer_us(1'800'000'000'000'000 + static_cast<int64_t>(random() % 5'184'000'000'000));
    row.set_time_us(1'700'000'000'000'000);
    std::string& state = *row.add_operators()->mutable_state();
    row.mutable_operators(0)->set_operator_("bench");
    while (state.size() + 40 < row_bytes) state.append(std::to_string(random()));
    out.push_back({"customer-" + std::to_string(customer), row.SerializeAsString()});
  }
  return out;
}

std::filesystem::path Folder() { return std::filesystem::temp_directory_path() / "portrait-recovery-bench"; }

void Restore(RowStore& store, const std::vector<ChangelogRecord>& changelog) {
  ChangelogBatch batch(kBatchBytes);
  Record record;
  for (const ChangelogRecord& stored : changelog) {
    record.key = stored.key;
    record.value = stored.value;
    ++record.offset;
    batch.Add(record, static_cast<uint64_t>(record.offset));
    if (batch.full() && !batch.WriteTo(store, {}).ok()) std::abort();
  }
  v1::StoreMeta meta;
  meta.set_lineage("bench");
  if (!batch.WriteTo(store, meta).ok() || !store.Flush().ok()) std::abort();
}

void RestoreOntoAnEmptyDisk(benchmark::State& state) {
  const auto changelog = MakeChangelog(static_cast<size_t>(state.range(0)), static_cast<size_t>(state.range(1)),
                                       static_cast<size_t>(state.range(2)));
  for (auto _ : state) {
    std::filesystem::remove_all(Folder());
    RocksDbMemory memory(64 << 20);
    Restore(*RocksDbRowStore::Open(Folder(), memory).value(), changelog);
  }
  std::filesystem::remove_all(Folder());
  state.SetItemsProcessed(state.iterations() * state.range(0));
}

// Opening the store, and what is needed before the first input: meta and the timers that are near.
void StartOnLocalState(benchmark::State& state) {
  std::filesystem::remove_all(Folder());
  RocksDbMemory memory(64 << 20);
  {
    const auto changelog = MakeChangelog(static_cast<size_t>(state.range(0)), static_cast<size_t>(state.range(0)),
                                         static_cast<size_t>(state.range(1)));
    Restore(*RocksDbRowStore::Open(Folder(), memory).value(), changelog);
  }
  for (auto _ : state) {
    auto store = RocksDbRowStore::Open(Folder(), memory).value();
    benchmark::DoNotOptimize(store->Meta().value());
    TimerIndex timers(*store);
    benchmark::DoNotOptimize(timers.TakeBelow(JustAfter(1'800'000'000'000'000 + 600'000'000)).value());
  }
  std::filesystem::remove_all(Folder());
}

// For comparison: what a start had to do when the index was made by reading every row.
void ScanOfAllRows(benchmark::State& state) {
  std::filesystem::remove_all(Folder());
  RocksDbMemory memory(64 << 20);
  auto store = RocksDbRowStore::Open(Folder(), memory).value();
  Restore(*store, MakeChangelog(static_cast<size_t>(state.range(0)), static_cast<size_t>(state.range(0)),
                                static_cast<size_t>(state.range(1))));
  for (auto _ : state) {
    std::vector<TimerHint> hints;
    const absl::Status scanned = store->Scan([&](std::string_view customer, std::string_view row) {
      const auto header = ReadRowHeader(row);
      if (header.ok() && header->next_timer_us) hints.push_back({*header->next_timer_us, std::string(customer)});
      return header.status();
    });
    if (!scanned.ok()) std::abort();
    benchmark::DoNotOptimize(hints.size());
  }
  store.reset();
  std::filesystem::remove_all(Folder());
}

// Records, customers, bytes a row: the lean work's rows compacted and not, the default chain's.
BENCHMARK(RestoreOntoAnEmptyDisk)
    ->Args({1'000'000, 1'000'000, 104})
    ->Args({4'000'000, 200'000, 104})
    ->Args({1'000'000, 1'000'000, 628})
    ->MeasureProcessCPUTime()
    ->Unit(benchmark::kMillisecond);
BENCHMARK(StartOnLocalState)->Args({1'000'000, 628})->Unit(benchmark::kMillisecond);
BENCHMARK(ScanOfAllRows)->Args({1'000'000, 628})->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace portrait::bench

BENCHMARK_MAIN();
