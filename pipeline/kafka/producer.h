// A plain producer, for imports, generated traffic and tests: idempotent, not transactional, not waiting.
//
//   auto producer = KafkaProducer::Create(options);
//   for (...) (*producer)->Write({.topic = "purchase-events", .key = customer, .value = bytes});
//   absl::Status status = (*producer)->Flush(seconds(30));   // not OK: some were not delivered; failed() says how many
//
// Records keep their order per partition and are not repeated, whatever brokers do, as long as this producer lives.
#pragma once

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "pipeline/kafka/client.h"
#include "pipeline/kafka/options.h"
#include "pipeline/kafka/record_writer.h"

namespace portrait {

// One thread.
class KafkaProducer {
 public:
  // InvalidArgument: a property is refused. Does not wait for a broker.
  static absl::StatusOr<std::unique_ptr<KafkaProducer>> Create(const KafkaOptions& options);

  // Copies the record into a queue of options.send_memory_bytes. When that is full, waits for deliveries, at most 60 s:
  // ResourceExhausted then.
  absl::Status Write(const NewRecord& record);
  // Waits until everything written is delivered or has failed. Unavailable: not all within the time-out; call again.
  // Otherwise not OK: the first failure since the last Flush, and how many there were.
  absl::Status Flush(Duration timeout);

  int64_t delivered() const { return delivered_; }
  int64_t failed() const { return failed_; }

 private:
  KafkaProducer() = default;

  void NoteDelivery(const rd_kafka_message_t& message);

  std::shared_ptr<KafkaClient> client_;
  std::unique_ptr<RecordWriter> writer_;
  int writes_ = 0;
  int64_t delivered_ = 0;
  int64_t failed_ = 0;
  int64_t failed_since_flush_ = 0;
  absl::Status first_failure_;
};

}  // namespace portrait
