#include <iostream>
#include <string>

#include "absl/strings/str_format.h"
#include "bench/lean/events.h"
#include "bench/tool/commands.h"
#include "pipeline/kafka/producer.h"
#include "pipeline/kafka/topics.h"

namespace portrait::bench {

absl::Status MakeTopics(const TopicsOptions& options) {
  auto topics = KafkaTopics::Create({.brokers = options.brokers, .client_id = "bench-topics"});
  if (!topics.ok()) return topics.status();
  std::vector<NewTopic> fresh;
  for (const std::string& name : options.names) {
    fresh.push_back({.name = name, .partitions = options.partitions, .replication = 1, .configs = {}});
  }
  return (*topics)->CreateAll(fresh, seconds(30));
}

absl::Status Fill(const FillOptions& options) {
  const KafkaOptions kafka{.brokers = options.brokers, .client_id = "bench-fill"};
  auto topics = KafkaTopics::Create(kafka);
  if (!topics.ok()) return topics.status();
  std::vector<NewTopic> fresh;
  for (const std::string& topic : LeanEvents::Topics()) {
    // Event times lie in the past: the broker's own time keeps retention away.
    fresh.push_back({.name = topic,
                     .partitions = options.partitions,
                     .replication = 1,
                     .configs = {{"message.timestamp.type", "LogAppendTime"}, {"retention.ms", "-1"}}});
  }
  if (!options.more) {
    if (absl::Status s = (*topics)->CreateAll(fresh, seconds(30)); !s.ok()) return s;
  }

  auto producer = KafkaProducer::Create(kafka);
  if (!producer.ok()) return producer.status();
  LeanEventsOptions sequence{.customers = options.customers};
  if (options.begin_us != 0) sequence.begin = FromMicros(options.begin_us);
  LeanEvents events(sequence);
  std::string bytes;
  uint64_t written = 0;
  while (events.made() < options.events) {
    const Event& event = events.Next();
    event.SerializeToString(&bytes);
    written += bytes.size();
    const absl::Status s = (*producer)->Write(
        {.topic = LeanEvents::Topics()[LeanEvents::SourceOf(event)], .key = event.customer_id(), .value = bytes});
    if (!s.ok()) return s;
  }
  if (absl::Status s = (*producer)->Flush(seconds(60)); !s.ok()) return s;
  std::cout << absl::StrFormat(R"({"events": %d, "bytes": %d, "results": %d})", events.made(), written,
                               events.results())
            << std::endl;
  return absl::OkStatus();
}

}  // namespace portrait::bench
