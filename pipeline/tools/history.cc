#include "pipeline/tools/history.h"

#include <xxhash.h>

#include <algorithm>
#include <memory>
#include <utility>

#include "pipeline/kafka/tail.h"
#include "pipeline/service/kafka_client_options.h"
#include "pipeline/service/wait_for_brokers.h"
#include "pipeline/tools/line_reader.h"
#include "pipeline/tools/stop_signal.h"

namespace portrait {
namespace {

constexpr Duration kOpenTimeout = seconds(5);

}  // namespace

bool History::Wanted(std::string_view customer) const {
  if (!options_.customers.empty()) return options_.customers.contains(customer);
  if (options_.share >= 1) return true;
  constexpr double kTwoTo64 = 18446744073709551616.0;
  return static_cast<double>(XXH3_64bits(customer.data(), customer.size())) < options_.share * kTwoTo64;
}

void History::Add(const Event& event) {
  const std::string_view customer = RowKey(event);
  if (!Wanted(customer)) return;
  const int64_t time_us = event.event_time_us();
  auto at = by_customer_.find(customer);
  if (at == by_customer_.end()) at = by_customer_.try_emplace(std::string(customer)).first;
  at->second.push_back({time_us, event.SerializeAsString()});
  first_us_ = std::min(first_us_, time_us);
  last_us_ = std::max(last_us_, time_us);
  ++events_;
  if (options_.progress) options_.progress(events_);
}

void History::Take(Decoder& decoder, const Record& record, const SourceOptions& source) {
  Event event;
  if (const auto rejection = decoder.Decode(record, source, event)) {
    ++rejected_[rejection->code];
    return;
  }
  Add(event);
}

absl::Status History::Read(const std::vector<std::string>& files, const Config& config) {
  if (files.empty()) return ReadTopics(config);
  for (const std::string& file : files) {
    if (absl::Status s = ReadFile(file); !s.ok()) return s;
  }
  return absl::OkStatus();
}

absl::Status History::ReadFile(const std::filesystem::path& path) {
  auto reader = LineReader::Open(path);
  if (!reader.ok()) return reader.status();
  Decoder decoder;
  const SourceOptions source{.topic = path.filename().string(), .format = WireFormat::kJson};
  for (Line line; (*reader)->Next(line);) {
    if (line.text.empty()) continue;
    Record record;
    record.offset = line.number;  // an event without an id goes by file and line
    record.value = line.text;
    Take(decoder, record, source);
  }
  return (*reader)->status();
}

absl::Status History::ReadTopics(const Config& config) {
  const StopSignal stop;
  Decoder decoder({.max_record_bytes = config.engine.max_record_bytes});
  for (const SourceOptions& source : config.engine.sources) {
    std::unique_ptr<KafkaTail> tail;
    absl::Status status = WaitForBrokers(config, [&] {
      auto opened = KafkaTail::Open(KafkaClientOptions(config, "history"), source.topic, KafkaTail::Start::Beginning(),
                                    kOpenTimeout);
      if (!opened.ok()) return opened.status();
      tail = *std::move(opened);
      return absl::OkStatus();
    });
    if (!status.ok()) return status;
    while (!tail->at_end()) {
      if (stop.raised()) return absl::CancelledError("stopped while the history was read");
      auto record = tail->Next(std::chrono::milliseconds(200));
      if (absl::IsUnavailable(record.status())) continue;
      if (!record.ok()) return record.status();
      if (!record->has_value()) continue;
      // Most records are of others, when one customer is asked for: those need not be decoded.
      const auto& key = (*record)->key;
      if (!options_.customers.empty() && key && !key->empty() && !Wanted(*key)) continue;
      Take(decoder, **record, source);
    }
  }
  return absl::OkStatus();
}

void History::ForEach(
    const std::function<void(const std::string& customer, const std::vector<Event>& events)>& visit) const {
  std::vector<Event> events;
  for (const auto& [name, all] : by_customer_) {
    std::vector<const Held*> order;
    for (const Held& held : all) order.push_back(&held);
    std::stable_sort(order.begin(), order.end(), [](const Held* a, const Held* b) { return a->time_us < b->time_us; });
    events.clear();
    for (const Held* held : order) static_cast<void>(events.emplace_back().ParseFromString(held->bytes));
    visit(name, events);
  }
}

}  // namespace portrait
