#include <algorithm>
#include <atomic>
#include <chrono>
#include <iostream>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "bench/lean/events.h"
#include "bench/tool/commands.h"
#include "pipeline/kafka/producer.h"
#include "pipeline/kafka/tail.h"
#include "pipeline/ports/clock.h"
#include "portrait/v1/result.pb.h"

namespace portrait::bench {
namespace {

using std::chrono::steady_clock;

// Sends events at an even pace. An event counts from the moment at which it was due, not from that at which it went, so
// that a sender which is held up hides nothing.
class PacedSender {
 public:
  PacedSender(const LatencyOptions& options, KafkaProducer& producer)
      : options_(options), producer_(producer), events_({.customers = options.customers}) {
    while (events_.made() < options_.skip) events_.Next();
    begin_ = steady_clock::now();
  }

  absl::Status Run() {
    std::string bytes;
    for (uint64_t n = 0; n < count(); ++n) {
      const auto due = DueAt(n);
      if (due > steady_clock::now() + std::chrono::milliseconds(1)) std::this_thread::sleep_until(due);
      Event event = events_.Next();
      if (options_.at_wall_time) event.set_event_time_us(ToMicros(SystemClock().Now()));
      event.SerializeToString(&bytes);
      const absl::Status s = producer_.Write(
          {.topic = LeanEvents::Topics()[LeanEvents::SourceOf(event)], .key = event.customer_id(), .value = bytes});
      if (!s.ok()) return s;
      behind_ = std::max(behind_, steady_clock::now() - due);
    }
    return producer_.Flush(seconds(60));
  }

  // Since when an event that has been sent counts. Of the one behind `skip` others: 0.
  steady_clock::time_point DueAt(uint64_t n) const {
    const std::chrono::duration<double> after(static_cast<double>(n) / options_.rate);
    return begin_ + std::chrono::duration_cast<steady_clock::duration>(after);
  }

  // Events that Run sends.
  uint64_t count() const { return static_cast<uint64_t>(options_.rate * options_.seconds); }
  steady_clock::duration behind() const { return behind_; }

 private:
  const LatencyOptions& options_;
  KafkaProducer& producer_;
  LeanEvents events_;
  steady_clock::time_point begin_;
  steady_clock::duration behind_{};  // at most
};

double Milliseconds(steady_clock::duration duration) {
  return std::chrono::duration<double, std::milli>(duration).count();
}

struct Second {
  std::vector<double> latencies_ms;  // of results whose event was due in it
  int64_t others = 0;                // results of something else, such as a timer, that came in it
};

// Takes results as they are committed, until told to end.
absl::StatusOr<std::vector<Second>> Collect(const LatencyOptions& options, const PacedSender& sender, KafkaTail& tail,
                                            const std::atomic<bool>& end) {
  std::vector<Second> found(static_cast<size_t>(options.seconds) + 1);
  v1::TagChange result;
  while (!end) {
    auto record = tail.Next(std::chrono::milliseconds(100));
    if (absl::IsUnavailable(record.status())) continue;
    if (!record.ok()) return record.status();
    if (!record->has_value() || !(*record)->value) continue;
    const auto now = steady_clock::now();
    const std::string_view value = *(*record)->value;
    if (!result.ParseFromArray(value.data(), static_cast<int>(value.size()))) continue;
    const auto number = LeanEvents::NumberOf(result.info().cause().event_id());
    if (!number) {
      const double second = Milliseconds(now - sender.DueAt(0)) / 1000;
      if (second >= 0) ++found[std::min(found.size() - 1, static_cast<size_t>(second))].others;
    } else if (*number >= options.skip && *number < options.skip + sender.count()) {
      const uint64_t place = *number - options.skip;
      found[static_cast<size_t>(static_cast<double>(place) / options.rate)].latencies_ms.push_back(
          Milliseconds(now - sender.DueAt(place)));
    }
  }
  for (Second& second : found) std::sort(second.latencies_ms.begin(), second.latencies_ms.end());
  return found;
}

// 0 if there is none.
double Quantile(const std::vector<double>& sorted, double share) {
  if (sorted.empty()) return 0;
  return sorted[std::min(sorted.size() - 1, static_cast<size_t>(share * static_cast<double>(sorted.size())))];
}

}  // namespace

absl::Status Latency(const LatencyOptions& options) {
  const KafkaOptions kafka{.brokers = options.brokers, .client_id = "bench-latency"};
  auto producer = KafkaProducer::Create(kafka);
  if (!producer.ok()) return producer.status();
  auto tail = KafkaTail::Open(kafka, options.output, KafkaTail::Start::End(), seconds(20));
  if (!tail.ok()) return tail.status();
  PacedSender sender(options, **producer);
  std::atomic<bool> end = false;
  absl::StatusOr<std::vector<Second>> found;
  std::thread collector([&] { found = Collect(options, sender, **tail, end); });
  const absl::Status sent = sender.Run();
  std::this_thread::sleep_for(std::chrono::seconds(5));  // the last results
  end = true;
  collector.join();
  if (!sent.ok()) return sent;
  if (!found.ok()) return found.status();
  std::vector<double> warm;
  std::vector<std::string> by_second;
  for (size_t n = 0; n < found->size(); ++n) {
    const std::vector<double>& of = (*found)[n].latencies_ms;
    if (static_cast<double>(n) >= options.warm_up_s) warm.insert(warm.end(), of.begin(), of.end());
    by_second.push_back(absl::StrFormat("[%d, %.1f, %d]", of.size(), Quantile(of, .99), (*found)[n].others));
  }
  if (warm.empty()) return absl::FailedPreconditionError(absl::StrCat("no result came: topic ", options.output));
  std::sort(warm.begin(), warm.end());
  std::cout << absl::StrFormat(
                   R"({"sent": %d, "results": %d, "p50_ms": %.1f, "p99_ms": %.1f, "p999_ms": %.1f, "behind_ms": %.1f, )"
                   R"("by_second": [%s]})",
                   sender.count(), warm.size(), Quantile(warm, .5), Quantile(warm, .99), Quantile(warm, .999),
                   Milliseconds(sender.behind()), absl::StrJoin(by_second, ", "))
            << std::endl;
  return absl::OkStatus();
}

}  // namespace portrait::bench
