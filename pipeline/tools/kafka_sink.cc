#include "pipeline/tools/kafka_sink.h"

#include <algorithm>
#include <functional>
#include <thread>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "pipeline/kafka/topics.h"
#include "pipeline/ports/clock.h"
#include "pipeline/service/kafka_client_options.h"
#include "pipeline/service/wait_for_brokers.h"

namespace portrait {

namespace {

constexpr Duration kRequestTimeout = seconds(5);

}  // namespace

absl::StatusOr<std::unique_ptr<KafkaSink>> KafkaSink::Open(const Config& config, std::string_view role,
                                                           const std::vector<std::string>& topics) {
  const KafkaOptions options = KafkaClientOptions(config, role);
  auto admin = KafkaTopics::Create(options);
  if (!admin.ok()) return admin.status();
  std::vector<std::string> missing;
  absl::Status status = WaitForBrokers(config, [&] {
    const auto found = (*admin)->Describe(topics, /*with_configs=*/false, kRequestTimeout);
    if (!found.ok()) return found.status();
    for (const TopicDescription& topic : *found) {
      if (topic.partitions == 0) missing.push_back(topic.name);
    }
    return absl::OkStatus();
  });
  if (!status.ok()) return status;
  if (!missing.empty()) {
    return absl::NotFoundError(absl::StrCat("no such topic: ", absl::StrJoin(missing, ", "),
                                            "; `portrait topics --create` makes what is missing"));
  }
  auto producer = KafkaProducer::Create(options);
  if (!producer.ok()) return producer.status();
  return std::unique_ptr<KafkaSink>(new KafkaSink(*std::move(producer), config.engine.startup_timeout));
}

absl::Status KafkaSink::Finish() {
  const SystemClock clock;
  const Duration deadline = clock.Monotonic() + patience_;
  while (true) {
    absl::Status status = producer_->Flush(seconds(5));
    if (!absl::IsUnavailable(status) || clock.Monotonic() >= deadline) return status;
  }
}

}  // namespace portrait
