// What a task costs for each event: decode, row look-up, operators, journal, images, row writes. No broker.
//
//   build/release/bench/task_bench
//
// The lean work of bench/lean over 200 000 customers with falling activity; then the default chain.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <iostream>
#include <random>
#include <string>
#include <vector>

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

// 85 % page views, 10 % email, 5 % purchases; about 130 B each.
std::vector<StoredEvent> MakeEvents(size_t count, size_t customers) {
  std::mt19937_64 random(7);
  std::exponential_distribution<double> activity(6.0 / static_cast<double>(customers));
  std::vector<StoredEvent> events;
  events.reserve(count);
  int64_t time_us = ToMicros(At("2026-01-01"));
  for (size_t i = 0; i < count; ++i) {
    const size_t customer = std::min(static_cast<size_t>(activity(random)), customers - 1);
    Event event;
    event.set_event_id("event-" + std::to_string(i));
    event.set_customer_id("customer-" + std::to_string(customer));
    event.set_event_time_us(time_us += 200'000);
    const uint64_t what = random() % 100;
    const std::string category = "category-" + std::to_string(random() % 12);
    if (what < 85) {
      auto* page = event.mutable_page_viewed();
      page->set_path("/shop/" + category + "/item-" + std::to_string(random() % 1000));
      page->set_category(category);
      page->set_dwell_us(static_cast<int64_t>(random() % 60'000'000));
    } else if (what < 95) {
      auto* mail = what % 2 ? event.mutable_email_opened() : event.mutable_email_link_clicked();
      mail->set_mail_id("mail-" + std::to_string(i));
      mail->set_campaign_id("campaign-" + std::to_string(random() % 20));
      mail->set_kind("newsletter");
      mail->set_link("https://shop.example/" + category);
    } else {
      auto* order = event.mutable_order_completed();
      order->set_order_id("order-" + std::to_string(i));
      order->set_total_micros(static_cast<int64_t>(random() % 200'000'000));
      order->set_channel("web");
      auto* product = order->add_products();
      product->set_category(category);
      product->set_price_micros(order->total_micros());
    }
    events.push_back({event.customer_id(), event.SerializeAsString(), event.event_time_us()});
  }
  return events;
}

const std::vector<StoredEvent>& Events() {
  static const auto* const events = new std::vector<StoredEvent>(MakeEvents(1'000'000, 200'000));
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
    Task task(0, 1, chain, options, decoder, RocksDbRowStore::Open(folder, memory).value(), options.cache_bytes);
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
        static_cast<void>(task.Committed(std::move(commit), {offset, offset}, At("2026-01-01")));
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
