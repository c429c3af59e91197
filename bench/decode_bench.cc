// What it costs to take in an event: decoding, cleaning, looking for duplicates.
//   build/release/bench/decode_bench
#include <benchmark/benchmark.h>

#include <cstring>
#include <string>

#include "absl/time/time.h"
#include "operators/clean.h"
#include "pipeline/decode/decoder.h"
#include "pipeline/decode/iso_time.h"

namespace portrait {
namespace {

constexpr int64_t kNow = 1'769'904'000'000'000;

Event PageView() {
  Event event;
  event.set_event_id("8f14e45f-ceea-467f-a83c-1b2c3d4e5f60");
  event.set_customer_id("customer-004711");
  event.set_event_time_us(kNow);
  event.set_session_id("s-20260201-004711");
  auto& page = *event.mutable_page_viewed();
  page.set_url("https://shop.example/games/monopoly?ref=home");
  page.set_path("/games/monopoly");
  page.set_title("Monopoly");
  page.set_category("Games");
  page.set_product_id("507f1f77bcf86cd799439011");
  return event;
}

Event Order() {
  Event event;
  event.set_event_id("8f14e45f-ceea-467f-a83c-1b2c3d4e5f60");
  event.set_customer_id("customer-004711");
  event.set_event_time_us(kNow);
  auto& order = *event.mutable_order_completed();
  order.set_order_id("50314b8e9bcf000000000000");
  order.set_total_micros(29'330'000);
  order.set_currency("EUR");
  order.set_channel("web");
  auto& product = *order.add_products();
  product.set_product_id("507f1f77bcf86cd799439011");
  product.set_name("Monopoly: 3rd Edition");
  product.set_category("Games");
  product.set_price_micros(19'000'000);
  product.set_quantity(1);
  return event;
}

const std::string kPageJson =
    R"({"type":"page","messageId":"8f14e45f-ceea-467f-a83c-1b2c3d4e5f60","userId":"customer-004711",)"
    R"("timestamp":"2026-02-01T00:00:00.000Z","sentAt":"2026-02-01T00:00:00.100Z","receivedAt":"2026-02-01T00:00:00.200Z",)"
    R"("context":{"page":{"url":"https://shop.example/games/monopoly?ref=home","path":"/games/monopoly","title":"Monopoly",)"
    R"("referrer":"https://shop.example/"},"library":{"name":"analytics.js","version":"2.1.0"},"ip":"192.0.2.1",)"
    R"("locale":"de-DE","userAgent":"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36"},)"
    R"("properties":{"category":"Games","product_id":"507f1f77bcf86cd799439011"}})";

const std::string kOrderJson =
    R"({"type":"track","event":"Order Completed","messageId":"8f14e45f-ceea-467f-a83c-1b2c3d4e5f60","userId":"customer-004711",)"
    R"("timestamp":"2026-02-01T00:00:00.000Z","properties":{"order_id":"50314b8e9bcf000000000000","total":29.33,)"
    R"("currency":"EUR","channel":"web","products":[{"product_id":"507f1f77bcf86cd799439011",)"
    R"("name":"Monopoly: 3rd Edition","category":"Games","price":19,"quantity":1}]}})";

void Decode(benchmark::State& state, const std::string& value, WireFormat format) {
  Decoder decoder;
  const SourceOptions source{"events", format};
  Record record;
  record.timestamp_us = kNow;
  record.key = "customer-004711";
  record.value = value;
  Event event;
  for (auto _ : state) {
    if (decoder.Decode(record, source, event)) return state.SkipWithError("rejected");
    benchmark::DoNotOptimize(event);
  }
  state.SetBytesProcessed(static_cast<int64_t>(state.iterations() * value.size()));
}
BENCHMARK_CAPTURE(Decode, page_protobuf, PageView().SerializeAsString(), WireFormat::kProtobuf);
BENCHMARK_CAPTURE(Decode, order_protobuf, Order().SerializeAsString(), WireFormat::kProtobuf);
BENCHMARK_CAPTURE(Decode, page_json, kPageJson, WireFormat::kJson);
BENCHMARK_CAPTURE(Decode, order_json, kOrderJson, WireFormat::kJson);

void Check(benchmark::State& state, const Event& given) {
  const Clean clean;
  Event event = given;
  for (auto _ : state) {
    if (clean.Check(event, {FromMicros(kNow)})) return state.SkipWithError("rejected");
    benchmark::DoNotOptimize(event);
  }
}
BENCHMARK_CAPTURE(Check, page, PageView());
BENCHMARK_CAPTURE(Check, order, Order());

// A new event each time, in a window that is full.
void IsDuplicate(benchmark::State& state, const Event& given) {
  const Clean clean;
  v1::state::CleanState seen;
  Event event = given;
  std::string* const id = event.mutable_event_id();
  std::string* const order_id = event.has_order_completed() ? event.mutable_order_completed()->mutable_order_id() : id;
  uint64_t n = 0;
  for (auto _ : state) {
    ++n;
    std::memcpy(id->data(), &n, sizeof(n));
    std::memcpy(order_id->data(), &n, sizeof(n));
    if (clean.IsDuplicate(event, seen)) return state.SkipWithError("duplicate");
  }
}
BENCHMARK_CAPTURE(IsDuplicate, page, PageView());
BENCHMARK_CAPTURE(IsDuplicate, order, Order());

// Why times are read by hand.
void IsoTime(benchmark::State& state) {
  std::string text = "2026-02-01T00:00:00.123Z";
  for (auto _ : state) {
    benchmark::DoNotOptimize(text);
    benchmark::DoNotOptimize(ParseIsoTime(text));
  }
}
BENCHMARK(IsoTime);

void IsoTimeByAbseil(benchmark::State& state) {
  std::string text = "2026-02-01T00:00:00.123Z";
  for (auto _ : state) {
    absl::Time time;
    benchmark::DoNotOptimize(text);
    benchmark::DoNotOptimize(absl::ParseTime(absl::RFC3339_full, text, &time, nullptr));
    benchmark::DoNotOptimize(time);
  }
}
BENCHMARK(IsoTimeByAbseil);

}  // namespace
}  // namespace portrait

BENCHMARK_MAIN();
