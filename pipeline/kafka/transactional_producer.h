// The output port on Kafka.
//
//   auto producer = KafkaTransactionalProducer::Create(options, "portrait-1.worker-0");
//   (*producer)->Init(seconds(10));
//   (*producer)->Begin(); (*producer)->Write({.topic = "tag-changes", .key = customer, .value = bytes});
//   (*producer)->SendOffsets(sources, next_offsets, *consumer->generation());
//   switch ((*producer)->Commit(seconds(10))) { ... }
//
// Beyond the port: statuses are those of pipeline/kafka/errors.h; FailedPrecondition from any call means fenced. The
// coordinator fences a producer too when it has aborted its transaction for being open longer than the transaction
// time-out, so kFenced does not always mean another process.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "pipeline/kafka/client.h"
#include "pipeline/kafka/options.h"
#include "pipeline/kafka/record_writer.h"
#include "pipeline/ports/transactional_producer.h"

namespace portrait {

class KafkaTransactionalProducer final : public TransactionalProducer {
 public:
  // InvalidArgument: a property is refused. Does not wait for a broker.
  static absl::StatusOr<std::unique_ptr<KafkaTransactionalProducer>> Create(const KafkaOptions& options,
                                                                            const std::string& transactional_id);
  // Aborts a transaction that is open, as far as that goes quickly; not one whose commit has begun.
  ~KafkaTransactionalProducer() override;

  const std::string& transactional_id() const override { return transactional_id_; }
  uint64_t incarnation() const override { return incarnation_; }

  absl::Status Init(Duration timeout) override;
  absl::Status Begin() override;
  absl::Status Write(const NewRecord& record) override;
  absl::Status SendOffsets(const std::vector<std::string>& sources, const std::vector<PartitionStart>& offsets,
                           const GroupGeneration& generation) override;
  CommitOutcome Commit(Duration timeout) override;
  int64_t WrittenEnd(std::string_view topic, int32_t partition) const override;
  absl::Status Abort(Duration timeout) override;

 private:
  struct Written {
    const rd_kafka_topic_t* topic;  // kept by writer_
    int32_t partition;
    int64_t end;
  };

  KafkaTransactionalProducer(std::string transactional_id, Duration request_timeout);

  void NoteDelivery(const rd_kafka_message_t& message);
  void NoteWritten(const rd_kafka_message_t& message);
  CommitOutcome AbortInstead(Duration timeout);
  CommitOutcome EndCommit(std::chrono::steady_clock::time_point deadline);

  const std::string transactional_id_;
  const uint64_t incarnation_;
  const Duration request_timeout_;
  std::shared_ptr<KafkaClient> client_;
  std::unique_ptr<RecordWriter> writer_;
  bool open_ = false;      // a transaction has begun, and neither a commit nor an abort
  absl::Status delivery_;  // the first failed delivery of this transaction
  std::vector<Written> written_;
  size_t last_written_ = 0;  // reports come in runs of one partition
};

}  // namespace portrait
