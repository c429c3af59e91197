// The ports of the service: Kafka and RocksDB.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "pipeline/backup.h"
#include "pipeline/config/config.h"
#include "pipeline/kafka/options.h"
#include "pipeline/memory_plan.h"
#include "pipeline/metrics.h"
#include "pipeline/port_factory.h"
#include "pipeline/ports/group_members.h"
#include "pipeline/standby.h"
#include "prometheus/counter.h"
#include "state/rocksdb_row_store.h"

namespace portrait {

// Safe from any thread.
class KafkaPorts final : public PortFactory {
 public:
  // Waits for the brokers, at most startup.timeout, then checks that everything the engine needs is there.
  // DeadlineExceeded: no broker answered. NotFound: topics are missing, and how to make them. FailedPrecondition: the
  // partition counts differ. InvalidArgument: a property of librdkafka is refused, or memory.limit is too small.
  static absl::StatusOr<std::unique_ptr<KafkaPorts>> Connect(const Config& config);

  // For how long the changelog's topic keeps tombstones; nothing when the brokers do not tell.
  std::optional<Duration> tombstones_kept() const { return tombstones_kept_; }
  // How the process's memory is divided; the engine must keep to its shares (Divide).
  const MemoryPlan& memory_plan() const { return plan_; }

  // Copies the stores that are open into a new folder. Safe from any thread.
  absl::StatusOr<v1::Backup> BackUp(const std::filesystem::path& to);

  // Counts the folders of local state that were corrupt and set aside. Before the engine starts.
  void CountSetAside(prometheus::Counter& counter) { stores_set_aside_ = &counter; }

  int32_t partitions() const override { return partitions_; }
  absl::StatusOr<std::unique_ptr<GroupConsumer>> NewConsumer(int worker) override;
  absl::StatusOr<std::unique_ptr<TransactionalProducer>> NewProducer(int worker) override;
  absl::StatusOr<std::unique_ptr<LogReader>> NewReader(int worker) override;
  absl::StatusOr<std::unique_ptr<LogTrimmer>> NewTrimmer(int worker) override;
  absl::StatusOr<std::unique_ptr<RowStore>> OpenStore(int32_t partition) override;
  std::unique_ptr<EventDecoder> NewDecoder() override;
  // Keeps rows of other processes warm from now on, when the configuration says so. `metrics` must outlive the ports.
  absl::Status StartStandby(Metrics& metrics);
  // Who is in the group.
  absl::StatusOr<std::unique_ptr<GroupMembers>> NewMembers() const;
  absl::Status EndTransactionOf(const std::string& transactional_id, Duration timeout) override;
  const Clock& clock() const override { return clock_; }

 private:
  KafkaPorts(const Config& config, int32_t partitions, const MemoryPlan& plan, std::optional<Duration> tombstones_kept);
  KafkaOptions ClientOptions(int worker) const;

  absl::StatusOr<std::unique_ptr<RowStore>> OpenFolder(int32_t partition);

  const Config config_;
  const int32_t partitions_;
  const MemoryPlan plan_;
  const std::optional<Duration> tombstones_kept_;
  SystemClock clock_;
  RocksDbMemory memory_;
  prometheus::Counter* stores_set_aside_ = nullptr;
  std::mutex copiers_mutex_;
  std::map<int32_t, std::shared_ptr<RocksDbRowStore::Copier>> copiers_;  // guarded by copiers_mutex_
  std::unique_ptr<Standby> standby_;                                     // if there is one, it holds stores of memory_
};

}  // namespace portrait
