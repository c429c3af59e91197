// What a task costs for each event: decode, row look-up, operators, journal, images, row writes. No broker.
//
//   build/release/bench/task_bench
//
// The lean work of bench/lean over 200 000 customers with falling activity; then the default chain.
#include <benchmark/benchmark.h>

#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "bench/lean/events.h"
#include "bench/lean/lean.h"
#include "operators/testing/harness.h"
#include "pipeline/config/default_chain.h"
#include "pipeline/decode/decoder.h"
#include "pipeline/task.h"
#include "state/rocksdb_row_store.h"

namespace portrait::bench {
namespace {

struct StoredEvent {
  std::string key, value;
  int64_t time_us;
};

std::vector<StoredEvent> MakeEvents(size_t count) {
  std::vector<StoredEvent> events;
  events.reserve(count);
  LeanEvents lean;
  while (lean.made() < count) {
    const Event& event = lean.Next();
    events.push_back({event.customer_id(), event.SerializeAsString(), event.event_time_us()});
  }
  return events;
}

// PORTRAIT_BENCH_EVENTS: fewer events, to see that it works.
const std::vector<StoredEvent>& Events() {
  const char* const given = std::getenv("PORTRAIT_BENCH_EVENTS");
  static const auto* const events =
      new std::vector<StoredEvent>(MakeEvents(given == nullptr ? 1'000'000 : std::stoul(given)));
  return *events;
}

std::unique_ptr<Chain> LeanChain() { return std::move(ChainBuilder().Add<Lean>()).Build("bench").value(); }
std::unique_ptr<Chain> DefaultChain() { return BuildDefaultChain(Config()).value(); }

// One pass over all events, a "commit" for every 40 000 of them (100 ms at 400 000 a second).
void RunTask(benchmark::State& state, const Chain& chain, Duration checkpoint_interval) {
  EngineOptions options;
  options.sources = {{"events", WireFormat::kProtobuf}};
  options.checkpoint_interval = checkpoint_interval;
  options.clock = ClockMode::kEvent;
  options.cache_bytes = size_t{2} << 30;
  const auto folder = std::filesystem::temp_directory_path() / "portrait-task-bench";
  uint64_t outputs = 0, images = 0, image_bytes = 0, journal_bytes = 0;
  for (auto _ : state) {
    std::filesystem::remove_all(folder);
    RocksDbMemory memory(128 << 20);
    Decoder decoder;
    FixedChain chains(chain);
    Task task(0, 1, chains, options, decoder, RocksDbRowStore::Open(folder, memory).value(), options.cache_bytes);
    task.Start({.lineage = "bench",
                .last_step = 0,
                .state = {},
                .next_offsets = {0},
                .known_ends = {-1},
                .changelog_position = 0});
    Duration now(0);
    int64_t offset = 0;
    for (const StoredEvent& event : Events()) {
      Record record;
      record.offset = offset++;
      record.timestamp_us = event.time_us;
      record.key = event.key;
      record.value = event.value;
      task.Add(std::move(record));
      if (offset % 1000 == 0) {
        static_cast<void>(task.Advance(SIZE_MAX, now, At("2026-01-01"), [](size_t) { return -1; }).value());
      }
      if (offset % 40'000 == 0) {
        now += options.commit_interval;
        TaskCommit commit = task.Freeze({}, now, false);
        outputs += commit.outputs.size();
        images += commit.images.size();
        for (const RowImage& image : commit.images) image_bytes += image.row ? image.row->size() : 0;
        journal_bytes += commit.entry.ByteSizeLong();
        const auto staged = task.Stage(std::move(commit), {offset, offset}, At("2026-01-01"));
        if (!staged) continue;
        static_cast<void>(task.Write(*staged));
        task.Settle(*staged);
      }
    }
    state.counters["cache_MB"] = static_cast<double>(task.rows().cache().bytes()) / 1e6;
    state.counters["rows"] = static_cast<double>(task.rows().cache().rows());
  }
  std::filesystem::remove_all(folder);
  const double events = static_cast<double>(state.iterations() * static_cast<int64_t>(Events().size()));
  state.SetItemsProcessed(static_cast<int64_t>(events));
  state.counters["outputs"] = static_cast<double>(outputs) / events;
  state.counters["images"] = static_cast<double>(images) / events;
  state.counters["image_B"] = images == 0 ? 0 : static_cast<double>(image_bytes) / static_cast<double>(images);
  state.counters["journal_B"] = static_cast<double>(journal_bytes) / events;
}

void Parse(benchmark::State& state) {
  Event event;
  for (auto _ : state) {
    for (const StoredEvent& stored : Events()) {
      event.Clear();
      benchmark::DoNotOptimize(event.ParseFromString(stored.value));
    }
  }
  state.SetItemsProcessed(state.iterations() * static_cast<int64_t>(Events().size()));
}

void LeanCheckpoint10s(benchmark::State& state) { RunTask(state, *LeanChain(), seconds(10)); }
void LeanEveryCommit(benchmark::State& state) { RunTask(state, *LeanChain(), std::chrono::milliseconds(100)); }
void DefaultChainCheckpoint10s(benchmark::State& state) { RunTask(state, *DefaultChain(), seconds(10)); }

BENCHMARK(Parse)->Unit(benchmark::kMillisecond);
BENCHMARK(LeanCheckpoint10s)->Unit(benchmark::kMillisecond);
BENCHMARK(LeanEveryCommit)->Unit(benchmark::kMillisecond);
BENCHMARK(DefaultChainCheckpoint10s)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace portrait::bench

BENCHMARK_MAIN();
