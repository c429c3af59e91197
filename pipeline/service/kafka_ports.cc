#include "pipeline/service/kafka_ports.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "pipeline/decode/decoder.h"
#include "pipeline/kafka/group_consumer.h"
#include "pipeline/kafka/group_members.h"
#include "pipeline/kafka/log_reader.h"
#include "pipeline/kafka/log_trimmer.h"
#include "pipeline/kafka/topics.h"
#include "pipeline/kafka/transactional_producer.h"
#include "pipeline/log.h"
#include "pipeline/service/kafka_client_options.h"
#include "pipeline/service/wait_for_brokers.h"

namespace portrait {
namespace {

constexpr Duration kRequestTimeout = seconds(5);
constexpr size_t kStandbyFetchBytes = 8u << 20;  // of each changelog that is followed

std::vector<std::string> SourceTopics(const EngineOptions& options) {
  std::vector<std::string> topics;
  topics.reserve(options.sources.size());
  for (const SourceOptions& source : options.sources) topics.push_back(source.topic);
  return topics;
}

absl::Status CheckInternalTopics(const Config& config, KafkaTopics& topics, int partitions) {
  const std::vector<std::string> names = {config.engine.JournalTopic(), config.engine.ChangelogTopic()};
  auto found = topics.Describe(names, /*with_configs=*/false, kRequestTimeout);
  if (!found.ok()) return found.status();
  for (const TopicDescription& topic : *found) {
    if (topic.partitions == 0) {
      return absl::NotFoundError(
          absl::StrCat("no such topic: ", topic.name, "; `portrait topics --create` makes what is missing"));
    }
    if (topic.partitions != partitions) {
      return absl::FailedPreconditionError(absl::StrCat("partition count differs from that of the sources: ",
                                                        topic.name, " ", topic.partitions, ", sources ", partitions));
    }
  }
  return absl::OkStatus();
}

std::optional<Duration> TombstonesKept(const Config& config, KafkaTopics& topics) {
  const auto found = topics.Describe({config.engine.ChangelogTopic()}, /*with_configs=*/true, kRequestTimeout);
  if (!found.ok()) {  // a broker that has no such request, or no right to ask it
    LogDebug("the changelog's settings are not told", {{"reason", std::string(found.status().message())}});
    return std::nullopt;
  }
  const auto value = found->front().configs.find("delete.retention.ms");
  int64_t millis = 0;
  if (value == found->front().configs.end() || !absl::SimpleAtoi(value->second, &millis)) return std::nullopt;
  return std::chrono::milliseconds(millis);
}

}  // namespace

absl::StatusOr<std::unique_ptr<KafkaPorts>> KafkaPorts::Connect(const Config& config) {
  const KafkaOptions options = KafkaClientOptions(config, "start");
  if (absl::Status s = CheckKafkaOptions(options); !s.ok()) return s;
  auto topics = KafkaTopics::Create(options);
  if (!topics.ok()) return topics.status();
  const std::vector<std::string> sources = SourceTopics(config.engine);
  int partitions = 0;
  absl::Status asked = WaitForBrokers(config, [&] {
    auto answer = (*topics)->SourcePartitions(sources, kRequestTimeout);
    if (answer.ok()) partitions = *answer;
    return answer.status();
  });
  if (absl::IsNotFound(asked)) {
    return absl::NotFoundError(absl::StrCat(asked.message(), "; `portrait topics --create` makes what is missing"));
  }
  if (!asked.ok()) return asked;
  if (absl::Status s = CheckInternalTopics(config, **topics, partitions); !s.ok()) return s;
  const auto plan = PlanMemory({.limit = config.engine.memory_limit,
                                .workers = config.engine.workers,
                                .partitions = partitions,
                                .largest_record = config.engine.max_record_bytes});
  if (!plan.ok()) return plan.status();
  return std::unique_ptr<KafkaPorts>(new KafkaPorts(config, partitions, *plan, TombstonesKept(config, **topics)));
}

KafkaPorts::KafkaPorts(const Config& config, int32_t partitions, const MemoryPlan& plan,
                       std::optional<Duration> tombstones_kept)
    : config_(config),
      partitions_(partitions),
      plan_(plan),
      tombstones_kept_(tombstones_kept),
      memory_(plan.rocksdb, partitions) {}

KafkaOptions KafkaPorts::ClientOptions(int worker) const {
  KafkaOptions options = KafkaClientOptions(config_, absl::StrCat("worker-", worker));
  // librdkafka counts what records hold, and keeps about twice that beside each small one.
  options.fetch_memory_bytes = plan_.fetched / 3;
  options.send_memory_bytes = plan_.unsent;
  return options;
}

absl::StatusOr<std::unique_ptr<GroupConsumer>> KafkaPorts::NewConsumer(int worker) {
  KafkaOptions options = ClientOptions(worker);
  // The brokers tell everybody the members' client ids: so others learn where this process's view is.
  if (config_.view.listen && !config_.view.address.empty()) {
    options.client_id = absl::StrCat(options.instance_id, absl::string_view(kViewMark), config_.view.address);
  }
  auto made = KafkaGroupConsumer::Create(options);
  if (!made.ok()) return made.status();
  return *std::move(made);
}

absl::StatusOr<std::unique_ptr<TransactionalProducer>> KafkaPorts::NewProducer(int worker) {
  const KafkaOptions options = ClientOptions(worker);
  auto made = KafkaTransactionalProducer::Create(options,
                                                 absl::StrCat(config_.engine.application_id, ".", options.instance_id));
  if (!made.ok()) return made.status();
  return *std::move(made);
}

absl::Status KafkaPorts::EndTransactionOf(const std::string& transactional_id, Duration timeout) {
  auto made = KafkaTransactionalProducer::Create(KafkaClientOptions(config_, "take-over"), transactional_id);
  if (!made.ok()) return made.status();
  return (*made)->Init(timeout);
}

absl::StatusOr<std::unique_ptr<LogReader>> KafkaPorts::NewReader(int worker) {
  KafkaOptions options = ClientOptions(worker);
  options.client_id = absl::StrCat(config_.engine.instance_id, "-reader-", worker);  // for people, and for quotas
  auto made = KafkaLogReader::Create(options);
  if (!made.ok()) return made.status();
  return *std::move(made);
}

absl::StatusOr<std::unique_ptr<LogTrimmer>> KafkaPorts::NewTrimmer(int worker) {
  auto made = KafkaLogTrimmer::Create(KafkaClientOptions(config_, absl::StrCat("worker-", worker)));
  if (!made.ok()) return made.status();
  return *std::move(made);
}

absl::StatusOr<std::unique_ptr<GroupMembers>> KafkaPorts::NewMembers() const {
  auto made = KafkaGroupMembers::Create(KafkaClientOptions(config_, "view"));
  if (!made.ok()) return made.status();
  return *std::move(made);
}

absl::Status KafkaPorts::StartStandby(Metrics& metrics) {
  if (config_.engine.standby_replicas == 0) return absl::OkStatus();
  KafkaOptions options = KafkaClientOptions(config_, "standby");
  options.fetch_memory_bytes = kStandbyFetchBytes;
  auto reader = KafkaLogReader::Create(options);
  if (!reader.ok()) return reader.status();
  auto members = KafkaGroupMembers::Create(options);
  if (!members.ok()) return members.status();
  standby_ = std::make_unique<Standby>(
      Standby::Options{.process = config_.engine.instance_id,
                       .partitions = partitions_,
                       .replicas = config_.engine.standby_replicas,
                       .changelog = config_.engine.ChangelogTopic(),
                       .journal = config_.engine.JournalTopic(),
                       .tombstones_kept = tombstones_kept_.value_or(config_.engine.changelog_tombstones_kept)},
      Standby::Ports{.reader = *std::move(reader),
                     .members = *std::move(members),
                     .clock = &clock_,
                     .open_store = [this](int32_t p) { return OpenFolder(p); }},
      metrics);
  standby_->Start();
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<RowStore>> KafkaPorts::OpenStore(int32_t partition) {
  return standby_ ? standby_->OpenStore(partition) : OpenFolder(partition);
}

absl::StatusOr<std::unique_ptr<RowStore>> KafkaPorts::OpenFolder(int32_t partition) {
  const auto folder = StoreFolder(config_.engine.state_dir, config_.engine.application_id, partition);
  const std::string time = absl::FormatTime("%Y%m%dT%H%M%SZ", absl::Now(), absl::UTCTimeZone());
  std::optional<std::filesystem::path> moved_to;
  auto opened = RocksDbRowStore::OpenOrSetAside(folder, memory_, time, moved_to);
  if (moved_to) {
    LogError("local state is corrupt: it is set aside, and the partition restored from the changelog",
             {{"partition", partition}, {"moved_to", moved_to->string()}});
    if (stores_set_aside_ != nullptr) stores_set_aside_->Increment();
  }
  if (!opened.ok()) return opened.status();
  const std::lock_guard lock(copiers_mutex_);
  copiers_[partition] = (*opened)->copier();
  return *std::move(opened);
}

absl::StatusOr<v1::Backup> KafkaPorts::BackUp(const std::filesystem::path& to) {
  std::vector<StoreSource> stores;
  {
    const std::lock_guard lock(copiers_mutex_);
    for (const auto& [partition, copier] : copiers_) stores.push_back({partition, copier});
  }
  v1::Backup backup;
  backup.set_application(config_.engine.application_id);
  backup.set_instance(config_.engine.instance_id);
  backup.set_made_us(ToMicros(clock_.Now()));
  return MakeBackup(stores, std::move(backup), to);
}

std::unique_ptr<EventDecoder> KafkaPorts::NewDecoder() {
  return std::make_unique<Decoder>(DecoderOptions{.max_record_bytes = config_.engine.max_record_bytes});
}

}  // namespace portrait
